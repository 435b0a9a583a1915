/**
 * The strip that never leaves: how long, is it acting, with whose money, is it current, where is the button.
 */
import { html } from "./html.js";
import { coin, isNumber, percent, span, wholeMoney } from "./figures.js";
import { isSilent, silentMs, useFeed, useNow } from "./feed.js";
import { HaltButton } from "./halt.js";
import { LEVEL_WORDS, levelOf } from "./level.js";

const SLOW_LOOP_MS = 250;
const MODES = { live: "LIVE", testnet: "TESTNET", paper: "PAPER" };

function Fact({ name, area, value, level = "", sign = "" }) {
    return html`<div class=${`fact ${area} ${level}`}>
        <dd>${sign && html`<span class="mark-sign" aria-hidden="true">${sign}</span> `}${value}</dd><dt>
            ${name}</dt></div>`;
}

/** The position nearest to liquidation, as the strip and the window's title say it. */
export function worstOf(board) {
    const rows = board.positions.filter((row) => isNumber(row.distance));
    return rows.reduce((worst, row) => (worst === null || row.distance < worst.distance ? row : worst), null);
}

function Worst({ board, isOld }) {
    const row = worstOf(board);
    if (row === null) {
        const value = board.positions.length ? "none" : "flat";
        const name = board.positions.length ? "no liquidation price" : "no open position";
        return html`<${Fact} area="worst" value=${value} name=${name} />`;
    }
    const level = levelOf(row, isOld || row.is_stale);
    const word = LEVEL_WORDS[level];
    const name = `${word ? `${word}: ` : ""}${coin(row.symbol)} ${row.side}`;
    return html`<${Fact} area="worst" value=${percent(row.distance)} level=${level} name=${name} />`;
}

function Guard({ guard, isOld }) {
    if (isOld) return html`<${Fact} area="guard" value="unknown" name="guard" level="stale" />`;
    if (guard.state === "halted") {
        return html`<${Fact} area="guard" value="HALTED" sign="\u25a0" name="guard" level="danger" />`;
    }
    return html`<${Fact} area="guard" value="armed" sign="\u2713" name="guard" level="fine" />`;
}

function Reserve({ reserve, quote }) {
    const hasTotal = reserve && isNumber(reserve.total_quote);
    const value = hasTotal
        ? `${wholeMoney(reserve.left_quote)} of ${wholeMoney(reserve.total_quote)}`
        : wholeMoney(reserve?.left_quote);
    return html`<${Fact} area="reserve" value=${value} name=${`${quote} reserve left`} />`;
}

function Age({ board, silent, isOld }) {
    const age = (isNumber(board.data_age_ms) ? board.data_age_ms : 0) + silent;
    const isStale = isOld || board.data_age_ms > board.stale_after_ms;
    return html`<${Fact} area="age" value=${span(age)} name=${isStale ? "STALE data" : "data age"}
        level=${isStale ? "danger" : ""} sign=${isStale ? "\u26a0" : ""} />`;
}

function Lag({ board }) {
    const isSlow = board.loop_lag_ms > SLOW_LOOP_MS;
    const value = isNumber(board.loop_lag_ms) ? `${Math.round(board.loop_lag_ms)}\u00a0ms` : "unknown";
    return html`<${Fact} area="lag" value=${value} name=${isSlow ? "loop is slow" : "loop lag"}
        level=${isSlow ? "caution" : ""} />`;
}

export function Strip({ feed }) {
    const state = useFeed(feed);
    const now = useNow(250);
    const { board } = state;
    const isOld = isSilent(state, now);
    return html`<header class="strip">
        <span class=${`mode ${board?.mode ?? "unknown"}`}>${MODES[board?.mode] ?? "\u2026"}</span>
        ${
            board
                ? html`<dl class=${isOld ? "stale" : ""}>
            <${Worst} board=${board} isOld=${isOld} />
            <${Guard} guard=${board.guard} isOld=${isOld} />
            <${Reserve} reserve=${board.reserve} quote=${board.quote} />
            <${Age} board=${board} silent=${silentMs(state, now) < 1_500 ? 0 : silentMs(state, now)}
                isOld=${isOld} />
            <${Lag} board=${board} />
        </dl>`
                : html`<p class="faint">Waiting for the bot</p>`
        }
        <${HaltButton} isHalted=${board?.guard.state === "halted"} />
    </header>`;
}
