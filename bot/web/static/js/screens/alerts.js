/** What asked for a person: open alerts first, each with what the bot did and will do. */
import { html, useState } from "../html.js";
import { pair, words } from "../figures.js";
import { order } from "../orders.js";
import { say } from "../notices.js";
import { Paged } from "../paged.js";
import { Nothing } from "../reading.js";
import { Instant } from "../time.js";

const SIGNS = { critical: "\u25a0", error: "\u25a0", danger: "\u25a0", warning: "\u25b2", caution: "\u25b2" };

const isOpen = (alert) => !(alert.acknowledged_ms || alert.is_acknowledged || alert.state === "acknowledged" || alert.state === "over" || alert.ended_ms);

function Acknowledge({ alert }) {
    const [isBusy, setBusy] = useState(false);
    const give = async () => {
        setBusy(true);
        try {
            const answer = await order({ verb: "acknowledge", message: String(alert.id ?? alert.alert_id ?? alert.kind) });
            say(answer.state === "refused" ? "bad" : "good", answer.message || "Acknowledged.");
        } catch (trouble) {
            say("bad", `${trouble.title}. ${trouble.detail} ${trouble.nextStep}`);
        }
        setBusy(false);
    };
    return html`<button onClick=${give} disabled=${isBusy}>Acknowledge</button>`;
}

function Alert({ alert }) {
    const severity = alert.severity ?? alert.level ?? "";
    return html`<li class="card"><p><span class=${`severity ${severity}`}><span aria-hidden="true">${SIGNS[severity] ?? "\u25cf"}</span> ${words(severity || alert.kind)}</span>
            <span class="faint"> <${Instant} ms=${alert.ts_ms ?? alert.raised_ms} withDate=${true} /></span></p>
        <p><strong>${alert.symbol ? `${pair(alert.symbol)}: ` : ""}${alert.title ?? words(alert.kind ?? alert.event ?? "")}</strong></p>
        <p>${alert.text ?? alert.body ?? alert.message ?? ""}</p>
        ${alert.deliveries?.length > 0 && html`<p class="faint">${alert.deliveries.map((one) => `${one.route ?? one.target}: ${words(one.state)}`).join(", ")}</p>`}
        ${isOpen(alert) ? html`<p><${Acknowledge} alert=${alert} /></p>` : html`<p class="faint">${alert.state ? words(alert.state) : "acknowledged"}</p>`}</li>`;
}

export default function AlertsScreen() {
    const nothing = html`<${Nothing}>No alert was raised. Distances, stops, the feed and the venue are watched.<//>`;
    return html`<div class="page"><h1>Alerts</h1><${Paged} path="alerts" everyMs=${5_000} nothing=${nothing}>${(rows) => {
        const sorted = [...rows].sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)));
        return html`<ul class="board">${sorted.map((alert, index) => html`<${Alert} key=${alert.id ?? index} alert=${alert} />`)}</ul>`;
    }}<//></div>`;
}
