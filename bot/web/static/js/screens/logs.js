/** The bot's own lines and the journal's, newest first. */
import { html, useState } from "../html.js";
import { JournalList } from "../journal.js";
import { Paged } from "../paged.js";
import { Nothing } from "../reading.js";
import { Instant } from "../time.js";

const LEVELS = ["debug", "info", "warning", "error"];
const SKIPPED = new Set(["ts_ms", "time", "level", "event"]);

const textOf = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
const rankOf = (line) => LEVELS.indexOf(line.level ?? "info");

function Line({ line }) {
    const others = Object.entries(line).filter(([name]) => !SKIPPED.has(name));
    const rest = others.map(([name, value]) => `${name}=${textOf(value)}`).join(" ");
    return html`<li><span class="when faint"><${Instant} ms=${Date.parse(line.time)} /></span>
        <span class=${`level severity ${line.level}`}>${line.level}</span>
        <span class="told">${line.event} <span class="faint">${rest}</span></span></li>`;
}

function Least({ least, setLeast }) {
    const options = LEVELS.map((level) => html`<option key=${level} value=${level}
        selected=${level === least}>${level}</option>`);
    return html`<div class="bar"><label>From level
        <select value=${least} onInput=${(event) => setLeast(event.target.value)}>${options}</select>
    </label></div>`;
}

function Lines() {
    const [least, setLeast] = useState("info");
    const draw = (rows) => {
        const lines = rows.filter((line) => rankOf(line) >= LEVELS.indexOf(least));
        return html`<section class="card"><ul class="logs">
            ${lines.map((line, index) => html`<${Line} key=${`${line.time} ${index}`} line=${line} />`)}
        </ul></section>`;
    };
    const nothing = html`<${Nothing}>Nothing was logged yet.<//>`;
    return html`<${Least} least=${least} setLeast=${setLeast} />
        <${Paged} path="logs?limit=500" everyMs=${3_000} nothing=${nothing}>${draw}<//>`;
}

function Journal() {
    const draw = (rows) => html`<section class="card"><${JournalList} entries=${rows} hasSymbol /></section>`;
    const nothing = html`<${Nothing}>The journal is empty.<//>`;
    return html`<p class="lead">What was seen, decided, sent and answered, chained by hashes. It is never
            changed.</p>
        <${Paged} path="journal" everyMs=${5_000} nothing=${nothing}>${draw}<//>`;
}

export default function LogsScreen({ rest }) {
    const isJournal = rest[0] === "journal";
    return html`<div class="page"><h1>${isJournal ? "Journal" : "Logs"}</h1>
        <nav class="chips" aria-label="Logs and journal">
            <a href="#/logs" aria-current=${isJournal ? undefined : "page"}>Logs</a>
            <a href="#/logs/journal" aria-current=${isJournal ? "page" : undefined}>Journal</a></nav>
        ${isJournal ? html`<${Journal} />` : html`<${Lines} />`}</div>`;
}
