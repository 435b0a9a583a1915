/** What stands above the board when something is not as it should be: the link, or a halt. */
import { html } from "./html.js";
import { Confirmed } from "./confirmed.js";
import { words } from "./figures.js";
import { isSilent, silentMs } from "./feed.js";
import { span } from "./figures.js";
import { Instant } from "./time.js";

const RESUME = { verb: "resume" };

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

export function HaltNote({ guard }) {
    if (guard.state !== "halted") return null;
    return html`<div class="note halted">
        <h2>\u25a0 Halted${guard.level ? `: ${words(guard.level)}` : ""}</h2>
        <p>Open positions stay protected: stops rest at the venue.</p>
        <ul>${guard.causes.map((cause) => html`<${Cause} key=${cause.cause} cause=${cause} />`)}</ul>
        <${Confirmed} body=${RESUME} text="Resume entries" again="Press again to resume" />
    </div>`;
}
