/** A value as its name says: names of the API carry their unit, so one rule serves every table and form. */
import { html } from "./html.js";
import {
    chance,
    isNumber,
    money,
    pair,
    percent,
    price,
    quantity,
    signedMoney,
    span,
    words,
} from "./figures.js";
import { Instant } from "./time.js";

const FIRST_INSTANT = 1e11; // 1973
const SIGNED = /pnl|profit|result|amount|difference|saved|change|net|funding/;
const MONEY = /_quote$|(^|_)pnl$/;
const FRACTION =
    /((^|_)(fraction|distance|drawdown|return|rate|ratio|share|utilisation|shock)|distance_(before|after))$/;
const CHANCE = /(^|_)(probability|chance)(_24h|_before|_after)?$/;
const PRICE = /((^|_)(price|mark)|(price|mark)_(before|after))$/;
const MOST_DIGITS = 6;

function quote(name, value) {
    if (!SIGNED.test(name)) return money(value);
    return html`<span class=${value < 0 ? "bad" : value > 0 ? "good" : ""}>${signedMoney(value)}</span>`;
}

/** Decimals that show a price of unknown tick: about six digits. */
const digits = (value) =>
    Math.max(0, Math.min(8, 5 - Math.floor(Math.log10(Math.max(Math.abs(value), 1e-8)))));

/** A number without a unit, to six digits. */
const plain = (value) =>
    Number.isInteger(value) ? quantity(value) : quantity(Number(value.toPrecision(MOST_DIGITS)));

/** An instant for what is as large as one, else a length of time. */
function milliseconds(value) {
    if (value > FIRST_INSTANT) return html`<${Instant} ms=${value} withDate=${true} />`;
    return value < 1_000 ? `${Math.round(value)}\u00a0ms` : span(value);
}

function number(name, value) {
    if (/_ms$/.test(name)) return milliseconds(value);
    if (/_seconds$/.test(name)) return span(value * 1_000);
    if (MONEY.test(name)) return quote(name, value);
    if (CHANCE.test(name)) return chance(value);
    if (FRACTION.test(name)) return percent(value, 2);
    if (PRICE.test(name)) return price(value, digits(value));
    return plain(value);
}

/** The value as it is shown; objects and lists as short JSON. */
export function shown(name, value) {
    if (value === null || value === undefined || value === "") return html`<span class="faint">none</span>`;
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (isNumber(value)) return number(name, value);
    if (typeof value === "object") return html`<code>${JSON.stringify(value)}</code>`;
    if (name === "symbol") return html`<strong>${pair(value)}</strong>`;
    return /reason|policy|strategy|kind|cause|state|status|severity|event|level/.test(name)
        ? words(value)
        : String(value);
}

export const isRight = (rows, name) => rows.some((row) => isNumber(row[name])) && !/_ms$/.test(name);

const UNITS = /_(quote|ms|fraction|seconds)$/;

/** A heading of a column: its name without the unit, which the values show. */
export function heading(name) {
    const text = words(name.replace(/^ts_ms$/, "time").replace(UNITS, ""));
    return text[0].toUpperCase() + text.slice(1);
}
