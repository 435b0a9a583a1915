/**
 * What backtests and sweeps exported: each with its figures, and with the policy beside margin left alone.
 */
import { html } from "../html.js";
import { heading, shown } from "../cells.js";
import { Nothing, Reading, useReading } from "../reading.js";
import { Table } from "../table.js";
import { Answer } from "./calculators.js";

const PREFIX = "static_";
const HIDDEN = new Set(["settings"]);

/** Figures that lie one or two levels deep, by their own names; the first of a name counts. */
function flat(figures) {
    const found = {};
    for (const [name, value] of Object.entries(figures)) {
        if (value !== null && typeof value === "object")
            Object.entries(flat(value)).forEach(([inner, one]) => (found[inner] ??= one));
        else found[name] ??= value;
    }
    return found;
}

/**
 * Every figure of an object that has one of the same position whose margin was left alone: `{name, with,
 * without}`.
 */
export function pairsOf(document) {
    const pairs = [];
    const look = (object) => {
        for (const [name, value] of Object.entries(object)) {
            if (value !== null && typeof value === "object" && !Array.isArray(value) && !HIDDEN.has(name))
                look(value);
            else if (`${PREFIX}${name}` in object)
                pairs.push({ name, with_policy: value, left_alone: object[`${PREFIX}${name}`] });
        }
    };
    look(document);
    return pairs.filter((pair) => typeof pair.with_policy !== "object");
}

function SideBySide({ pairs }) {
    const cells = {
        name: (row) => heading(row.name),
        with_policy: (row) => shown(row.name, row.with_policy),
        left_alone: (row) => shown(row.name, row.left_alone),
    };
    return html`<section class="card"><h2>With the policy and with margin left alone</h2>
        <p class="faint">The same trades. A policy is not meant to earn: look at liquidations and worst
            losses.</p>
        <${Table} rows=${pairs} columns=${["name", "with_policy", "left_alone"]} cells=${cells}
            names=${{ name: "Figure" }}
            caption="With the policy and with margin left alone" /></section>`;
}

const COLUMNS = [
    "name",
    "written_ms",
    "strategy",
    "policy",
    "timerange",
    "trades",
    "net_quote",
    "total_return",
    "sharpe",
    "max_drawdown",
    "liquidations",
];

function Exports({ data }) {
    if (data.rows.length === 0) {
        return html`<${Nothing}>No export stands in <code>${data.folder}
            </code>. <code>ringfence backtest</code> and
            <code>ringfence sweep</code> write one with <code>--export</code>.<//>`;
    }
    const rows = data.rows.map((row) => ({
        ...flat(row.figures),
        name: row.name,
        written_ms: row.written_ms,
    }));
    const cells = {
        name: (row) => html`<a href=${`#/backtests/${encodeURIComponent(row.name)}`}>${row.name}</a>`,
    };
    return html`<section class="card"><${Table} rows=${rows} columns=${COLUMNS} cells=${cells}
        caption="Exports, newest first" /></section>`;
}

function One({ name }) {
    const reading = useReading(`exports/${encodeURIComponent(name)}`, 0);
    return html`<p><a href="#/backtests">\u2190 All exports</a></p><${Reading} reading=${reading}>${(
        data,
    ) => {
        const pairs = pairsOf(data.document);
        const rest = Object.fromEntries(Object.entries(data.document).filter(([key]) => !HIDDEN.has(key)));
        return html`${pairs.length > 0 && html`<${SideBySide} pairs=${pairs} />`}
            <section class="card"><h2>Everything</h2><${Answer} answer=${rest} name=${name} /></section>`;
    }}<//>`;
}

function All() {
    const reading = useReading("exports", 60_000);
    return html`<${Reading} reading=${reading}>${(data) => html`<${Exports} data=${data} />`}<//>`;
}

export default function BacktestsScreen({ rest }) {
    return html`<div class="page"><h1>${rest[0] ?? "Backtests and sweeps"}</h1>
        <p class="lead">A good backtest is a claim about the past. Two hundred tries find a good one by
            luck.</p>
        ${rest[0] ? html`<${One} key=${rest[0]} name=${rest[0]} />` : html`<${All} />`}</div>`;
}
