/** Whether the bot is well, and what it was told to do. Read only; secrets never leave the bot. */
import { html } from "../html.js";
import { heading } from "../cells.js";
import { Reading, useReading } from "../reading.js";
import { Table, Values } from "../table.js";

const isNested = (value) => value !== null && typeof value === "object";
const textOf = (value) => (isNested(value) ? JSON.stringify(value) : String(value));

/** The unit that a group's name carries is that of its numbers. */
const unitOf = (name) => name.match(/_(ms|quote|fraction|seconds)$/)?.[0] ?? "";

function List({ name, values }) {
    if (values.length > 0 && isNested(values[0])) {
        return html`<${Table} rows=${values} caption=${heading(name)} hasOthers />`;
    }
    return html`<p>${values.map(textOf).join(", ") || "none"}</p>`;
}

function Group({ name, value, Title }) {
    const inner = Array.isArray(value) ? [] : Object.entries(value).filter(([, one]) => isNested(one));
    const shown = Array.isArray(value)
        ? html`<${List} name=${name} values=${value} />`
        : html`<${Values} values=${value} unit=${unitOf(name)} />`;
    return html`<${Title}>${heading(name)}<//>${shown}
        ${inner.map(([key, one]) => html`<${Group} key=${key} name=${key} value=${one} Title="h3" />`)}`;
}

function Groups({ data }) {
    const entries = Object.entries(data).filter(([name]) => name !== "as_of_ms");
    const plain = Object.fromEntries(entries.filter(([, value]) => !isNested(value)));
    const groups = entries.filter(([, value]) => isNested(value) && Object.keys(value).length > 0);
    return html`<section class="card"><${Values} values=${plain} /></section>
        ${groups.map(([name, value]) => html`<section class="card" key=${name}>
            <${Group} name=${name} value=${value} Title="h2" /></section>`)}`;
}

export default function HealthScreen() {
    const health = useReading("health", 5_000);
    const settings = useReading("settings", 0);
    return html`<div class="page"><h1>Health and settings</h1>
        <${Reading} reading=${health}>${(data) => html`<${Groups} data=${data} />`}<//>
        <h2>Settings</h2>
        <p class="lead">As the bot runs with them. They are changed in a file and by a new start; a secret is
            never shown.</p>
        <${Reading} reading=${settings}>${(data) => html`<${Groups} data=${data.settings} />`}<//></div>`;
}
