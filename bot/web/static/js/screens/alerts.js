/** What asked for a person: open alerts first, each with what the bot did and will do. */
import { html, useState } from "../html.js";
import { pair, words } from "../figures.js";
import { order } from "../orders.js";
import { say } from "../notices.js";
import { Paged } from "../paged.js";
import { Nothing } from "../reading.js";
import { Instant } from "../time.js";

const SIGNS = { critical: "\u25a0", warning: "\u25b2", info: "\u25cf" };

const isOpen = (alert) => alert.grade !== "info" && !alert.over_ms && !alert.acknowledged_ms;

function Acknowledge({ alert }) {
    const [isBusy, setBusy] = useState(false);
    const give = async () => {
        setBusy(true);
        try {
            const answer = await order({ verb: "acknowledge", alert_ids: [alert.alert_id] });
            say(answer.state === "refused" ? "bad" : "good", answer.message);
        } catch (trouble) {
            say("bad", `${trouble.title}. ${trouble.detail} ${trouble.nextStep}`);
        }
        setBusy(false);
    };
    return html`<p><button onClick=${give} disabled=${isBusy}>Acknowledge</button></p>`;
}

/** What became of it: over, acknowledged, and whom it was sent to. */
function Fate({ alert }) {
    const sent = (alert.told ?? []).map((one) => `${one.route}: ${words(one.status)}`);
    return html`<p class="faint">
        ${alert.over_ms && html`<span>over since <${Instant} ms=${alert.over_ms} />. </span>`}
        ${alert.acknowledged_ms && html`<span>acknowledged <${Instant}
            ms=${alert.acknowledged_ms} />. </span>`}
        ${sent.length > 0 && `Sent to ${sent.join(", ")}.`}</p>`;
}

function Alert({ alert }) {
    return html`<li class="card"><p>
            <span class=${`severity ${alert.grade}`}><span aria-hidden="true">${SIGNS[alert.grade]}</span>
                ${" "}${words(alert.grade)}</span>
            <span class="faint"> ${words(alert.kind)}, <${Instant} ms=${alert.ts_ms} withDate=${true} />
                </span></p>
        <h2>${alert.symbol ? `${pair(alert.symbol)}: ` : ""}${alert.title}</h2>
        <p>${alert.body}</p>
        <${Fate} alert=${alert} />
        ${isOpen(alert) && html`<${Acknowledge} alert=${alert} />`}</li>`;
}

export default function AlertsScreen() {
    const draw = (rows) => {
        const sorted = [...rows].sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)));
        return html`<ul class="board">
            ${sorted.map((alert) => html`<${Alert} key=${alert.alert_id} alert=${alert} />`)}</ul>`;
    };
    const nothing = html`<${Nothing}>No alert was raised. Distances, stops, the feed and the venue are
        watched.<//>`;
    return html`<div class="page"><h1>Alerts</h1>
        <${Paged} path="alerts" everyMs=${5_000} nothing=${nothing}>${draw}<//></div>`;
}
