/** The button: one press, and a second on the same spot. Halting asks nothing else. */
import { html, useEffect, useRef, useState } from "./html.js";
import { order } from "./orders.js";
import { say } from "./notices.js";

const ARMED_MS = 6_000;
const MEANING = "No new entries. Open positions stay protected: stops rest and margin is still guarded.";

/** True until `ms` have passed since `arm()` was called or `disarm()` was. */
function useArmed(ms) {
    const [isArmed, setArmed] = useState(false);
    const timer = useRef(0);
    useEffect(() => () => clearTimeout(timer.current), []);
    const disarm = () => {
        clearTimeout(timer.current);
        setArmed(false);
    };
    const arm = () => {
        setArmed(true);
        timer.current = setTimeout(() => setArmed(false), ms);
    };
    return [isArmed, arm, disarm];
}

async function halt(setBusy) {
    setBusy(true);
    try {
        const answer = await order({ verb: "halt" });
        say(
            answer.state === "refused" ? "bad" : "good",
            answer.message || "Halted. Positions stay protected.",
        );
    } catch (trouble) {
        say("bad", `${trouble.title}. ${trouble.detail} ${trouble.nextStep}`);
    }
    setBusy(false);
}

export function HaltButton({ isHalted }) {
    const [isArmed, arm, disarm] = useArmed(ARMED_MS);
    const [isBusy, setBusy] = useState(false);
    const press = () => {
        if (!isArmed) {
            arm();
            return;
        }
        disarm();
        halt(setBusy);
    };
    const text = isBusy ? "Halting" : isArmed ? "Confirm" : isHalted ? "Halted" : "Halt";
    return html`<div class="halt-place">
        <button id="halt" class=${`halt ${isArmed ? "armed" : ""}`} onClick=${press} disabled=${isBusy}
            onKeyDown=${(event) => event.key === "Escape" && disarm()}
            aria-describedby="halt-meaning">${text}</button>
        <p id="halt-meaning" class=${isArmed ? "halt-meaning" : "hidden"} role="status">
            ${isArmed ? `Press again to halt. ${MEANING}` : MEANING}</p>
    </div>`;
}
