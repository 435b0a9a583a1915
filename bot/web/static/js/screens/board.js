/** The risk board: every open position, the one nearest to liquidation first. */
import { html, useState } from "../html.js";
import { ActionDialog } from "../action_dialog.js";
import { Confirmed } from "../confirmed.js";
import { counted, isNumber, money, signedMoney } from "../figures.js";
import { isSilent, silentMs, useFeed, useNow } from "../feed.js";
import { HaltNote, LinkNote } from "../link_note.js";
import { MoveList } from "../moves.js";
import { PositionCard } from "../position_card.js";
import { Instant } from "../time.js";

const MOVED_MS = 5_000; // how long a card says that its margin has just moved

/** Nearest to liquidation first; positions without a liquidation price come last. */
export function worstFirst(rows) {
    const far = (row) => (isNumber(row.distance) ? row.distance : Infinity);
    return [...rows].sort((a, b) => far(a) - far(b) || a.symbol.localeCompare(b.symbol));
}

function Account({ board }) {
    const day = board.day_pnl_quote;
    return html`<dl class="account">
        <div><dt>Equity</dt><dd>${money(board.equity_quote)} <span class="faint">${board.quote}</span></dd>
            </div>
        <div><dt>In margin</dt><dd>${money(board.margin_committed_quote)}</dd></div>
        <div><dt>Free</dt><dd>${money(board.free_quote)}</dd></div>
        <div><dt>Today</dt><dd class=${day < 0 ? "bad" : day > 0 ? "good" : ""}>${signedMoney(day)}</dd></div>
    </dl>`;
}

function Source({ board }) {
    const speed = board.speed && board.speed !== "1x" ? ` at ${board.speed}` : "";
    return html`<p class="source faint"><${Instant} ms=${board.market_ts_ms} withDate=${true} />
        <span>${board.feed}${speed}</span><span>${board.strategy}</span></p>`;
}

function Empty({ board }) {
    return html`<section class="card empty">
        <div class="empty-rail" aria-hidden="true"><i /><i /><i /></div>
        <h2>No open position</h2>
        <p>${board.note || "The bot waits for the next candle."}</p>
        <p class="faint">When a position opens, its ladder appears here within a second.</p>
    </section>`;
}

function Counters({ counters }) {
    if (!counters) return null;
    return html`<p class="counters faint">
        ${counted(counters.trades, "trade")}, ${counted(counters.liquidations, "liquidation")},
        ${" "}${counted(counters.margin_adds, "add")} of ${money(counters.margin_added_quote)} and
        ${" "}${counted(counters.margin_releases, "release")} of ${money(counters.margin_released_quote)}
        ${" "}since this run began.</p>`;
}

function LastMoves({ board }) {
    return html`<section class="last-moves" aria-label="Last margin moves">
        <h2>Last margin moves</h2>
        ${
            board.moves.length
                ? html`<${MoveList} moves=${board.moves.slice(0, 8)} positions=${board.positions} />`
                : html`<p class="faint">None yet. The first one will stand here with its reason.</p>`
        }
        <${Counters} counters=${board.counters} />
    </section>`;
}

const FLATTEN = { verb: "flatten" };

function Flatten() {
    return html`<section class="flatten" aria-label="Close everything">
        <${Confirmed} body=${FLATTEN} text="Close all positions" again="Press again to close all" />
            </section>`;
}

function Rows({ board, isOld, silent, onAct, movedSymbol }) {
    return worstFirst(board.positions).map(
        (row) => html`<${PositionCard} key=${`${row.symbol} ${row.opened_ms ?? ""}`} row=${row}
        quote=${board.quote} isSilent=${isOld} silent=${silent} marketNow=${board.market_ts_ms}
            onAct=${onAct} isMoved=${row.symbol === movedSymbol} />`,
    );
}

export function BoardScreen({ feed }) {
    const state = useFeed(feed);
    const now = useNow(1_000);
    const [act, setAct] = useState(null);
    const { board } = state;
    if (!board)
        return html`<${LinkNote} state=${state} /><p
            class="waiting">Waiting for the first picture of the bot.</p>`;
    const isOld = isSilent(state, now);
    const move = state.lastMove;
    const movedSymbol = move && now - move.heardAt < MOVED_MS ? move.symbol : null;
    const row = act && board.positions.find((one) => one.symbol === act.symbol);
    return html`<div class="board">
        <h1 class="hidden">Risk board</h1>
        <${LinkNote} state=${state} now=${now} />
        <${HaltNote} guard=${board.guard} />
        <div class=${`summary ${isOld ? "stale" : ""}`}><${Account} board=${board} /><${Source}
            board=${board} /></div>
        ${
            board.positions.length
                ? html`<${Rows} board=${board} isOld=${isOld} silent=${isOld ? silentMs(state, now) : 0}
            onAct=${(verb, symbol) => setAct({ verb, symbol })} movedSymbol=${movedSymbol} />`
                : html`<${Empty} board=${board} />`
        }
        <${LastMoves} board=${board} />
        ${board.positions.length > 0 && html`<${Flatten} />`}
        ${
            act &&
            html`<${ActionDialog} key=${`${act.verb} ${act.symbol}`} verb=${act.verb} row=${row}
                symbol=${act.symbol}
            quote=${board.quote} onClose=${() => setAct(null)} />`
        }
    </div>`;
}
