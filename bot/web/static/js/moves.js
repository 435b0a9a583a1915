/** Margin moves, newest first: how much, why, and what it did to the distance. */
import { html } from "./html.js";
import { coin, isNumber, money, percent, price, words } from "./figures.js";
import { Sign } from "./rungs.js";
import { Instant } from "./time.js";

const shift = (before, after, text) =>
    isNumber(before) || isNumber(after)
        ? `${isNumber(before) ? text(before) : "none"} \u2192 ${isNumber(after) ? text(after) : "none"}`
        : "";

function Move({ move, decimals }) {
    const isAdd = move.amount_quote > 0;
    const liquidation = shift(move.liquidation_before, move.liquidation_after, (value) =>
        price(value, decimals),
    );
    return html`<li>
        <span class=${`amount ${isAdd ? "add" : "release"}`}><${Sign} kind=${isAdd ? "add" : "release"} />
            ${isAdd ? "added" : "released"} ${money(Math.abs(move.amount_quote))}</span>
        <span class="what"><strong>${coin(move.symbol)}</strong> ${move.reason_text || words(move.reason)}
            </span>
        <span class="shift">distance ${shift(move.distance_before, move.distance_after, percent)}
            ${liquidation && html`<span class="faint">, liquidation ${liquidation}</span>`}</span>
        <span class="when faint"><${Instant} ms=${move.ts_ms} /></span>
    </li>`;
}

export function MoveList({ moves, positions = [] }) {
    const decimals = new Map(positions.map((row) => [row.symbol, row.price_decimals]));
    return html`<ul class="moves">${moves.map(
        (move) => html`<${Move} key=${`${move.ts_ms} ${move.symbol} ${move.amount_quote}`}
        move=${move} decimals=${decimals.get(move.symbol)} />`,
    )}</ul>`;
}
