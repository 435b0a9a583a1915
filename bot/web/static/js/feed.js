/**
 * The live board: one event stream that comes back by itself, and how old what it told is.
 *
 * The bot sends at least once a second. Silence is trouble: after QUIET_MS the stream is opened again, and
 * whoever draws the board sees `silentMs` grow all the while.
 */
import { useEffect, useState } from "./html.js";
import { Trouble, read } from "./api.js";

const QUIET_MS = 4_000;
const WAITS_MS = [500, 1_000, 2_000, 5_000];

export class Feed {
    constructor(path = "api/stream") {
        this.path = path;
        this.listeners = new Set();
        this.state = { board: null, receivedAt: 0, isOpen: false, trouble: null, lastMove: null };
        this.failures = 0;
        this.source = null;
        this.heardAt = 0;
    }

    /** Open the stream; the first time, watch it as well. */
    start() {
        this.open();
        if (this.watch) return;
        this.watch = setInterval(() => this.lookAtSilence(), 1_000);
        addEventListener("online", () => this.isPaused || this.open());
        document.addEventListener("visibilitychange", () => {
            if (!document.hidden) this.lookAtSilence();
        });
    }

    open() {
        this.source?.close();
        clearTimeout(this.again);
        this.heardAt = Date.now();
        this.isPaused = false;
        const source = new EventSource(this.path);
        this.source = source;
        source.onopen = () => this.tell({ isOpen: true, trouble: null });
        source.onerror = () => this.fail();
        source.addEventListener("board", (event) => this.hear(JSON.parse(event.data)));
        source.addEventListener("moved", (event) => {
            this.tell({ lastMove: { ...JSON.parse(event.data), heardAt: Date.now() } });
        });
    }

    /** Ask nothing more until `open` is called: nobody is signed in. */
    pause() {
        this.source?.close();
        clearTimeout(this.again);
        this.isPaused = true;
    }

    hear(board) {
        this.failures = 0;
        this.heardAt = Date.now();
        this.tell({ board, receivedAt: Date.now(), isOpen: true, trouble: null });
    }

    /**
     * The browser comes back by itself after a cut, but not after a refusal: then the reason is asked for.
     */
    fail() {
        this.tell({ isOpen: false });
        if (this.source.readyState !== EventSource.CLOSED) return;
        const wait = WAITS_MS[Math.min(this.failures++, WAITS_MS.length - 1)];
        clearTimeout(this.again);
        this.again = setTimeout(() => this.open(), wait);
        read("board").then(
            (board) => this.hear(board),
            (trouble) => this.tell({ trouble }),
        ); // 401 pauses
    }

    lookAtSilence() {
        if (this.isPaused || Date.now() - this.heardAt < QUIET_MS) return;
        const trouble =
            this.state.trouble ??
            new Trouble({
                title: "Nothing has come from the bot",
                detail: "What you see is the last it told.",
                next_step: "This page keeps trying. Stops rest at the exchange without it.",
            });
        this.tell({ isOpen: false, trouble });
        if (this.source.readyState === EventSource.CONNECTING) {
            this.heardAt = Date.now();
            return;
        }
        this.open();
    }

    tell(change) {
        this.state = { ...this.state, ...change };
        this.listeners.forEach((listener) => listener(this.state));
    }
}

/** What the feed last told; a component that uses it is drawn again with every change. */
export function useFeed(feed) {
    const [state, setState] = useState(feed.state);
    useEffect(() => {
        setState(feed.state);
        feed.listeners.add(setState);
        return () => feed.listeners.delete(setState);
    }, [feed]);
    return state;
}

/** The wall clock in milliseconds, drawn anew every `everyMs`: ages grow while nothing comes. */
export function useNow(everyMs = 500) {
    const [now, setNow] = useState(Date.now());
    useEffect(() => {
        const timer = setInterval(() => setNow(Date.now()), everyMs);
        return () => clearInterval(timer);
    }, [everyMs]);
    return now;
}

/** How long ago, in milliseconds, anything was heard; a second of silence is the bot's own rhythm. */
export const silentMs = (state, now) => (state.receivedAt ? Math.max(0, now - state.receivedAt) : 0);

/** Whether everything on the board is too old to be believed. */
export const isSilent = (state, now) => state.board !== null && silentMs(state, now) > 3_000;
