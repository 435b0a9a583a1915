/** The bot's own lines and the journal's, newest first. */
import { html, useState } from "../html.js";
import { JournalList } from "../journal.js";
import { Paged } from "../paged.js";
import { Nothing } from "../reading.js";
import { Instant } from "../time.js";

const LEVELS = ["debug", "info", "warning", "error"];
const SKIPPED = new Set(["ts_ms", "time", "level", "event"]);

function Line({ line }) {
    const rest = Object.entries(line).filter(([name]) => !SKIPPED.has(name)).map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`);
    const ms = Date.parse(line.time);
    return html`<li><span class="when faint"><${Instant} ms=${ms} /></span><span class=${`level severity ${line.level}`}>${line.level}</span>
        <span class="told">${line.event} <span class="faint">${rest.join(" ")}</span></span></li>`;
}

function Lines() {
    const [least, setLeast] = useState("info");
    const nothing = html`<${Nothing}>Nothing was logged yet.<//>`;
    return html`<div class="bar"><label>From level <select value=${least} onInput=${(event) => setLeast(event.target.value)}>
            ${LEVELS.map((level) => html`<option key=${level} value=${level} selected=${level === least}>${level}</option>`)}</select></label></div>
        <${Paged} path="logs?limit=500" everyMs=${3_000} nothing=${nothing}>${(rows) => html`<section class="card"><ul class="logs">
            ${rows.filter((line) => LEVELS.indexOf(line.level ?? "info") >= LEVELS.indexOf(least)).map((line, index) => html`<${Line} key=${line.id ?? index} line=${line} />`)}
        </ul></section>`}<//>`;
}

function Journal() {
    return html`<p class="lead">What was seen, decided, sent and answered, chained by hashes. It is never changed.</p>
        <${Paged} path="journal" everyMs=${5_000} nothing=${html`<${Nothing}>The journal is empty.<//>`}>${(rows) => html`
            <section class="card"><${JournalList} entries=${rows} hasSymbol /></section>`}<//>`;
}

export default function LogsScreen({ rest }) {
    const isJournal = rest[0] === "journal";
    return html`<div class="page"><h1>${isJournal ? "Journal" : "Logs"}</h1><nav class="chips" aria-label="Logs and journal">
        <a href="#/logs" aria-current=${isJournal ? undefined : "page"}>Logs</a>
        <a href="#/logs/journal" aria-current=${isJournal ? "page" : undefined}>Journal</a></nav>
        ${isJournal ? html`<${Journal} />` : html`<${Lines} />`}</div>`;
}

