/** Closed positions and the account's equity. */
import { html, useMemo } from "../html.js";
import { isNumber, money } from "../figures.js";
import { LineChart } from "../line_chart.js";
import { Paged } from "../paged.js";
import { Nothing, Reading, rowsOf, useReading } from "../reading.js";
import { Table } from "../table.js";

const COLUMNS = [
    "closed_ms",
    "symbol",
    "side",
    "leverage",
    "entry_price",
    "exit_price",
    "cause",
    "net_pnl_quote",
    "fees_quote",
    "funding_quote",
    "margin_added_quote",
    "margin_released_quote",
];

const NAMES = {
    cause: "Closed by",
    net_pnl_quote: "Result",
    margin_added_quote: "Added",
    margin_released_quote: "Released",
};

function Equity() {
    const reading = useReading("equity", 30_000);
    return html`<${Reading} reading=${reading}>${(data) => html`<${Curve} data=${data} />`}<//>`;
}

/** Equity where it is known: at the full hours. */
const equityOf = (row) =>
    isNumber(row.unrealised_pnl_quote) ? row.wallet_quote + row.unrealised_pnl_quote : null;

function Curve({ data }) {
    const rows = rowsOf(data);
    const drawn = useMemo(
        () => ({
            x: rows.map((row) => row.ts_ms / 1000),
            series: [
                {
                    name: "wallet",
                    values: rows.map((row) => row.wallet_quote),
                    colour: "add",
                    scale: "quote",
                    text: money,
                },
                {
                    name: "with unrealised",
                    values: rows.map(equityOf),
                    colour: "stop",
                    scale: "quote",
                    text: money,
                    isJoined: true,
                },
            ],
        }),
        [data],
    );
    if (rows.length < 2) return html`<${Nothing}>The curve begins with the first trade.<//>`;
    return html`<section class="card"><h2>Wallet and equity</h2>
        <p class="faint">The wallet changes with every fill and payment; what is unrealised is noted each
            hour.</p>
        <${LineChart} x=${drawn.x} series=${drawn.series}
            summary=${`Wallet from ${money(rows[0].wallet_quote)} to ${money(rows.at(-1).wallet_quote)}.`} />
    </section>`;
}

export default function TradesScreen() {
    const nothing = html`<${Nothing}>No position was closed yet. Its result will stand here.<//>`;
    return html`<div class="page"><h1>Trades and equity</h1><${Equity} />
        <${Paged} path="trades" nothing=${nothing}>${(
            rows,
        ) => html`<section class="card"><h2>Closed positions</h2>
            <${Table} rows=${rows} columns=${COLUMNS} names=${NAMES}
                caption="Closed positions, newest first" /></section>`}<//></div>`;
}
