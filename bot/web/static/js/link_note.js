/** What stands above the board when something is not as it should be: the link, or a halt. */
import { html, useState } from "./html.js";
import { words } from "./figures.js";
import { isSilent, silentMs } from "./feed.js";
import { span } from "./figures.js";
import { order } from "./orders.js";
import { say } from "./notices.js";
import { Instant } from "./time.js";

export function LinkNote({ state, now = Date.now() }) {
    const isOld = isSilent(state, now);
    if (!isOld && !(state.trouble && !state.board)) return null;
    const { trouble } = state;
    const since = isOld
        ? ` Nothing has come for ${span(silentMs(state, now))}: every number below is old.`
        : "";
    return html`<div class="note danger" role="alert">
        <h2>\u26a0 ${trouble?.title ?? "No connection to the bot"}</h2>
        <p>${trouble?.detail}${since} ${trouble?.nextStep ?? "This page keeps trying."}</p>
    </div>`;
}

function Cause({ cause }) {
    return html`<li><strong>${words(cause.cause)}</strong>${cause.message ? `: ${cause.message}` : ""}
        <span class="faint"> since <${Instant} ms=${cause.since_ms} /></span></li>`;
}

/** Lifts a halt after a second press on the same spot: entries begin again, which can cost money. */
function Resume() {
    const [asked, setAsked] = useState(null);
    const press = async () => {
        try {
            const answer = await order(asked ? { verb: "resume", confirm: asked } : { verb: "resume" });
            setAsked(answer.needs_confirmation ? answer.confirm : null);
            if (!answer.needs_confirmation)
                say(answer.state === "refused" ? "bad" : "good", answer.message || "Resumed.");
        } catch (trouble) {
            setAsked(null);
            say("bad", `${trouble.title}. ${trouble.detail} ${trouble.nextStep}`);
        }
    };
    return html`<button class="resume" onClick=${press}>${asked ? "Press again to resume" : "Resume entries"}
        </button>`;
}

export function HaltNote({ guard }) {
    if (guard.state !== "halted") return null;
    return html`<div class="note halted">
        <h2>\u25a0 Halted${guard.level ? `: ${words(guard.level)}` : ""}</h2>
        <p>Open positions stay protected: stops rest at the venue.</p>
        <ul>${guard.causes.map((cause) => html`<${Cause} key=${cause.cause} cause=${cause} />`)}</ul>
        <${Resume} />
    </div>`;
}
