/** Asking the bot. Every refusal becomes a Trouble with a fact, a cause and a next step in plain words. */

const TIMEOUT_MS = 8_000;

export class Trouble extends Error {
    constructor({ title, detail = "", next_step = "", status = 0 }) {
        super(title);
        this.title = title;
        this.detail = detail;
        this.nextStep = next_step;
        this.status = status;
    }
}

const UNREACHABLE = {
    title: "The bot does not answer",
    detail: "The request got no reply. The bot may have ended, or the way to it is cut.",
    next_step: "Look at the terminal or service that runs it. Stops rest at the exchange without it.",
};

const refused = new Set();

/** Call `told` whenever an answer says that nobody is signed in. */
export function onSignedOut(told) {
    refused.add(told);
    return () => refused.delete(told);
}

/** Tell everybody who asked that nobody is signed in. */
export const signedOut = () => refused.forEach((told) => told());

async function troubleOf(response) {
    let said = {};
    try {
        said = await response.json();
    } catch {
        // a proxy between may answer in its own words
    }
    if (response.status === 401) signedOut();
    return new Trouble({
        title: said.title ?? `The bot refused this (${response.status})`,
        detail: typeof said.detail === "string" ? said.detail : "",
        next_step: said.next_step ?? "",
        status: response.status,
    });
}

async function ask(path, options = {}) {
    let response;
    try {
        response = await fetch(path, {
            signal: AbortSignal.timeout(TIMEOUT_MS),
            cache: "no-store",
            ...options,
        });
    } catch {
        throw new Trouble(UNREACHABLE);
    }
    if (!response.ok) throw await troubleOf(response);
    try {
        return await response.json();
    } catch {
        throw new Trouble({
            title: "The answer could not be read",
            detail: "It was cut off or is not JSON.",
        });
    }
}

export const read = (path) => ask(`api/${path}`);

export const post = (path, body, headers = {}) =>
    ask(`api/${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: JSON.stringify(body),
    });

/** The part of an address that names a position. */
export const positionPath = (symbol) => `positions/${encodeURIComponent(symbol)}`;

/** A key that no other order has; randomUUID is missing on a page that came without TLS. */
export function freshKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
