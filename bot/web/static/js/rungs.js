/** What each rung of a ladder is called and how it is drawn: a shape of its own beside its colour. */
import { html } from "./html.js";
import { money } from "./figures.js";

/** `weight`: who chooses a place first. `path`: drawn in a box of 12 by 12 around the rung's line. */
export const KINDS = {
    liquidation: { name: "liquidation", weight: 9, path: "M2 2l8 8M10 2l-8 8" },
    add: { name: "add", weight: 8, path: "M6 1v10M1 6h10" },
    stop: { name: "stop", weight: 7, path: "M2.5 2.5h7v7h-7z", isFilled: true },
    release: { name: "release", weight: 6, path: "M1 6h10" },
    take_profit: { name: "take-profit", weight: 5, path: "M6 .8L11.2 6 6 11.2.8 6z", isFilled: true },
    trail: { name: "trail stop", weight: 4, path: "M2 2l4 4-4 4M6.5 2l4 4-4 4" },
    entry: { name: "entry", weight: 1, path: "M6 2.2a3.8 3.8 0 1 0 0 7.6a3.8 3.8 0 1 0 0-7.6z" },
    mark: { name: "mark", weight: 10, path: "M1 2h10l-5 9z", isFilled: true },
};

export const kindOf = (name) => KINDS[name] ?? { name, weight: 2, path: "M6 1v10" };

/** The sign of a kind; the words always stand beside it, so a reader of the screen may skip it. */
export function Sign({ kind, size = 12 }) {
    const { path, isFilled } = kindOf(kind);
    return html`<svg class=${`sign ${kind}`} viewBox="0 0 12 12" width=${size} height=${size}
        aria-hidden="true">
        <path d=${path} class=${isFilled ? "filled" : "drawn"} /></svg>`;
}

/** What a label says above its price. */
export function labelName(rung) {
    const { name } = kindOf(rung.kind);
    const hasAmount = (rung.kind === "add" || rung.kind === "release") && rung.amount_quote > 0;
    return hasAmount ? `${name} ${money(rung.amount_quote)}` : name;
}
