/** The journal: what was seen, what was decided and sent, what came back. */
import { html } from "./html.js";
import { pair, words } from "./figures.js";
import { Nothing } from "./reading.js";
import { Instant } from "./time.js";

const SAID = new Set(["type", "ts_ms", "symbol"]);
const STATES = {
    done: "\u2713 done",
    refused: "\u26a0 refused",
    sent: "\u2026 on its way",
    unknown: "\u2026 no answer yet",
};

/** A name in the journal as words: MarginMoved -> margin moved. */
const kindWords = (kind) =>
    words(
        String(kind ?? "")
            .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
            .toLowerCase(),
    );

const valueText = (value) =>
    typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "none");

function Facts({ facts }) {
    const told = Object.entries(facts ?? {}).filter(([name]) => !SAID.has(name));
    if (told.length === 0) return null;
    return html`<details><summary>${told.length === 1 ? "1 fact" : `${told.length} facts`}</summary><dl
        class="small-facts">${told.map(
        ([name, value]) => html`
        <div key=${name}><dt>${words(name)}</dt><dd>${valueText(value)}</dd></div>`,
    )}</dl></details>`;
}

function Event({ entry, hasSymbol }) {
    return html`<li><span class="when faint"><${Instant} ms=${entry.ts_ms} withDate=${true} /></span>
        <span class="kind">${kindWords(entry.kind)}</span>
        <span class="told">${hasSymbol && entry.symbol ? html`<strong>${pair(entry.symbol)}
            </strong> ` : ""}${entry.words ?? ""}
            <${Facts} facts=${entry.body} /></span></li>`;
}

export function JournalList({ entries, hasSymbol = false }) {
    if (entries.length === 0) return html`<${Nothing}>Nothing is written here yet.<//>`;
    return html`<ol class="journal">${entries.map((entry, index) => html`<${Event} key=${entry.id ?? index}
        entry=${entry} hasSymbol=${hasSymbol} />`)}</ol>`;
}

/** One thing the bot asked of the venue: why, what, and every answer to it. */
function Request({ request, replies }) {
    return html`<li class="request"><span class="when faint"><${Instant} ms=${request.ts_ms}
        withDate=${true} /></span>
        <span class="kind">${kindWords(request.kind)}</span>
        <div class="told"><p>because <strong>${words(request.reason)}</strong>
            ${request.detail ? `: ${request.detail}` : ""}
                <span class="faint"> ${STATES[request.status] ?? words(request.status)}</span></p>
            <${Facts} facts=${{ ...request.facts, ...request.body }} />
            ${
                replies.length > 0 &&
                html`<ul class="replies">${replies.map(
                    (entry) => html`<li key=${entry.id}>
                <span class="faint"><${Instant} ms=${entry.ts_ms} /></span> ${entry.words}</li>`,
                )}</ul>`
            }</div></li>`;
}

/** Requests with what the venue replied to each, and what happened without one between them; newest first. */
export function Threads({ journal, requests }) {
    const known = new Set(requests.map((request) => request.client_id));
    const about = (entry) => entry.body?.client_id ?? "";
    const items = [
        ...requests.map((request) => ({
            ms: request.ts_ms,
            order: request.seq,
            request,
            replies: journal.filter((entry) => about(entry) === request.client_id).reverse(),
        })),
        ...journal
            .filter((entry) => !known.has(about(entry)))
            .map((entry) => ({ ms: entry.ts_ms, order: entry.id, entry })),
    ].sort((a, b) => b.ms - a.ms || b.order - a.order);
    if (items.length === 0) return html`<${Nothing}>Nothing is written here yet.<//>`;
    return html`<ol class="journal">${items.map((item) =>
        item.request
            ? html`<${Request} key=${`r${item.order}`} request=${item.request} replies=${item.replies} />`
            : html`<${Event} key=${`e${item.order}`} entry=${item.entry} />`,
    )}</ol>`;
}
