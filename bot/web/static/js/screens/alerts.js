/** What asked for a person: open alerts first, each with what the bot did and will do. */
import { html, useState } from "../html.js";
import { pair, words } from "../figures.js";
import { order } from "../orders.js";
import { say } from "../notices.js";
import { Paged } from "../paged.js";
import { Nothing } from "../reading.js";
import { Instant } from "../time.js";

const SIGNS = { critical: "\u25a0", error: "\u25a0", danger: "\u25a0", warning: "\u25b2", caution: "\u25b2" };

const isOpen = (alert) => alert.state === "open";

/** An alert of the alarm, or the journal's own row about one, in one form. */
const told = (row) => ({
    ...row,
    severity: row.severity ?? row.body?.severity ?? "",
    title: row.title ?? words(row.body?.cause ?? row.kind ?? ""),
    text: row.text ?? row.body?.message ?? row.words ?? "",
});

function Acknowledge({ alert }) {
    const [isBusy, setBusy] = useState(false);
    const give = async () => {
        setBusy(true);
        try {
            const answer = await order({ verb: "acknowledge", message: String(alert.id) });
            say(answer.state === "refused" ? "bad" : "good", answer.message || "Acknowledged.");
        } catch (trouble) {
            say("bad", `${trouble.title}. ${trouble.detail} ${trouble.nextStep}`);
        }
        setBusy(false);
    };
    return html`<button onClick=${give} disabled=${isBusy}>Acknowledge</button>`;
}

function Alert({ row }) {
    const alert = told(row);
    const { severity } = alert;
    return html`<li class="card"><p><span class=${`severity ${severity}`}><span aria-hidden="true">
        ${SIGNS[severity] ?? "\u25cf"}</span> ${words(severity)}</span>
            <span class="faint"> <${Instant} ms=${alert.ts_ms} withDate=${true} /></span></p>
        <p><strong>${alert.symbol ? `${pair(alert.symbol)}: ` : ""}${alert.title}</strong></p>
        <p>${alert.text}</p>
        ${alert.deliveries?.length > 0 && html`<p class="faint">
            ${alert.deliveries.map((one) => `${one.route ?? one.target}: ${words(one.state)}`).join(", ")}
            </p>`}
        ${isOpen(alert) ? html`<p><${Acknowledge} alert=${alert} /></p>` : alert.state && html`<p
            class="faint">${words(alert.state)}</p>`}</li>`;
}

export default function AlertsScreen() {
    const nothing = html`<${Nothing}>No alert was raised. Distances, stops, the feed and the venue are
        watched.<//>`;
    return html`<div class="page"><h1>Alerts</h1><${Paged} path="alerts" everyMs=${5_000} nothing=${nothing}>
        ${(
        rows,
    ) => {
        const sorted = [...rows].sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)));
        return html`<ul class="board">${sorted.map((alert, index) => html`<${Alert} key=${alert.id ?? index}
            row=${alert} />`)}</ul>`;
    }}<//></div>`;
}
