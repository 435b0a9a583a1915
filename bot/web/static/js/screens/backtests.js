/** What backtests and sweeps wrote into folders: with the margin policy and without it, side by side. */
import { html } from "../html.js";
import { heading, shown } from "../cells.js";
import { Nothing, Reading, useReading } from "../reading.js";
import { words } from "../figures.js";
import { Table } from "../table.js";
import { Answer } from "./calculators.js";

const COLUMNS = ["name", "kind", "strategy", "policy", "symbols", "from_ms", "to_ms", "trades", "result_quote", "liquidations"];

/** Two runs of one plan beside each other: every number that both have. */
function SideBySide({ pair }) {
    const names = Object.keys(pair.with ?? {}).filter((name) => name in (pair.without ?? {}) && typeof pair.with[name] !== "object");
    const rows = names.map((name) => ({ name, with_policy: pair.with[name], without: pair.without[name] }));
    const cells = {
        name: (row) => heading(row.name), with_policy: (row) => shown(row.name, row.with_policy), without: (row) => shown(row.name, row.without),
    };
    return html`<section class="card"><h2>${pair.name ?? "With and without the margin policy"}</h2>
        <${Table} rows=${rows} columns=${["name", "with_policy", "without"]} cells=${cells} names=${{ name: "" }}
            caption="With and without the margin policy" /></section>`;
}

function Exports({ data }) {
    const lists = Object.entries(data).filter(([name, value]) => Array.isArray(value) && name !== "pairs");
    const all = lists.flatMap(([, rows]) => rows);
    if (all.length === 0 && !data.pairs?.length) {
        return html`<${Nothing}>No export was found. <code>ringfence backtest --export FOLDER</code> and <code>ringfence sweep</code> write them.<//>`;
    }
    return html`${(data.pairs ?? []).map((pair, index) => html`<${SideBySide} key=${index} pair=${pair} />`)}
        ${lists.filter(([, rows]) => rows.length).map(([name, rows]) => html`<section class="card" key=${name}><h2>${heading(name)}</h2>
            <${Table} rows=${rows.map(plain)} columns=${COLUMNS} caption=${words(name)} hasOthers
                cells=${{ name: (row) => html`<a href=${`#/backtests/${encodeURIComponent(row.name)}`}>${row.name}</a>` }} /></section>`)}`;
}

/** A row without what is nested: that is shown on a page of its own. */
const plain = (row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value === null || typeof value !== "object"));

function One({ data, name }) {
    const found = Object.values(data).filter(Array.isArray).flat().find((row) => row.name === name);
    if (!found) return html`<${Nothing}>This export is not there any more.<//>`;
    return html`<section class="card"><h2>${name}</h2><${Answer} answer=${found} name=${name} /></section>`;
}

export default function BacktestsScreen({ rest }) {
    const reading = useReading("exports", 60_000);
    return html`<div class="page"><h1>Backtests and sweeps</h1>
        <p class="lead">A good backtest is a claim about the past. Two hundred tries find a good one by luck.</p>
        ${rest[0] && html`<p><a href="#/backtests">All exports</a></p>`}
        <${Reading} reading=${reading}>${(data) => (rest[0] ? html`<${One} data=${data} name=${rest[0]} />` : html`<${Exports} data=${data} />`)}<//></div>`;
}
