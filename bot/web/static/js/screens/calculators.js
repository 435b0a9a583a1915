/** Every calculator of the command line as a form. Nothing here touches a position. */
import { html, useEffect, useMemo, useState } from "../html.js";
import { post } from "../api.js";
import { heading, shown } from "../cells.js";
import { words } from "../figures.js";
import { beginning, fieldsOf, valueOf } from "../fields.js";
import { Nothing, Reading, TroubleNote, useReading } from "../reading.js";
import { Table, Values } from "../table.js";

function Input({ field, id, value, set }) {
    const shared = { id, "aria-describedby": `${id}-hint`, onInput: (event) => set(event.target.value) };
    if (field.kind === "choice") {
        return html`<select ...${shared} value=${value}>${!field.isRequired && html`<option
            value="">not given</option>`}
            ${field.choices.map((one) => html`<option key=${one} value=${one}
                selected=${String(one) === String(value)}>${words(one)}</option>`)}</select>`;
    }
    if (field.kind === "switch") {
        return html`<input type="checkbox" id=${id} aria-describedby=${`${id}-hint`} checked=${value}
            onInput=${(event) => set(event.target.checked)} />`;
    }
    return html`<input ...${shared} value=${value} autocomplete="off"
        placeholder=${field.kind === "list" ? "several, with spaces" : undefined} />`;
}

function Field({ field, value, set, wrong }) {
    const id = `field-${field.name}`;
    const mayMiss = !field.isRequired && field.kind !== "switch";
    const aside = [field.takes, mayMiss ? "optional" : ""].filter(Boolean).join(", ");
    return html`<div class=${`field ${wrong ? "wrong" : ""}`}><label for=${id}>${field.title} <span
        class="faint">
        ${aside}</span></label>
        <${Input} field=${field} id=${id} value=${value} set=${set} />
        <span class="hint" id=${`${id}-hint`}>${wrong ? html`<span class="wrong-words">\u26a0 ${wrong}
            </span>` : field.hint}</span></div>`;
}

/** An answer of any shape: values, then each list as a table, then what is nested deeper. */
export function Answer({ answer, name }) {
    if (answer === null || typeof answer !== "object") return html`<p>${shown(name, answer)}</p>`;
    if (Array.isArray(answer)) {
        return answer.length && typeof answer[0] === "object"
            ? html`<${Table} rows=${answer} caption=${name} hasOthers />`
            : html`<p>${answer.map(String).join(", ") || "none"}</p>`;
    }
    const nested = Object.entries(answer).filter(
        ([, value]) => value !== null && typeof value === "object" && Object.keys(value).length,
    );
    return html`<${Values} values=${answer} skipped=${["as_of_ms", "name"]} />
        ${nested.map(([inner, value]) => html`<section key=${inner}><h3>${heading(inner)}</h3><${Answer}
            answer=${value} name=${words(inner)} /></section>`)}`;
}

function readForm(fields, texts) {
    const given = {};
    const wrong = {};
    for (const field of fields) {
        const read = valueOf(field, texts[field.name]);
        if (read.wrong) wrong[field.name] = read.wrong;
        else if (!read.missing) given[field.name] = read.value;
    }
    return { given, wrong };
}

function Form({ calculator }) {
    const fields = useMemo(() => fieldsOf(calculator), [calculator.name]);
    const [texts, setTexts] = useState({});
    const [wrong, setWrong] = useState({});
    const [told, setTold] = useState(null);
    const values = { ...Object.fromEntries(fields.map((field) => [field.name, beginning(field)])), ...texts };
    const calculate = async (event) => {
        event.preventDefault();
        const form = readForm(fields, values);
        setWrong(form.wrong);
        if (Object.keys(form.wrong).length) return;
        await post(`calc/${encodeURIComponent(calculator.name)}`, { fields: form.given }).then(
            (told) => setTold({ answer: told.answer }),
            (trouble) => setTold({ trouble }),
        );
    };
    return html`<form class="card form" onSubmit=${calculate} novalidate>
        <h2>${heading(calculator.name)}</h2>
        <p class="faint">${calculator.meaning}</p>
        <div class="fields">${fields.map(
            (field) => html`<${Field} key=${field.name} field=${field} value=${values[field.name]}
            wrong=${wrong[field.name]} set=${(value) => setTexts({ ...texts, [field.name]: value })} />`,
        )}</div>
        <div><button type="submit" class="main">Calculate</button></div>
        <div role="status">${told?.trouble && html`<${TroubleNote} trouble=${told.trouble} />`}
            ${told?.answer && html`<div class="answer"><${Answer} answer=${told.answer}
                name=${calculator.name} /></div>`}</div>
    </form>`;
}

function Chosen({ data, wanted }) {
    const calculators = data.forms;
    const chosen = calculators.find((one) => one.name === wanted) ?? calculators[0];
    useEffect(
        () => document.querySelector(".chips [aria-current]")?.scrollIntoView({ block: "nearest" }),
        [chosen?.name],
    );
    if (!chosen) return html`<${Nothing}>This bot offers no calculator.<//>`;
    return html`<nav class="chips" aria-label="Calculators">${calculators.map(
        (one) => html`
        <a key=${one.name} href=${`#/calculators/${encodeURIComponent(one.name)}`}
            aria-current=${one === chosen ? "page" : undefined}>${heading(one.name)}</a>`,
    )}</nav>
        <${Form} key=${chosen.name} calculator=${chosen} />`;
}

export default function CalculatorsScreen({ rest }) {
    const reading = useReading("calc", 0);
    return html`<div class="page"><h1>Calculators</h1><p
        class="lead">The same formulas the bot uses. Nothing here touches a position.</p>
        <${Reading} reading=${reading}>${(data) => html`<${Chosen} data=${data} wanted=${rest[0]} />`}<//>
            </div>`;
}
