/** An order that is asked twice on one spot, with the bot's own words of what it would do above it. */
import { html, useEffect, useState } from "./html.js";
import { order } from "./orders.js";
import { say } from "./notices.js";

const DEAF_MS = 600; // a second tap that was meant for the first press confirms nothing

/** `{asked, isDeaf, press, forget}`: the first press asks, the second one gives what was asked. */
function useConfirmed(body) {
    const [asked, setAsked] = useState(null);
    const [isDeaf, setDeaf] = useState(false);
    useEffect(() => {
        if (!asked) return undefined;
        setDeaf(true);
        const hearing = setTimeout(() => setDeaf(false), DEAF_MS);
        const late = setTimeout(() => setAsked(null), asked.valid_ms);
        return () => {
            clearTimeout(hearing);
            clearTimeout(late);
        };
    }, [asked]);
    const press = async () => {
        try {
            const answer = await order(asked ? { ...body, confirm: asked.confirm } : body);
            setAsked(answer.needs_confirmation ? answer : null);
            if (!answer.needs_confirmation) say(answer.state === "refused" ? "bad" : "good", answer.message);
        } catch (trouble) {
            setAsked(null);
            say("bad", `${trouble.title}. ${trouble.detail} ${trouble.nextStep}`);
        }
    };
    return { asked, isDeaf, press, forget: () => setAsked(null) };
}

/** A button for `body`; `text` before it is asked, `again` on the second press. */
export function Confirmed({ body, text, again, kind = "" }) {
    const { asked, isDeaf, press, forget } = useConfirmed(body);
    return html`<div class="confirmed">
        <p role="status">${asked && `\u26a0 ${asked.message}`}</p>
        <div class="bar"><button class=${asked ? "grave" : kind} onClick=${press} disabled=${isDeaf}>
                ${asked ? again : text}</button>
            ${asked && html`<button class="quiet" onClick=${forget}>Cancel</button>`}</div>
    </div>`;
}
