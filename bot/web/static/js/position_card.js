/** One position: how far, what is next, with whose money, and the four things a person may do. */
import { html } from "./html.js";
import {
    chance,
    coin,
    isNumber,
    money,
    pair,
    percent,
    price,
    quantity,
    signedMoney,
    signedPercent,
    span,
    words,
} from "./figures.js";
import { Ladder } from "./ladder.js";
import { LEVEL_WORDS, levelOf } from "./level.js";
import { Sign } from "./rungs.js";

const VERBS = [
    ["add", "Add"],
    ["release", "Release"],
    ["reduce", "Reduce"],
    ["close", "Close"],
];

function Identity({ row }) {
    const isLong = row.side === "long";
    return html`<div class="identity">
        <h2><a href=${`#/position/${encodeURIComponent(row.symbol)}`}>${pair(row.symbol)}</a></h2>
        <span class=${`side ${row.side}`}><span aria-hidden="true">${isLong ? "\u25b2" : "\u25bc"}</span>
            ${isLong ? "LONG" : "SHORT"} ${quantity(row.leverage)}x</span>
    </div>`;
}

function Distance({ row, level }) {
    const parts = [];
    if (isNumber(row.hour_moves)) parts.push(`${row.hour_moves.toFixed(1)} typical hours`);
    if (isNumber(row.probability_24h)) parts.push(`${chance(row.probability_24h)} in 24 h`);
    if (!isNumber(row.distance))
        return html`<div class="distance"><b>none</b><span>no liquidation price</span></div>`;
    const word = LEVEL_WORDS[level];
    return html`<div class=${`distance ${level}`}>
        <b>${word && html`<span class="level-word">${word}</span> `}${percent(row.distance)}</b>
        <span>to liquidation${parts.length > 0 && html` <span
            class="estimates">\u00b7 ${parts.join(" \u00b7 ")}</span>`}</span>
    </div>`;
}

/** What stands after the words: who decides, and how much of the budget is used. */
function budget(next, quote, policy) {
    const told = [words(policy)];
    if (isNumber(next.adds_used) && isNumber(next.adds_most))
        told.push(`${next.adds_used} of ${next.adds_most} adds used`);
    if (isNumber(next.left_quote)) told.push(`${money(next.left_quote)} ${quote} may still be added`);
    return told.join(" \u00b7 ");
}

/** Which rung a clause of the bot's words is about: by its verb. */
const VERB_KINDS = [
    [/^adds/, "add"],
    [/^releases/, "release"],
    [/^the stop closes/, "stop"],
    [/^stop trails/, "trail"],
    [/^takes profit/, "take_profit"],
    [/^liquidated|^ALERT/, "liquidation"],
];

const kindOfClause = (text) => VERB_KINDS.find(([verb]) => verb.test(text))?.[1] ?? null;

function Clause({ text, isFirst }) {
    const kind = kindOfClause(text);
    return html`<p class="clause"><span class="faint">${isFirst ? "Next" : "or"}</span>
        ${kind ? html`<${Sign} kind=${kind} />` : html`<i />`}
        <span class=${`${kind ?? ""} ${isFirst ? "first" : ""}`}>${text.replaceAll("(-", "(\u2212")}</span>
            </p>`;
}

function NextAction({ row, quote, isStale, age }) {
    if (isStale) {
        return html`<div class="next"><p><span
            class="faint">Next</span> The bot holds: no fresh mark for ${span(age)}.
            The stop rests on the venue.</p></div>`;
    }
    const next = row.next_action ?? {};
    const clauses = String(next.text ?? "nothing is due").split("; ");
    return html`<div class="next">
        ${clauses.map((clause, index) => html`<${Clause} key=${index} text=${clause}
            isFirst=${index === 0} />`)}
        <p class="budget">${budget(next, quote, row.policy)}</p>
    </div>`;
}

function Fact({ name, children, className = "" }) {
    return html`<div><dt>${name}</dt><dd class=${className}>${children}</dd></div>`;
}

function marginNow(row) {
    const added = row.margin_added_quote;
    if (!isNumber(added) || Math.abs(added) < 0.005) return money(row.isolated_wallet_quote);
    return html`${money(row.isolated_wallet_quote)} <span class="faint">${money(Math.abs(added))} ${
        added > 0 ? "added" : "released"
    }</span>`;
}

function Funding({ funding, now }) {
    if (!funding) return "none due";
    const left = funding.at_ms - now;
    const amount = money(Math.abs(funding.due_quote));
    const way = amount === "0.00" ? "" : funding.due_quote > 0 ? "pays " : "gets ";
    const kind = { "pays ": "bad", "gets ": "good" }[way] ?? "";
    return html`<span class=${kind}>${way}${amount}</span>
        ${" "}<span class="faint">${left > 0 ? `in ${span(left)}` : "now"}</span>`;
}

function Stop({ stop, now, decimals }) {
    if (!stop) return html`<span class="bad">\u26a0 none rests</span>`;
    const seen = isNumber(stop.confirmed_ms)
        ? `seen ${span(Math.floor((now - stop.confirmed_ms) / 1000) * 1000).replace(".0", "")} ago`
        : "not confirmed yet";
    return html`${price(stop.price, decimals)} <span class="faint">${seen}</span>`;
}

function Facts({ row, marketNow }) {
    const unrealised = row.unrealised_pnl_quote;
    const gain = (row.mark / row.entry_price - 1) * (row.side === "short" ? -1 : 1);
    return html`<dl class="facts">
        <${Fact} name="Margin now" className="wide">${marginNow(row)}<//>
        <${Fact} name="Unrealised" className=${unrealised < 0 ? "bad" : "good"}>${signedMoney(unrealised)}<//>
        <${Fact} name="Equity in it">${money(row.equity_quote)}<//>
        <${Fact} name="Margin ratio">${percent(row.margin_ratio)}<//>
        <${Fact} name="Funding"><${Funding} funding=${row.funding} now=${marketNow} /><//>
        <${Fact} name="Stop"><${Stop} stop=${row.stop} now=${marketNow} decimals=${row.price_decimals} /><//>
        <${Fact} name="Position">${quantity(row.quantity)}\u00a0${coin(row.symbol)}
            <span class="faint"> = ${money(row.notional_quote)}</span><//>
        <${Fact} name="Entry">${price(row.entry_price, row.price_decimals)}
            <span class="faint"> ${signedPercent(gain)}</span><//>
    </dl>`;
}

function Actions({ row, onAct, isStale }) {
    const name = `${pair(row.symbol)} ${row.side}`;
    return html`<div class="actions" role="group" aria-label=${`What you can do with ${name}`}>
        ${VERBS.map(
            ([
                verb,
                text,
            ]) => html`<button key=${verb} data-verb=${verb} onClick=${() => onAct(verb, row.symbol)}
            aria-label=${`${text}: ${name}`} disabled=${isStale && verb === "release"}>${text}</button>`,
        )}
    </div>`;
}

/** `marketNow`: the market's time, which funding and confirmations are counted from. */
export function PositionCard({ row, quote, isSilent, silent, marketNow, onAct, isMoved = false }) {
    const isStale = isSilent || row.is_stale;
    const age = (row.mark_age_ms ?? 0) + silent;
    const level = levelOf(row, isStale);
    return html`<section class=${`card position ${level} ${isMoved ? "just-moved" : ""}`}
        data-symbol=${row.symbol}
        aria-label=${`${pair(row.symbol)} ${row.side}`}>
        <div class="card-head"><${Identity} row=${row} /><${Distance} row=${row} level=${level} /></div>
        <p class="hidden" role="status">${isMoved && `${pair(row.symbol)}: margin has just been moved.`}</p>
        ${isStale && html`<p class="stale-note">\u26a0 Last known: the newest mark is ${span(age)} old.</p>`}
        ${row.alerts?.length > 0 && html`<p class="card-alerts"
            role="status">\u26a0 ${row.alerts.map(words).join(", ")}: see the journal.</p>`}
        <${Ladder} position=${row} />
        <${NextAction} row=${row} quote=${quote} isStale=${isStale} age=${age} />
        <${Facts} row=${row} marketNow=${marketNow} />
        <${Actions} row=${row} onAct=${onAct} isStale=${isStale} />
    </section>`;
}
