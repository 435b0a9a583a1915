/** Reading an answer of the bot for a screen, again and again, with plain words while there is none. */
import { html, useCallback, useEffect, useState } from "./html.js";
import { read } from "./api.js";

const EVERY_MS = 10_000;

/** `{data, trouble, isLoading, again}` of a path; read again every `everyMs` while the page is seen. */
export function useReading(path, everyMs = EVERY_MS) {
    const [state, setState] = useState({ path: null, data: null, trouble: null });
    const [round, setRound] = useState(0);
    useEffect(() => {
        let isCurrent = true;
        read(path).then(
            (data) => isCurrent && setState({ path, data, trouble: null }),
            (trouble) =>
                isCurrent &&
                setState((before) => ({ path, data: before.path === path ? before.data : null, trouble })),
        );
        const timer = everyMs
            ? setTimeout(() => !document.hidden && setRound((count) => count + 1), everyMs)
            : 0;
        return () => {
            isCurrent = false;
            clearTimeout(timer);
        };
    }, [path, round, everyMs]);
    const again = useCallback(() => setRound((count) => count + 1), []);
    const isOther = state.path !== path;
    return {
        data: isOther ? null : state.data,
        trouble: isOther ? null : state.trouble,
        isLoading: isOther,
        again,
    };
}

export function TroubleNote({ trouble, again }) {
    return html`<div class="note danger" role="alert"><h2>\u26a0 ${trouble.title}</h2>
        <p>${trouble.detail} ${trouble.nextStep}</p>${again && html`<button
            onClick=${again}>Try again</button>`}</div>`;
}

/**
 * What a screen shows of an answer: trouble above old data, a word while nothing has come, else
 * `children(data)`.
 */
export function Reading({ reading, children }) {
    const { data, trouble, isLoading, again } = reading;
    if (isLoading || (!data && !trouble)) return html`<p class="waiting" role="status">Asking the bot</p>`;
    return html`${trouble && html`<${TroubleNote} trouble=${trouble}
        again=${again} />`}${data && children(data)}`;
}

/** What stands where a list has nothing in it. */
export function Nothing({ children }) {
    return html`<div class="card nothing"><p>${children}</p></div>`;
}

/** The rows of an answer that is a list, or that holds one under any name. */
export function rowsOf(data) {
    if (Array.isArray(data)) return data;
    return Object.values(data ?? {}).find(Array.isArray) ?? [];
}
