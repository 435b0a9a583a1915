/** Short answers to what a person did, spoken by screen readers and gone after a while. */
import { html, useEffect, useState } from "./html.js";

const SHOWN_MS = 8_000;
const SIGNS = { good: "\u2713", bad: "\u26a0", plain: "\u2022" };
const listeners = new Set();
let notices = [];
let last = 0;

function change(next) {
    notices = next;
    listeners.forEach((listener) => listener(notices));
}

const dismiss = (id) => change(notices.filter((notice) => notice.id !== id));

/** Show `text`; `kind` is "good", "bad" or "plain". Bad ones stay until they are dismissed. */
export function say(kind, text) {
    const id = ++last;
    change([...notices.slice(-2), { id, kind, text }]);
    if (kind !== "bad") setTimeout(() => dismiss(id), SHOWN_MS);
}

export function Notices() {
    const [shown, setShown] = useState(notices);
    useEffect(() => {
        listeners.add(setShown);
        return () => listeners.delete(setShown);
    }, []);
    return html`<div class="notices" role="status" aria-live="polite">${shown.map(
        (notice) => html`
        <div key=${notice.id} class=${`notice ${notice.kind}`}>
            <span aria-hidden="true">${SIGNS[notice.kind]}</span><p>${notice.text}</p>
            <button class="quiet" onClick=${() => dismiss(notice.id)}
                aria-label="Dismiss this message">\u00d7</button>
        </div>`,
    )}</div>`;
}
