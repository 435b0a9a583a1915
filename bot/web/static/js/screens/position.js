/**
 * One position: its card, the mark with what is around it, distance over time, what-if, and why things
 * happened.
 */
import { html, useEffect, useMemo, useState } from "../html.js";
import { ActionDialog, Consequence } from "../action_dialog.js";
import { positionPath, read } from "../api.js";
import { CandleChart, linesOf } from "../candle_chart.js";
import { isNumber, money, pair, percent, price, signedMoney, signedPercent } from "../figures.js";
import { isSilent, silentMs, useFeed, useNow } from "../feed.js";
import { LineChart } from "../line_chart.js";
import { MoveList } from "../moves.js";
import { PositionCard } from "../position_card.js";
import { Nothing, Reading, useReading } from "../reading.js";
import { Threads } from "../journal.js";

const ASK_AFTER_MS = 120;

function Legend({ row }) {
    return html`<ul class="legend">${linesOf(row).map(
        (line) => html`<li key=${line.name} class=${`${line.colour} style-${line.style}`}>
        <i aria-hidden="true" /> ${line.name} <strong>${price(line.value, row.price_decimals)}</strong></li>`,
    )}</ul>`;
}

/** Liquidation at each candle: it changed with every margin move and only then. */
function liquidationAt(row, moves) {
    const steps = [...moves].sort((a, b) => a.ts_ms - b.ts_ms);
    return (ms) => {
        const later = steps.find((move) => move.ts_ms > ms);
        return later ? later.liquidation_before : row.liquidation_price;
    };
}

function linesOverTime(row, data, moves) {
    const side = row.side === "short" ? -1 : 1;
    if (data.samples?.length) {
        return {
            x: data.samples.map((one) => one.ts_ms / 1000),
            distance: data.samples.map((one) => one.distance),
            ratio: data.samples.map((one) => one.margin_ratio),
        };
    }
    const at = liquidationAt(row, moves);
    const candles = data.candles.filter((candle) => candle.ts_ms >= row.opened_ms);
    const distance = candles.map((candle) => {
        const liquidation = at(candle.ts_ms);
        return isNumber(liquidation) ? (side * (candle.close - liquidation)) / candle.close : null;
    });
    return { x: candles.map((candle) => candle.ts_ms / 1000), distance, ratio: null };
}

function OverTime({ row, data, moves }) {
    const drawn = useMemo(() => {
        const { x, distance, ratio } = linesOverTime(row, data, moves);
        const text = (value) => percent(value);
        const series = [{ name: "distance", values: distance, colour: "add", scale: "distance", text }];
        if (ratio) series.push({ name: "margin ratio", values: ratio, colour: "stop", scale: "ratio", text });
        return { x, series };
    }, [data]);
    if (drawn.x.length < 2) return null;
    const has =
        drawn.series.length > 1 ? "Distance to liquidation and margin ratio" : "Distance to liquidation";
    return html`<section class="card"><h2>${has} over time</h2>
        <${LineChart} x=${drawn.x} series=${drawn.series}
            summary=${`${has} over time; now ${percent(row.distance)}.`} /></section>`;
}

/** The answer to the newest question; older answers are dropped. */
function useAnswer(path) {
    const [answer, setAnswer] = useState(null);
    useEffect(() => {
        if (path === null) {
            setAnswer(null);
            return undefined;
        }
        let isCurrent = true;
        const timer = setTimeout(
            () =>
                read(path).then(
                    (told) => isCurrent && setAnswer(told),
                    (trouble) => isCurrent && setAnswer({ refusal: `${trouble.title}. ${trouble.detail}` }),
                ),
            ASK_AFTER_MS,
        );
        return () => {
            isCurrent = false;
            clearTimeout(timer);
        };
    }, [path]);
    return answer;
}

function Slider({ name, value, setValue, least, most, step, text }) {
    return html`<label class="slider"><span>${name} <strong>${text}</strong></span>
        <input type="range" min=${least} max=${most} step=${step} value=${value}
            onInput=${(event) => setValue(Number(event.target.value))} /></label>`;
}

function WhatIf({ row, quote }) {
    const [change, setChange] = useState(0);
    const [move, setMove] = useState(0);
    const asked = [];
    if (change > 0) asked.push(`add_quote=${change}`);
    if (change < 0) asked.push(`release_quote=${-change}`);
    const at = row.mark * (1 + move / 100);
    const shifted = `${price(at, row.price_decimals)} (${signedPercent(move / 100)})`;
    if (move !== 0) asked.push(`price=${at.toFixed(row.price_decimals)}`);
    const answer = useAnswer(asked.length ? `${positionPath(row.symbol)}/what-if?${asked.join("&")}` : null);
    const step = 10 ** Math.max(0, Math.floor(Math.log10(row.isolated_wallet_quote)) - 2);
    const most = Math.max(10, Math.ceil(row.isolated_wallet_quote / step) * step);
    return html`<section class="card what-if"><h2>What if</h2>
        <p class="faint">Nothing is sent: this asks the calculators only.</p>
        <${Slider} name="Margin" value=${change} setValue=${setChange} least=${-most} most=${most}
            step=${step}
            text=${change === 0 ? "as it is" : `${signedMoney(change)} ${quote}`} />
        <${Slider} name="Mark" value=${move} setValue=${setMove} least=${-20} most=${20} step=${0.5}
            text=${move === 0 ? "as it is" : shifted} />
        <${Consequence} row=${row}
            after=${asked.length === 0 ? row0(row) : answer?.refusal ? null : answer} />
        <p class="refusal" role="status">${answer?.refusal && asked.length > 0 && `\u26a0 ${answer.refusal}`}
            </p>
        <button onClick=${() => {
            setChange(0);
            setMove(0);
        }} disabled=${asked.length === 0}>As it is</button>
    </section>`;
}

/** The position as it is, in the form of an answer. */
const row0 = (row) => ({
    liquidation_price: row.liquidation_price,
    distance: row.distance,
    probability_24h: row.probability_24h,
    wallet_quote: row.isolated_wallet_quote,
    margin_ratio: row.margin_ratio,
});

function Details({ row, data, quote, nowMs }) {
    const moves = data.moves ?? [];
    return html`
        <section class="card"><h2>Mark of ${pair(row.symbol)}</h2>
            ${
                data.candles?.length
                    ? html`<${CandleChart} row=${row} candles=${data.candles} moves=${moves}
                nowMs=${nowMs} frameMs=${data.timeframe_ms} /><${Legend} row=${row} />`
                    : html`<p class="faint">No candle has closed yet.</p>`
            }</section>
        ${data.candles?.length > 1 && html`<${OverTime} row=${row} data=${data} moves=${moves} />`}
        <div class="two"><${WhatIf} row=${row} quote=${quote} />
            <section class="card"><h2>Margin moves of this position</h2>
                ${moves.length ? html`<${MoveList} moves=${moves} positions=${[row]} />` : html`<p
                    class="faint">None yet: its margin is ${money(row.isolated_wallet_quote)} as posted.</p>`}
            </section></div>
        <section class="card"><h2>Journal</h2><p
            class="faint">What the bot asked of the venue and why, with every reply; newest first.</p>
            <${Threads} journal=${data.journal ?? []} requests=${data.requests ?? []} /></section>`;
}

export default function PositionScreen({ feed, rest }) {
    const [symbol] = rest;
    const state = useFeed(feed);
    const now = useNow(1_000);
    const [act, setAct] = useState(null);
    const reading = useReading(positionPath(symbol));
    const { board } = state;
    const isOld = isSilent(state, now);
    const row = board?.positions.find((one) => one.symbol === symbol);
    return html`<div class="page board"><div><a href="#/board" class="back">\u2190 All positions</a><h1>
        ${pair(symbol ?? "")}</h1></div>
        ${board && !row && html`<${Nothing}>This position is closed. <a
            href="#/trades">Its result stands under trades</a>.<//>`}
        ${
            row &&
            html`<${PositionCard} row=${row} quote=${board.quote} isSilent=${isOld}
                silent=${isOld ? silentMs(state, now) : 0}
            marketNow=${board.market_ts_ms} onAct=${(verb) => setAct(verb)} />`
        }
        ${row && html`<${Reading} reading=${reading}>${(data) => html`<${Details} row=${row} data=${data}
            quote=${board.quote} nowMs=${board.market_ts_ms} />`}<//>`}
        ${act && html`<${ActionDialog} verb=${act} row=${row} symbol=${symbol} quote=${board.quote}
            onClose=${() => setAct(null)} />`}
    </div>`;
}
