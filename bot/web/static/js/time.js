/** Instants in UTC, which every exchange and the journal write, and in the reader's own time beside it. */
import { html } from "./html.js";
import { isNumber } from "./figures.js";

const two = (value) => String(value).padStart(2, "0");

export function utcClock(ms) {
    const at = new Date(ms);
    return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

export function utcDate(ms) {
    const at = new Date(ms);
    return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
}

/** The local time of day, with the day where it is another one than in UTC; "" where both are the same. */
export function localClock(ms) {
    const at = new Date(ms);
    if (at.getTimezoneOffset() === 0) return "";
    const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
    return at.getDate() === at.getUTCDate() ? clock : `${clock} on the ${at.getDate()}.`;
}

/** One instant: the time of day in UTC, the date before it when asked, local time small behind it. */
export function Instant({ ms, withDate = false }) {
    if (!isNumber(ms)) return html`<span class="faint">unknown</span>`;
    const local = localClock(ms);
    const date = withDate ? `${utcDate(ms)} ` : "";
    return html`<time class="instant" datetime=${new Date(ms).toISOString()} title=${utcDate(ms)}
        >${date}${utcClock(ms)}<span class="faint"> UTC${local && `, ${local} here`}</span></time>`;
}
