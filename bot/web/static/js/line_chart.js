/**
 * Lines over time by uPlot, in the colours of the page; each line has a dash of its own beside its colour.
 */
import uPlot from "../vendor/uplot/uplot.js";
import { html, useEffect, useRef } from "./html.js";
import { utcClock, utcDate } from "./time.js";
import { colour, onTheme } from "./theme.js";

const DASHES = [[], [6, 4], [2, 3]];

function axis(extra) {
    return {
        stroke: colour("dim"),
        grid: { stroke: colour("line"), width: 1 },
        ticks: { stroke: colour("line"), width: 1 },
        ...extra,
    };
}

const timeText = (seconds) => `${utcDate(seconds * 1000)} ${utcClock(seconds * 1000)} UTC`;

/** Times of day on a 24-hour clock; the date where a day begins, and at the first. */
function timeTicks(_, ticks) {
    let day = "";
    const isLong = ticks.length > 1 && ticks[1] - ticks[0] >= 86_400;
    return ticks.map((seconds) => {
        const date = utcDate(seconds * 1000).slice(5);
        const clock = isLong ? "" : utcClock(seconds * 1000).slice(0, 5);
        const text = date === day ? clock : [clock, date].filter(Boolean).join("\n");
        day = date;
        return text;
    });
}

/** The width of an axis that its longest number needs. */
const roomFor = (_, texts) => 20 + 7.5 * Math.max(4, ...(texts ?? []).map((text) => text?.length ?? 0));

function optionsOf(series, width, height, label) {
    const scales = [...new Set(series.map((line) => line.scale))];
    return {
        width,
        height,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
        cursor: { y: false, points: { size: 6 } },
        legend: { live: true },
        scales: Object.fromEntries(scales.map((name) => [name, { auto: true }])),
        axes: [
            axis({ values: timeTicks, space: 70 }),
            ...scales.map((name, index) =>
                axis({
                    scale: name,
                    side: index === 0 ? 3 : 1,
                    size: roomFor,
                    grid: { show: index === 0, stroke: colour("line"), width: 1 },
                    values: (_, ticks) => ticks.map(series.find((line) => line.scale === name).text),
                }),
            ),
        ],
        series: [
            { label, value: (_, seconds) => (seconds === null ? "" : timeText(seconds)) },
            ...series.map((line, index) => ({
                label: line.name,
                scale: line.scale,
                stroke: colour(line.colour),
                width: 1.75,
                dash: DASHES[index % 3],
                value: (_, value) => (value === null || value === undefined ? "" : line.text(value)),
                points: { show: false },
                spanGaps: Boolean(line.isJoined),
            })),
        ],
    };
}

/**
 * `x`: seconds; `series`: `{name, values, colour, scale, text}`. `summary` says in words what the lines show.
 */
export function LineChart({ x, series, height = 220, summary }) {
    const place = useRef(null);
    useEffect(() => {
        const element = place.current;
        let chart = null;
        const draw = () => {
            chart?.destroy();
            chart = new uPlot(
                optionsOf(series, element.clientWidth, height, "Time"),
                [x, ...series.map((line) => line.values)],
                element,
            );
        };
        draw();
        const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
        observer.observe(element);
        const forget = onTheme(draw);
        return () => {
            forget();
            observer.disconnect();
            chart.destroy();
        };
    }, [x, series, height]);
    return html`<div class="line-chart" ref=${place} role="img" aria-label=${summary}></div>`;
}
