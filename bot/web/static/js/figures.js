/** Numbers and lengths of time as the pages write them: fixed digits, thousands separated, a true minus. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NARROW = "\u00a0"; // between a number and its unit, so that they stay on one line

const formats = new Map();

function fixed(value, decimals) {
    let format = formats.get(decimals);
    if (!format) {
        format = new Intl.NumberFormat("en-US", {
            minimumFractionDigits: decimals,
            maximumFractionDigits: decimals,
            signDisplay: "negative",
        });
        formats.set(decimals, format);
    }
    return format.format(value).replace("-", "\u2212");
}

export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** An amount with two decimals, "none" where there is no number. */
export const money = (amount) => (isNumber(amount) ? fixed(amount, 2) : "none");

/** A whole amount, for the strip, which has little room. */
export const wholeMoney = (amount) => (isNumber(amount) ? fixed(amount, 0) : "none");

export function signedMoney(amount) {
    if (!isNumber(amount)) return "none";
    const text = fixed(amount, 2);
    return amount > 0 && text !== "0.00" ? `+${text}` : text;
}

export const price = (value, decimals) => (isNumber(value) ? fixed(value, decimals ?? 2) : "none");

/** A base quantity or a multiple without trailing zeros. */
export const quantity = (value) =>
    isNumber(value) ? new Intl.NumberFormat("en-US", { maximumFractionDigits: 8 }).format(value) : "none";

/** A fraction as percent with one decimal. */
export const percent = (fraction, decimals = 1) =>
    isNumber(fraction) ? `${fixed(fraction * 100, decimals)}${NARROW}%` : "none";

export function signedPercent(fraction, decimals = 1) {
    const text = percent(fraction, decimals);
    return isNumber(fraction) && fraction > 0 && !/^0(\.0*)?\s/.test(text) ? `+${text}` : text;
}

/** A chance: two digits are all an estimate can carry. */
export function chance(value) {
    if (!isNumber(value)) return "unknown";
    if (value > 0 && value < 0.001) return `under 0.1${NARROW}%`;
    return percent(value, value >= 0.1 ? 0 : 1);
}

const two = (value) => String(value).padStart(2, "0");

/** A length of time in its two leading units: 0.8 s, 14 s, 2 m 10 s, 3 h 05 m, 2 d 4 h. */
export function span(milliseconds) {
    if (!isNumber(milliseconds)) return "unknown";
    const ms = Math.max(0, milliseconds);
    if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)}${NARROW}s`;
    if (ms < MINUTE) return `${Math.floor(ms / SECOND)}${NARROW}s`;
    if (ms < HOUR)
        return `${Math.floor(ms / MINUTE)}${NARROW}m ${two(Math.floor((ms % MINUTE) / SECOND))}${NARROW}s`;
    if (ms < DAY)
        return `${Math.floor(ms / HOUR)}${NARROW}h ${two(Math.floor((ms % HOUR) / MINUTE))}${NARROW}m`;
    return `${Math.floor(ms / DAY)}${NARROW}d ${Math.floor((ms % DAY) / HOUR)}${NARROW}h`;
}

/** A unified symbol without its settlement part: BTC/USDT:USDT -> BTC/USDT. */
export const pair = (symbol) => symbol.split(":")[0];

/** The base of a unified symbol: BTC/USDT:USDT -> BTC. */
export const coin = (symbol) => symbol.split("/")[0];

export const counted = (count, noun) => `${fixed(count, 0)} ${noun}${count === 1 ? "" : "s"}`;

/** A name of the program as a person reads it: stop_anchor -> stop anchor. */
export const words = (name) => String(name ?? "").replaceAll("_", " ");
