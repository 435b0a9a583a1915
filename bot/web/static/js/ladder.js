/** The ladder: every protective rule of a position as one price on one rail, drawn to scale. */
import { html, useLayoutEffect, useRef, useState } from "./html.js";
import { money, price as priceText, signedMoney } from "./figures.js";
import { placeLabels } from "./ladder_labels.js";
import { chooseStretch, shareOf } from "./ladder_scale.js";
import { widthOf } from "./measure.js";
import { Sign, kindOf, labelName } from "./rungs.js";
import { utcClock, utcDate } from "./time.js";

const MOST_PAST_MOVES = 40;

/** The width of an element in pixels, now and after every change of it. */
function useWidth(ref) {
    const [width, setWidth] = useState(0);
    useLayoutEffect(() => {
        setWidth(ref.current.clientWidth);
        const observer = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
        observer.observe(ref.current);
        return () => observer.disconnect();
    }, []);
    return width;
}

/**
 * The rungs to draw, the mark apart; liquidation and entry are added where the bot lists them only as fields.
 */
export function drawn(position) {
    const rungs = position.rungs.filter((rung) => rung.kind !== "mark" && rung.price > 0);
    const has = (kind) => rungs.some((rung) => rung.kind === kind);
    if (position.liquidation_price > 0 && !has("liquidation")) {
        rungs.push({ kind: "liquidation", price: position.liquidation_price, amount_quote: null, note: "" });
    }
    if (position.entry_price > 0 && !has("entry")) {
        rungs.push({ kind: "entry", price: position.entry_price, amount_quote: null, note: "" });
    }
    return rungs;
}

/** A rung with its place: `x` in pixels on the rail, `edge` -1 or 1 where it lies outside of the stretch. */
function located(rung, index, stretch, width) {
    const share = shareOf(stretch, rung.price);
    const edge = share < 0 ? -1 : share > 1 ? 1 : 0;
    return { ...rung, id: `${rung.kind}-${index}`, edge, x: Math.min(Math.max(share, 0), 1) * width };
}

function labelOf(rungs, decimals) {
    const [first] = rungs;
    const name = rungs.length > 1 ? `${rungs.length} ${kindOf(first.kind).name}s` : labelName(first);
    const shown = rungs.map((rung) => priceText(rung.price, decimals)).join(" \u00b7 ");
    const value = first.edge < 0 ? `\u2190 ${shown}` : first.edge > 0 ? `${shown} \u2192` : shown;
    return {
        id: first.id,
        kind: first.kind,
        edge: first.edge,
        x: first.x,
        name,
        value,
        width: Math.max(widthOf(name, "label-name") + 15, widthOf(value, "label-price")),
        weight: kindOf(first.kind).weight,
        isOptional: first.kind === "entry",
    };
}

/** One label for each rung; those of one kind that lie beyond the same end share one. */
function labelled(rungs, decimals) {
    const groups = new Map();
    for (const rung of rungs) {
        const key = rung.edge === 0 ? rung.id : `${rung.kind} ${rung.edge}`;
        groups.set(key, [...(groups.get(key) ?? []), rung]);
    }
    return [...groups.values()].map((group) => labelOf(group, decimals));
}

function Rung({ rung }) {
    const style = { transform: `translateX(${rung.x}px)` };
    return html`<div class=${`rung ${rung.kind}`} style=${style} data-kind=${rung.kind}
        data-price=${rung.price}
        data-edge=${rung.edge} title=${rung.note || undefined}>
        ${rung.edge === 0 && html`<i class="tick" />`}
    </div>`;
}

function Label({ rung, place }) {
    const leader = { transform: `translateX(${rung.x}px)` };
    const box = { transform: `translateX(${Math.round(place.left)}px)`, width: `${rung.width}px` };
    const share = (rung.x - place.left) / rung.width;
    const align = share < 0.25 ? "starts" : share > 0.75 ? "ends" : "";
    return html`
        ${rung.edge === 0 && html`<i class=${`leader ${rung.kind} lane-${place.lane}`} style=${leader} />`}
        <div class=${`label ${rung.kind} lane-${place.lane} ${align}`} style=${box} data-label=${rung.kind}>
            <span class="label-name"><${Sign} kind=${rung.kind} size=${11} /> ${rung.name}</span>
            <span class="label-price">${rung.value}</span>
        </div>`;
}

function Mark({ position, x, width }) {
    const text = priceText(position.mark, position.price_decimals);
    const widest = Math.max(widthOf("mark", "label-name"), widthOf(text, "label-price mark-price"));
    const half = Math.ceil(widest / 2) + 2;
    const left = Math.round(Math.min(Math.max(x - half, 0), Math.max(0, width - 2 * half)));
    return html`
        <div class="label mark" style=${{ transform: `translateX(${left}px)`, width: `${2 * half}px` }}
            data-label="mark">
            <span class="label-name">mark</span><span class="label-price mark-price">${text}</span>
        </div>
        <div class="rung mark" style=${{ transform: `translateX(${x}px)` }} data-kind="mark"
            data-price=${position.mark}>
            <span class="seat"><${Sign} kind="mark" size=${16} /></span>
        </div>`;
}

/** Where margin was moved before: faint, above the rail for an add and below it for a release. */
function PastMoves({ position, stretch, width }) {
    const moves = (position.past_moves ?? []).slice(-MOST_PAST_MOVES);
    return moves.map((move) => {
        const share = shareOf(stretch, move.price);
        if (share < 0 || share > 1) return null;
        const what =
            `${signedMoney(move.amount_quote)} at ${priceText(move.price, position.price_decimals)}, ` +
            `${utcDate(move.ts_ms)} ${utcClock(move.ts_ms)} UTC`;
        return html`<i key=${`${move.ts_ms}`} class=${`past ${move.amount_quote > 0 ? "added" : "released"}`}
            title=${what}
            style=${{ transform: `translateX(${share * width}px)` }} />`;
    });
}

/** The rail's stretches: past liquidation, and what is left between liquidation and the mark. */
function Rail({ liquidationX, markX, width }) {
    const room = liquidationX === null ? 0 : Math.max(0, markX - liquidationX);
    return html`
        <div class="rail" />
        ${liquidationX > 0 && html`<div class="past-liquidation"
            style=${{ width: `${Math.min(liquidationX, width)}px` }} />`}
        ${
            room > 0 &&
            html`<div class="room"
            style=${{ transform: `translateX(${Math.max(liquidationX, 0)}px)`, width: `${room}px` }} />`
        }`;
}

/** The same in one sentence, for those who do not see it. */
export function spoken(position) {
    const stops = drawn(position).sort((a, b) => a.price - b.price);
    const told = stops.map((rung) => `${labelName(rung)} ${priceText(rung.price, position.price_decimals)}`);
    return `Ladder of prices. Mark ${priceText(position.mark, position.price_decimals)}; ${told.join("; ")}.`;
}

export function Ladder({ position }) {
    const ref = useRef(null);
    const kept = useRef(null);
    const width = useWidth(ref);
    const stretch = chooseStretch(position, kept.current);
    kept.current = stretch;
    const isReady = width > 0;
    const rungs = isReady ? drawn(position).map((rung, index) => located(rung, index, stretch, width)) : [];
    const labels = labelled(rungs, position.price_decimals);
    const places = placeLabels(labels, width);
    const lanes = Math.max(1, ...places.map((place) => place.lane + 1));
    const markX = shareOf(stretch, position.mark) * width;
    const liquidation = rungs.find((rung) => rung.kind === "liquidation");
    const liquidationX = liquidation ? shareOf(stretch, liquidation.price) * width : null;
    return html`<div class=${`ladder lanes-${Math.min(lanes, 6)}`} role="img" aria-label=${spoken(position)}>
        <div class="ladder-inner" ref=${ref} data-from=${stretch.from} data-to=${stretch.to}>
            ${
                isReady &&
                html`
                <${Rail} liquidationX=${liquidationX} markX=${markX} width=${width} />
                <${PastMoves} position=${position} stretch=${stretch} width=${width} />
                ${rungs.map((rung) => html`<${Rung} key=${rung.id} rung=${rung} />`)}
                ${places.map(
                    (place) => html`<${Label} key=${`label-${place.id}`} place=${place}
                    rung=${labels.find((label) => label.id === place.id)} />`,
                )}
                <${Mark} position=${position} x=${markX} width=${width} />`
            }
        </div>
        ${position.side === "short" && markX < width - 130 && html`<span
            class="falls">price falls \u2192</span>`}
    </div>`;
}

/** What a past or coming move does to the margin, for a title or a list. */
export const moveWords = (amount) => (amount > 0 ? `added ${money(amount)}` : `released ${money(-amount)}`);
