/** A table that becomes a list of small cards on a phone; the columns that are asked for come first. */
import { html } from "./html.js";
import { heading, isRight, shown } from "./cells.js";

/** Every key that any row has: the wanted ones that exist in their order, then, if asked, the others. */
function columnsOf(rows, wanted, hasOthers) {
    const keys = [...new Set(rows.flatMap(Object.keys))];
    const first = wanted.filter((name) => keys.includes(name));
    return hasOthers || first.length === 0
        ? [...first, ...keys.filter((name) => !first.includes(name))]
        : first;
}

/** `columns`: names in their order; `cells`: functions of a row by name, where a value is not enough. */
export function Table({ rows, columns = [], names = {}, cells = {}, caption, hasOthers = false }) {
    const keys = columnsOf(rows, columns, hasOthers);
    const right = new Set(keys.slice(1).filter((name) => isRight(rows, name)));
    const title = (name) => names[name] ?? heading(name);
    return html`<div class="table-place" tabindex="0" role="region" aria-label=${caption}><table class="rows">
        <caption class="hidden">${caption}</caption>
        <thead><tr>${keys.map((name) => html`<th key=${name} scope="col"
            class=${right.has(name) ? "right" : ""}>${title(name)}</th>`)}</tr></thead>
        <tbody>${rows.map(
            (row, index) =>
                html`<tr key=${row.id ?? index}>${keys.map(
                    (name) => html`
            <td key=${name} data-name=${title(name)} class=${right.has(name) ? "right" : ""}>
                ${cells[name] ? cells[name](row) : shown(name, row[name])}</td>`,
                )}</tr>`,
        )}
        </tbody></table></div>`;
}

const LONG = 44; // signs that need a line of their own

/** Names with their values, for an answer that is no list. */
export function Values({ values, skipped = [], unit = "" }) {
    const entries = Object.entries(values).filter(
        ([name, value]) => !skipped.includes(name) && typeof value !== "object",
    );
    return html`<dl class="values">${entries.map(
        ([name, value]) => html`
        <div key=${name} class=${String(value).length > LONG ? "wide" : ""}><dt>${heading(name)}</dt><dd>
            ${shown(name + unit, value)}</dd></div>`,
    )}</dl>`;
}
