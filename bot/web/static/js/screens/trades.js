/** Closed positions and the account's equity. */
import { html, useMemo } from "../html.js";
import { money } from "../figures.js";
import { LineChart } from "../line_chart.js";
import { Paged } from "../paged.js";
import { Nothing, Reading, rowsOf, useReading } from "../reading.js";
import { Table, Values } from "../table.js";

const COLUMNS = [
    "closed_ms", "symbol", "side", "quantity", "leverage", "entry_price", "exit_price", "pnl_quote", "result_quote", "fees_quote",
    "funding_quote", "margin_added_quote", "reason", "close_reason", "policy",
];

function Equity() {
    const reading = useReading("equity", 30_000);
    return html`<${Reading} reading=${reading}>${(data) => html`<${Curve} data=${data} />`}<//>`;
}

function Curve({ data }) {
    const rows = rowsOf(data);
    const drawn = useMemo(() => {
        const series = [{ name: "equity", values: rows.map((row) => row.equity_quote), colour: "add", scale: "quote", text: money }];
        if (rows.some((row) => row.wallet_quote !== undefined)) {
            series.push({ name: "wallet", values: rows.map((row) => row.wallet_quote ?? null), colour: "stop", scale: "quote", text: money });
        }
        return { x: rows.map((row) => row.ts_ms / 1000), series };
    }, [data]);
    if (rows.length < 2) return html`<${Nothing}>The equity curve begins with the first hour.<//>`;
    return html`<section class="card"><h2>Equity</h2>
        <${LineChart} x=${drawn.x} series=${drawn.series} summary=${`Equity from ${money(rows[0].equity_quote)} to ${money(rows.at(-1).equity_quote)}.`} />
    </section>`;
}

export default function TradesScreen() {
    const nothing = html`<${Nothing}>No position was closed yet. Its result will stand here.<//>`;
    return html`<div class="page"><h1>Trades and equity</h1><${Equity} />
        <${Paged} path="trades" nothing=${nothing}>${(rows, data) => html`<section class="card"><h2>Closed positions</h2>
            ${data.totals && html`<${Values} values=${data.totals} />`}
            <${Table} rows=${rows} columns=${COLUMNS} caption="Closed positions, newest first" /></section>`}<//></div>`;
}
