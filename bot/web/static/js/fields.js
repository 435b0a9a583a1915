/**
 * The fields of a calculator's form, which are the flags of the command line; what is typed goes as it is.
 * Pure.
 */
import { heading } from "./cells.js";

const TAKES = { PRICE: "a price", PERCENT: "a percentage", QUOTE: "an amount in quote", TEXT: "" };

/** `{name, kind, title, hint, choices, isRequired}` of each field; kind is text, list, choice or switch. */
export function fieldsOf(calculator) {
    return calculator.fields.map((field) => ({
        name: field.name,
        kind: field.choices.length ? "choice" : field.kind,
        title: heading(field.name),
        takes:
            field.choices.length || field.kind === "switch"
                ? ""
                : (TAKES[field.metavar] ?? field.metavar.toLowerCase()),
        hint: field.meaning,
        choices: field.choices,
        isRequired: field.is_required,
    }));
}

/** What a field begins with. */
export const beginning = (field) =>
    field.kind === "switch" ? false : field.kind === "choice" && field.isRequired ? field.choices[0] : "";

/** `{value}`, `{missing: true}` for an empty optional field, or `{wrong}` in words. */
export function valueOf(field, typed) {
    if (field.kind === "switch") return typed ? { value: true } : { missing: true };
    const written = String(typed).trim();
    if (written === "") return field.isRequired ? { wrong: "This is needed." } : { missing: true };
    return { value: field.kind === "list" ? written.split(/[\s;]+/).filter(Boolean) : written };
}
