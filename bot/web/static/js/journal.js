/** The journal: what was seen, what was decided and sent, what came back. */
import { html } from "./html.js";
import { pair, words } from "./figures.js";
import { Nothing } from "./reading.js";
import { Instant } from "./time.js";

const KNOWN = new Set(["ts_ms", "kind", "event", "text", "words", "symbol", "id", "number", "at", "hash", "previous"]);

const textOf = (entry) => entry.text ?? entry.words ?? entry.message ?? "";

function Facts({ entry }) {
    const facts = { ...entry.facts, ...(typeof entry.payload === "object" ? entry.payload : {}) };
    const others = Object.entries(entry).filter(([name, value]) => !KNOWN.has(name) && typeof value !== "object" && value !== "");
    const all = [...Object.entries(facts), ...(textOf(entry) ? [] : others)];
    if (all.length === 0) return null;
    return html`<details><summary>${all.length} facts</summary><dl class="small-facts">${all.map(([name, value]) => html`
        <div key=${name}><dt>${words(name)}</dt><dd>${typeof value === "object" ? JSON.stringify(value) : String(value)}</dd></div>`)}</dl></details>`;
}

function Entry({ entry, hasSymbol }) {
    return html`<li><span class="when faint"><${Instant} ms=${entry.ts_ms} withDate=${true} /></span>
        <span class="kind">${words(entry.kind ?? entry.event ?? "")}</span>
        <span class="told">${hasSymbol && entry.symbol ? html`<strong>${pair(entry.symbol)}</strong> ` : ""}${textOf(entry)}
            <${Facts} entry=${entry} /></span></li>`;
}

export function JournalList({ entries, hasSymbol = false }) {
    if (entries.length === 0) return html`<${Nothing}>Nothing is written here yet.<//>`;
    return html`<ol class="journal">${entries.map((entry, index) => html`
        <${Entry} key=${entry.id ?? entry.number ?? index} entry=${entry} hasSymbol=${hasSymbol} />`)}</ol>`;
}
