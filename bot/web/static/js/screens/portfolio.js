/**
 * The account as a whole: what is committed against its caps, how it is shared out, and what a shock would
 * do.
 */
import { html } from "../html.js";
import { heading } from "../cells.js";
import { coin, money, percent, signedMoney, span, words } from "../figures.js";
import { Reading, useReading } from "../reading.js";
import { Table, Values } from "../table.js";

const ROOM_NAMES = {
    wallet_quote: "Margin", low_quote: "May hold", may_add: "May add", may_release: "May release",
};
const NEARLY = 0.8;
const WAYS = { isolated: "Isolated", cross: "Cross", exchange_auto_add: "Isolated, exchange adds" };

/** How much of a cap is used, as a bar and in words. */
function Meter({ cap }) {
    const share = cap.limit_quote > 0 ? cap.value_quote / cap.limit_quote : 0;
    const level = cap.is_breached ? "danger" : share >= NEARLY ? "caution" : "";
    const state = cap.is_breached ? ", over its cap" : share >= NEARLY ? ", nearly full" : "";
    return html`<div class=${`meter ${level}`}><span>${heading(cap.cap)}<strong>
        ${money(cap.value_quote)} of ${money(cap.limit_quote)}</strong></span>
        <div class="meter-bar"><i style=${{ width: `${Math.min(1, Math.max(0, share)) * 100}%` }} /></div>
        <span class="faint">
            ${percent(share, 0)} used${state}${cap.largest ? ` \u00b7 most by ${coin(cap.largest)}` : ""}
            </span></div>`;
}

function Allocator({ allocator }) {
    const held = allocator.held_reason ? ` Held: ${words(allocator.held_reason)}.` : "";
    const splitAgo = allocator.is_on && allocator.split_ms > 0
        ? ` Last split ${span(Date.now() - allocator.split_ms)} ago.` : "";
    const lead = allocator.is_on
        ? `One budget of ${money(allocator.budget_quote)} over all positions.${held}`
        : "Off: each position's own policy moves its margin. What each could hold now:";
    const cells = {
        low_quote: (row) =>
            row.low_quote === null
                ? "cannot be moved now"
                : `${money(row.low_quote)} to ${row.high_quote === null ? "any" : money(row.high_quote)}`,
    };
    return html`<section class="card"><h2>Allocator</h2><p class="faint">${lead}
            ${splitAgo}</p>
        ${
            allocator.rows.length > 0 &&
            html`<${Table} rows=${allocator.rows} caption="Room of each position" cells=${cells}
            columns=${["symbol", "wallet_quote", "low_quote", "may_add", "may_release"]}
            names=${ROOM_NAMES} />`
        }</section>`;
}

function Loss({ way }) {
    if (!way) return html`<span class="faint">none</span>`;
    return html`<span class=${way.pnl_quote < 0 ? "bad" : "good"}>${signedMoney(way.pnl_quote)}</span>
        <span class="faint"> ${way.liquidations ? `${way.liquidations} liquidated` : ""}</span>`;
}

function Stress({ rows, notes }) {
    const names = [...new Set(rows.flatMap((row) => row.ways.map((way) => way.way)))];
    const flat = rows.map((row) => ({
        shock: row.shock,
        ...Object.fromEntries(row.ways.map((way) => [way.way, way.pnl_quote])),
        ways: row.ways,
    }));
    const cells = Object.fromEntries(
        names.map((name) => [
            name,
            (row) => html`<${Loss} way=${row.ways.find((way) => way.way === name)} />`,
        ]),
    );
    return html`<section class="card"><h2>What a shock would do</h2><p class="faint">${notes.join(" ")}</p>
        ${
            flat.length > 0 &&
            html`<${Table} rows=${flat} caption="What a shock of every price would do"
                columns=${["shock", ...names]}
            names=${{ shock: "Every mark", ...WAYS }}
                cells=${{ ...cells, shock: (row) => percent(row.shock, 0) }} />`
        }</section>`;
}

function Portfolio({ data }) {
    const totals = {
        equity_quote: data.equity_quote,
        free_quote: data.free_quote,
        in_margin_quote: data.margin_committed_quote,
        committed_fraction: data.committed_fraction,
        long_quote: data.long_quote,
        short_quote: data.short_quote,
    };
    return html`<section class="card"><${Values} values=${totals} /></section>
        ${data.caps.length > 0 && html`<section class="card"><h2>Committed against its caps</h2>
            ${data.caps.map((cap) => html`<${Meter} key=${cap.cap} cap=${cap} />`)}</section>`}
        <section class="card"><h2>Exposure</h2>${
            data.exposures.length
                ? html`<${Table} rows=${data.exposures} caption="Exposure"
            columns=${["symbol", "side", "notional_quote", "margin_quote", "sigma_day", "is_open"]}
            names=${{ sigma_day: "Typical day", is_open: "Open" }}
                cells=${{ sigma_day: (row) => percent(row.sigma_day) }} />`
                : html`<p class="faint">Nothing: no position is open and no entry is on its way.</p>`
        }</section>
        <${Allocator} allocator=${data.allocator} /><${Stress} rows=${data.stress} notes=${data.notes} />`;
}

export default function PortfolioScreen() {
    const reading = useReading("portfolio");
    return html`<div class="page"><h1>Portfolio</h1><p
        class="lead">All positions together: what is committed, what may still be, what the account would
            lose.</p>
        <${Reading} reading=${reading}>${(data) => html`<${Portfolio} data=${data} />`}<//></div>`;
}
