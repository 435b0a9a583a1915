/** Whether the bot is well, and what it was told to do. Read only; secrets never leave the bot. */
import { html } from "../html.js";
import { heading } from "../cells.js";
import { words } from "../figures.js";
import { Reading, useReading } from "../reading.js";
import { Table, Values } from "../table.js";

function Group({ name, value }) {
    const rows = Array.isArray(value) && value.length && typeof value[0] === "object" ? value : null;
    return html`<section class="card"><h2>${heading(name)}</h2>${rows ? html`<${Table} rows=${rows} caption=${words(name)} hasOthers />`
        : Array.isArray(value) ? html`<p>${value.map(String).join(", ") || "none"}</p>` : html`<${Nested} value=${value} unit=${unitOf(name)} />`}</section>`;
}

/** The unit that a group's name carries is that of its numbers. */
const unitOf = (name) => name.match(/_(ms|quote|fraction|seconds)$/)?.[0] ?? "";

function Nested({ value, unit = "" }) {
    const inner = Object.entries(value).filter(([, one]) => one !== null && typeof one === "object");
    return html`<${Values} values=${value} unit=${unit} />${inner.map(([name, one]) => html`<div key=${name}><h3>${heading(name)}</h3>
        ${Array.isArray(one) ? html`<p>${one.map((each) => (typeof each === "object" ? JSON.stringify(each) : String(each))).join(", ") || "none"}</p>` : html`<${Nested} value=${one} />`}</div>`)}`;
}

function Groups({ data }) {
    const plain = Object.fromEntries(Object.entries(data).filter(([name, value]) => name !== "as_of_ms" && (value === null || typeof value !== "object")));
    const groups = Object.entries(data).filter(([, value]) => value !== null && typeof value === "object");
    return html`${Object.keys(plain).length > 0 && html`<section class="card"><${Values} values=${plain} /></section>`}
        ${groups.map(([name, value]) => html`<${Group} key=${name} name=${name} value=${value} />`)}`;
}

export default function HealthScreen() {
    const health = useReading("health", 5_000);
    const settings = useReading("settings", 0);
    return html`<div class="page"><h1>Health and settings</h1><${Reading} reading=${health}>${(data) => html`<${Groups} data=${data} />`}<//>
        <h2>Settings</h2><p class="lead">As the bot runs with them. Change them in config/ and start again; a secret shows only whether it is set.</p>
        <${Reading} reading=${settings}>${(data) => html`<${Groups} data=${data.settings ?? data} />`}<//></div>`;
}
