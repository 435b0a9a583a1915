/** The fields of a form as a calculator describes them: a list of its own, or a JSON schema. Pure. */
import { heading } from "./cells.js";

const UNITS = { quote: "in quote", ms: "in milliseconds", fraction: "as a fraction: 0.05 is 5 %", seconds: "in seconds" };

function kindOf(schema) {
    if (schema.enum || schema.choices) return "choice";
    const type = schema.type ?? schema.kind ?? schema.anyOf?.map((one) => one.type).find((one) => one !== "null");
    if (type === "boolean" || type === "bool") return "boolean";
    if (["number", "integer", "float", "int"].includes(type)) return "number";
    return ["array", "object"].includes(type) ? "json" : "text";
}

function fieldOf(name, schema, isRequired) {
    const unit = schema.unit ?? UNITS[name.match(/_(quote|ms|fraction|seconds)$/)?.[1]] ?? "";
    return {
        name, kind: kindOf(schema), isRequired, hint: schema.description ?? schema.hint ?? schema.help ?? unit,
        title: schema.label ?? heading(name), choices: schema.enum ?? schema.choices ?? [], given: schema.default ?? null,
        least: schema.minimum ?? schema.exclusiveMinimum, most: schema.maximum,
        example: schema.example ?? schema.examples?.[0],
    };
}

/** `{name, kind, title, hint, choices, given, isRequired}` of each field; kind is text, number, boolean, choice or json. */
export function fieldsOf(calculator) {
    const described = calculator.fields ?? calculator.inputs ?? calculator.parameters;
    if (Array.isArray(described)) {
        return described.map((one) => fieldOf(one.name, one, one.is_required ?? one.required ?? one.default === undefined));
    }
    const schema = calculator.schema ?? calculator.input_schema ?? described ?? {};
    const required = new Set(schema.required ?? []);
    return Object.entries(schema.properties ?? {}).map(([name, one]) => fieldOf(name, one, required.has(name)));
}

/** The text a field begins with. */
export function beginning(field) {
    const value = field.given ?? (field.isRequired ? field.example : undefined);
    if (value === undefined || value === null) return field.kind === "boolean" ? false : "";
    if (field.kind === "boolean") return Boolean(value);
    return field.kind === "json" ? JSON.stringify(value) : String(value);
}

/** `{value}`, `{missing: true}` for an empty optional field, or `{wrong}` in words. */
export function valueOf(field, text) {
    if (field.kind === "boolean") return { value: Boolean(text) };
    const written = String(text).trim();
    if (written === "") return field.isRequired ? { wrong: "This is needed." } : { missing: true };
    if (field.kind === "number") {
        const value = Number(written.replaceAll(",", ""));
        return Number.isFinite(value) ? { value } : { wrong: "This is not a number." };
    }
    if (field.kind !== "json") return { value: written };
    try {
        return { value: JSON.parse(written) };
    } catch {
        return { wrong: "This is not JSON." };
    }
}
