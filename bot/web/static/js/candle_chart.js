/** Candles of the mark with the prices that matter kept in view, and a marker for each margin move. */
import {
    CandlestickSeries,
    LineStyle,
    createChart,
    createSeriesMarkers,
} from "../vendor/lightweight-charts/lightweight-charts.js";
import { html, useEffect, useRef } from "./html.js";
import { price as priceText, signedMoney, words } from "./figures.js";
import { utcClock, utcDate } from "./time.js";
import { colour, onTheme } from "./theme.js";

const SHOWN = { wide: 160, narrow: 70 }; // candles in view at first; older ones are reached by dragging
const NARROW = 560; // pixels below which names stand in the legend only

/** The prices that are drawn as lines: what each is, its colour and how it is drawn. */
export function linesOf(row) {
    const next =
        row.rungs.find((rung) => rung.kind === row.next_action?.kind && rung.liquidation_after > 0) ??
        row.rungs.find((rung) => rung.liquidation_after > 0);
    const lines = [
        { name: "entry", value: row.entry_price, colour: "entry", style: LineStyle.Dotted },
        { name: "stop", value: row.stop?.price, colour: "stop", style: LineStyle.Solid },
        { name: "liquidation", value: row.liquidation_price, colour: "liquidation", style: LineStyle.Solid },
        {
            name: `liquidation after ${next?.kind ?? ""}`,
            value: next?.liquidation_after,
            colour: "liquidation",
            style: LineStyle.Dashed,
        },
    ];
    return lines.filter((line) => line.value > 0);
}

const isNarrow = (place) => place.clientWidth < NARROW;

const markerOf = (move, hasReason) => {
    const isAdd = move.amount_quote > 0;
    return {
        time: Math.floor(move.ts_ms / 1000),
        position: isAdd ? "belowBar" : "aboveBar",
        color: colour(isAdd ? "add" : "release"),
        shape: isAdd ? "arrowUp" : "arrowDown",
        text: [signedMoney(move.amount_quote), hasReason ? words(move.reason) : ""].join(" "),
    };
};

const openedMarker = (row) => ({
    time: Math.floor(row.opened_ms / 1000),
    position: row.side === "short" ? "aboveBar" : "belowBar",
    color: colour("entry"),
    shape: "circle",
    text: `opened ${row.side}`,
});

/** Each marker on the candle that was open then: a time between candles would be drawn nowhere. */
function seated(row, moves, bars, hasReasons) {
    const times = bars.map((bar) => bar.time);
    return [openedMarker(row), ...moves.map((move) => markerOf(move, hasReasons))]
        .sort((a, b) => a.time - b.time)
        .flatMap((marker) => {
            const time = times.findLast((one) => one <= marker.time);
            return time === undefined ? [] : [{ ...marker, time }];
        });
}

function looks() {
    const grid = { color: colour("line") };
    return {
        layout: {
            attributionLogo: false,
            background: { type: "solid", color: colour("card") },
            textColor: colour("dim"),
            fontFamily: getComputedStyle(document.body).fontFamily,
        },
        grid: { vertLines: grid, horzLines: grid },
        rightPriceScale: { borderColor: colour("line") },
        timeScale: { borderColor: colour("line"), timeVisible: true, rightOffset: 4 },
    };
}

const candleLooks = () => ({
    upColor: colour("take_profit"),
    wickUpColor: colour("take_profit"),
    borderUpColor: colour("take_profit"),
    downColor: colour("card"),
    wickDownColor: colour("bad"),
    borderDownColor: colour("bad"),
    priceLineVisible: false,
});

/** Write the prices in view on the element, where whoever cannot read a canvas finds them. */
function note(place, chart) {
    if (!place.isConnected) return;
    const seen = chart.priceScale("right").getVisibleRange();
    if (seen) Object.assign(place.dataset, { low: seen.from, high: seen.to });
    else requestAnimationFrame(() => note(place, chart)); // not laid out yet
}

/** The chart made of its parts, and how to change them. */
function made(place, decimals) {
    const chart = createChart(place, {
        ...looks(),
        autoSize: true,
        handleScroll: { vertTouchDrag: false },
        localization: {
            timeFormatter: (seconds) => `${utcDate(seconds * 1000)} ${utcClock(seconds * 1000)} UTC`,
        },
    });
    let kept = [];
    const series = chart.addSeries(CandlestickSeries, {
        ...candleLooks(),
        priceFormat: {
            type: "custom",
            minMove: 10 ** -decimals,
            formatter: (value) => priceText(value, decimals),
        },
        autoscaleInfoProvider: (original) => {
            const found = original();
            if (!found || !found.priceRange || kept.length === 0) return found;
            const { minValue, maxValue } = found.priceRange;
            return {
                ...found,
                priceRange: { minValue: Math.min(minValue, ...kept), maxValue: Math.max(maxValue, ...kept) },
            };
        },
    });
    const markers = createSeriesMarkers(series, []);
    let drawn = [];
    const show = (row, bars, moves) => {
        kept = linesOf(row).map((line) => line.value);
        drawn.forEach((line) => series.removePriceLine(line));
        drawn = linesOf(row).map((line) =>
            series.createPriceLine({
                price: line.value,
                color: colour(line.colour),
                lineStyle: line.style,
                lineWidth: 1,
                title: isNarrow(place) ? "" : line.name,
                axisLabelVisible: true,
            }),
        );
        series.setData(bars);
        markers.setMarkers(seated(row, moves, bars, !isNarrow(place)));
        requestAnimationFrame(() => note(place, chart));
    };
    return { chart, series, show };
}

/** The candle that is still open: from the last close to the mark, its ends as far as this page saw it. */
function growing(open, row, nowMs, frameMs, last) {
    const time = Math.floor(nowMs / frameMs) * (frameMs / 1000);
    if (!last || time <= last.time) return null;
    const had = open?.time === time ? open : { time, open: last.close, high: last.close, low: last.close };
    return { ...had, close: row.mark, high: Math.max(had.high, row.mark), low: Math.min(had.low, row.mark) };
}

/** `nowMs`: the market's time; `frameMs`: how long a candle is. */
export function CandleChart({ row, candles, moves, nowMs, frameMs }) {
    const place = useRef(null);
    const parts = useRef(null);
    const bars = candles.map((candle) => ({
        time: Math.floor(candle.ts_ms / 1000),
        open: candle.open,
        high: candle.high,
        low: candle.low,
        close: candle.close,
    }));
    const drawing = useRef(null);
    drawing.current = () => parts.current.show(row, bars, moves);
    useEffect(() => {
        parts.current = made(place.current, row.price_decimals);
        const forget = onTheme(() => {
            parts.current.chart.applyOptions(looks());
            parts.current.series.applyOptions(candleLooks());
            drawing.current();
        });
        return () => {
            forget();
            parts.current.chart.remove();
        };
    }, [row.symbol]);
    useEffect(() => {
        const shown = isNarrow(place.current) ? SHOWN.narrow : SHOWN.wide;
        const view = { from: bars.length - shown, to: bars.length + 4 };
        parts.current.chart.timeScale().setVisibleLogicalRange(view);
    }, [row.symbol]);
    useEffect(() => drawing.current(), [candles, moves, row.liquidation_price, row.stop?.price]);
    const open = useRef(null);
    useEffect(() => {
        open.current = growing(open.current, row, nowMs, frameMs, bars.at(-1));
        if (open.current) parts.current.series.update(open.current);
    }, [candles, row.mark]);
    const told = linesOf(row)
        .map((line) => `${line.name} ${priceText(line.value, row.price_decimals)}`)
        .join(", ");
    return html`<div class="candle-chart" ref=${place} role="img"
        aria-label=${`Candles of the mark. Lines: ${told}.`}></div>`;
}
