/** Every margin move with its reason, and what the moves were worth against margin that stays where it is. */
import { html } from "../html.js";
import { isNumber, percent, price, signedMoney, words } from "../figures.js";
import { Paged } from "../paged.js";
import { Nothing } from "../reading.js";
import { Sign } from "../rungs.js";
import { Table } from "../table.js";
import { Evidence } from "./evidence.js";

const COLUMNS = [
    "ts_ms",
    "symbol",
    "amount_quote",
    "reason",
    "distance_before",
    "liquidation_price_before",
    "mark_before",
    "policy",
];
const NAMES = {
    ts_ms: "Time",
    amount_quote: "Moved",
    reason: "Why",
    distance_before: "Distance",
    liquidation_price_before: "Liquidation",
    mark_before: "Mark",
};

const change = (before, after, text) =>
    `${isNumber(before) ? text(before) : "none"} \u2192 ${isNumber(after) ? text(after) : "none"}`;
const tick = (value) => price(value, Math.max(0, Math.min(8, 5 - Math.floor(Math.log10(value)))));

const CELLS = {
    amount_quote: (row) => html`<span class=${`amount ${row.amount_quote > 0 ? "add" : "release"}`}>
        <${Sign} kind=${row.amount_quote > 0 ? "add" : "release"} /> ${signedMoney(row.amount_quote)}</span>`,
    reason: (row) => words(row.reason) || "not ours: the venue or a person moved it",
    distance_before: (row) => change(row.distance_before, row.distance_after, percent),
    liquidation_price_before: (row) =>
        change(row.liquidation_price_before, row.liquidation_price_after, tick),
    mark_before: (row) => (isNumber(row.mark_before) ? tick(row.mark_before) : "none"),
};

function Moves() {
    const nothing = html`<${Nothing}>No margin was moved yet. Every add and release will stand here with its
        reason.<//>`;
    return html`<${Paged} path="ledger" nothing=${nothing}>${(rows) => html`<section class="card">
        <${Table} rows=${rows} columns=${COLUMNS} names=${NAMES} cells=${CELLS}
            caption="Margin moves, newest first" /></section>`}<//>`;
}

const VIEWS = { moves: ["Margin ledger", Moves], evidence: ["Evidence", Evidence] };

export default function LedgerScreen({ rest }) {
    const [title, View] = VIEWS[rest[0]] ?? VIEWS.moves;
    return html`<div class="page"><h1>${title}</h1><nav class="chips" aria-label="Ledger and evidence">
        ${Object.entries(VIEWS).map(([key, [text]]) => html`<a key=${key} href=${`#/ledger/${key}`}
            aria-current=${text === title ? "page" : undefined}>${text}</a>`)}
        </nav><${View} /></div>`;
}
