/** The account as a whole: what is committed against its caps, how it is shared out, and what a shock would do. */
import { html } from "../html.js";
import { heading } from "../cells.js";
import { isNumber, money, percent, words } from "../figures.js";
import { Nothing, Reading, useReading } from "../reading.js";
import { Table, Values } from "../table.js";

const FULL = 0.95;
const NEARLY = 0.8;

/** How much of a cap is used, as a bar and in words. */
function Meter({ name, used, cap }) {
    const share = cap > 0 ? used / cap : 0;
    const level = share >= FULL ? "danger" : share >= NEARLY ? "caution" : "";
    return html`<div class=${`meter ${level}`}><span>${heading(name)}<strong>${money(used)} of ${money(cap)}</strong></span>
        <div class="meter-bar"><i style=${{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }} /></div>
        <span class="faint">${percent(share, 0)} used${level === "danger" ? ": full" : level === "caution" ? ": nearly full" : ""}</span></div>`;
}

function Caps({ caps }) {
    if (!caps?.length) return null;
    return html`<section class="card"><h2>Committed against its caps</h2>
        ${caps.map((cap) => html`<${Meter} key=${cap.name} name=${cap.name} used=${cap.used_quote} cap=${cap.cap_quote} />`)}</section>`;
}

const TITLES = {
    exposures: "Exposure", positions: "Exposure", allocation: "What the allocator would do", stress: "What a shock would do",
    by_symbol: "By symbol", by_side: "By side",
};

const LEADS = {
    stress: "Every price moves at once, as a gap: no stop fills and no policy acts. Loss of the account, by how margin is held.",
    allocation: "One budget over all positions: what each holds, and what it would get.",
};

function Section({ name, value }) {
    const title = TITLES[name] ?? heading(name);
    const rows = Array.isArray(value) ? value : Array.isArray(value?.rows) ? value.rows : null;
    return html`<section class="card"><h2>${title}</h2>${LEADS[name] && html`<p class="faint">${LEADS[name]}</p>`}
        ${rows ? (rows.length ? html`<${Table} rows=${rows} caption=${title} hasOthers columns=${["symbol", "side", "shock"]} />`
            : html`<p class="faint">Nothing: there is no open position.</p>`) : html`<${Values} values=${value} />`}
        ${!rows && Object.entries(value).filter(([, inner]) => Array.isArray(inner) && inner.length).map(([inner, list]) => html`
            <${Table} key=${inner} rows=${list} caption=${words(inner)} hasOthers columns=${["symbol", "side"]} />`)}</section>`;
}

function Portfolio({ data }) {
    const plain = Object.fromEntries(Object.entries(data).filter(([name, value]) => name !== "as_of_ms" && (isNumber(value) || typeof value === "string")));
    const sections = Object.entries(data).filter(([name, value]) => name !== "caps" && value !== null && typeof value === "object");
    return html`${Object.keys(plain).length > 0 && html`<section class="card"><${Values} values=${plain} /></section>`}
        <${Caps} caps=${data.caps} />
        ${sections.map(([name, value]) => html`<${Section} key=${name} name=${name} value=${value} />`)}
        ${sections.length === 0 && html`<${Nothing}>Nothing is committed: there is no open position.<//>`}`;
}

export default function PortfolioScreen() {
    const reading = useReading("portfolio");
    return html`<div class="page"><h1>Portfolio</h1><p class="lead">All positions together. What is committed, what may still be, and what the account would lose.</p>
        <${Reading} reading=${reading}>${(data) => html`<${Portfolio} data=${data} />`}<//></div>`;
}
