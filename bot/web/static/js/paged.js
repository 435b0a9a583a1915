/** A list that is read page by page towards the past. */
import { html, useCallback, useEffect, useState } from "./html.js";
import { read } from "./api.js";
import { Reading, TroubleNote, rowsOf, useReading } from "./reading.js";

const join = (path, query) => `${path}${path.includes("?") ? "&" : "?"}${query}`;

/** The newest page kept fresh, and every older one that was asked for. `children(rows, data)` draws them. */
export function Paged({ path, everyMs, children, nothing }) {
    const reading = useReading(path, everyMs);
    const [older, setOlder] = useState([]);
    const [next, setNext] = useState(undefined);
    const [trouble, setTrouble] = useState(null);
    useEffect(() => {
        setOlder([]);
        setNext(undefined);
    }, [path]);
    const more = useCallback(
        async (from) => {
            try {
                const data = await read(join(path, `before=${encodeURIComponent(from)}`));
                const rows = rowsOf(data);
                setOlder((had) => [...had, ...rows]);
                setNext(data.next_before ?? null);
                setTrouble(null);
            } catch (failed) {
                setTrouble(failed);
            }
        },
        [path],
    );
    return html`<${Reading} reading=${reading}>${(data) => {
        const newest = rowsOf(data);
        if (newest.length === 0) return nothing;
        const from = next === undefined ? (data.next_before ?? null) : next;
        return html`${children([...newest, ...older], data)}${trouble && html`<${TroubleNote}
            trouble=${trouble} />`}
            ${from !== null && html`<p><button onClick=${() => more(from)}>Show older ones</button></p>`}`;
    }}<//>`;
}
