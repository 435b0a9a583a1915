/** Add, release, reduce, close: what it would do is shown before it can be confirmed, then confirmed once. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "./html.js";
import { positionPath, read } from "./api.js";
import { chance, isNumber, money, pair, percent, price, span } from "./figures.js";
import { useNow } from "./feed.js";
import { order } from "./orders.js";
import { say } from "./notices.js";

const ASK_AFTER_MS = 180;
const DEAF_MS = 600; // a second tap that was meant for the first button confirms nothing
const TITLES = { add: "Add margin to", release: "Release margin from", reduce: "Reduce", close: "Close" };
const FRACTIONS = [0.25, 0.5, 0.75];

const isMargin = (verb) => verb === "add" || verb === "release";

/** The question to the calculators, or null while there is nothing to ask. */
function question(verb, amount) {
    if (verb === "close") return "reduce_fraction=1";
    if (!(amount > 0)) return null;
    return isMargin(verb) ? `${verb}_quote=${amount}` : `reduce_fraction=${amount / 100}`;
}

function command(verb, symbol, amount) {
    if (isMargin(verb)) return { verb, symbol, amount_quote: amount };
    return verb === "reduce" ? { verb, symbol, fraction: amount / 100 } : { verb, symbol };
}

/** What would be: asked a moment after the last key, an answer to an older question is dropped. */
function useWhatIf(symbol, asked) {
    const [answer, setAnswer] = useState(null);
    useEffect(() => {
        setAnswer(null);
        if (asked === null) return undefined;
        let isCurrent = true;
        const timer = setTimeout(() => {
            read(`${positionPath(symbol)}/what-if?${asked}`).then(
                (told) => isCurrent && setAnswer(told),
                (trouble) =>
                    isCurrent &&
                    setAnswer({ refusal: `${trouble.title}. ${trouble.detail} ${trouble.nextStep}` }),
            );
        }, ASK_AFTER_MS);
        return () => {
            isCurrent = false;
            clearTimeout(timer);
        };
    }, [symbol, asked]);
    return answer;
}

function Row({ name, before, after, isMain }) {
    return html`<tr class=${isMain ? "main-row" : ""}><th scope="row">${name}</th><td>${before}</td>
        <td aria-hidden="true">\u2192</td><td>${after}</td></tr>`;
}

/** Both sides of the order: the row as the bot told it and the answer of the calculators. */
export function Consequence({ row, after }) {
    const digits = row.price_decimals;
    const told = (value, text) => (after ? text(value) : "\u2026");
    const liquidation = (value) => (isNumber(value) ? price(value, digits) : "none");
    return html`<table class="consequence"><caption class="hidden">Before and after</caption>
        <thead><tr><th scope="col"><span class="hidden">What</span></th><th scope="col">now</th><td></td><th
            scope="col">after</th></tr></thead>
        <tbody>
        <${Row} isMain name="Liquidation price" before=${liquidation(row.liquidation_price)}
            after=${told(after?.liquidation_price, liquidation)} />
        <${Row} name="Distance" before=${percent(row.distance)} after=${told(after?.distance, percent)} />
        <${Row} name="Chance in 24 h" before=${chance(row.probability_24h)}
            after=${told(after?.probability_24h, chance)} />
        <${Row} name="Margin" before=${money(row.isolated_wallet_quote)}
            after=${told(after?.wallet_quote, money)} />
        <${Row} name="Margin ratio" before=${percent(row.margin_ratio)}
            after=${told(after?.margin_ratio, percent)} />
        </tbody></table>`;
}

function amounts(verb, row) {
    if (verb === "add" && row.next_action?.kind === "add" && row.next_action.amount_quote > 0) {
        return [row.next_action.amount_quote];
    }
    return verb === "reduce" ? FRACTIONS.map((part) => part * 100) : [];
}

function Amount({ verb, row, quote, text, setText }) {
    if (verb === "close")
        return html`<p>The whole position of ${money(row.notional_quote)} ${quote} is closed at the
            market.</p>`;
    const unit = isMargin(verb) ? quote : "% of the position";
    const offered = amounts(verb, row);
    return html`<div class="amount-field">
        <label for="amount">${isMargin(verb) ? "Amount" : "How much of it"}</label>
        <div class="amount-input"><input id="amount" inputmode="decimal" autocomplete="off" value=${text}
            onInput=${(event) => setText(event.target.value)} /><span>${unit}</span></div>
        ${
            offered.length > 0 &&
            html`<div class="offers">${offered.map(
                (value) => html`
            <button type="button" key=${value}
                onClick=${() => setText(String(Math.round(value * 100) / 100))}>
                ${isMargin(verb) ? `as the bot would: ${money(value)}` : `${value} %`}</button>`,
            )}</div>`
        }
    </div>`;
}

/** Why the amount cannot be used, in words; "" where it can. */
function complaint(verb, text, amount) {
    if (verb === "close" || text.trim() === "") return "";
    if (!Number.isFinite(amount)) return "This is not a number. Write it like 35.20.";
    if (amount <= 0) return "The amount has to be above zero.";
    return verb === "reduce" && amount > 100 ? "At most 100 %: that closes it." : "";
}

function doing(verb, amount, quote) {
    if (verb === "close") return "Close the position";
    return isMargin(verb)
        ? `${verb === "add" ? "Add" : "Release"} ${money(amount)} ${quote}`
        : `Reduce by ${amount} %`;
}

const lowerFirst = (text) => text[0].toLowerCase() + text.slice(1);

function Asked({ asked, row, now }) {
    const left = Math.max(0, asked.until - now);
    const { liquidation_price: liquidation } = asked.after ?? {};
    return html`<p class="asked" role="status">${asked.message || "The bot checked it with fresh numbers."}
        ${isNumber(liquidation) && html` Liquidation will be at
            ${" "}<strong>${price(liquidation, row.price_decimals)}</strong>.`}
        ${left > 0 ? ` Confirm within ${span(left)}.` : " The time to confirm has passed: ask again."}</p>`;
}

/** The state of one order: typed, checked by the bot, given. */
function useOrder(verb, symbol, amount, onClose) {
    const [asked, setAsked] = useState(null);
    const [isBusy, setBusy] = useState(false);
    const [refusal, setRefusal] = useState("");
    useEffect(() => setAsked(null), [amount]);
    const give = async () => {
        setBusy(true);
        setRefusal("");
        try {
            const body = command(verb, symbol, amount);
            const answer = await order(asked ? { ...body, confirm: asked.confirm } : body);
            if (answer.needs_confirmation)
                setAsked({ ...answer, since: Date.now(), until: Date.now() + answer.valid_ms });
            else if (answer.state === "refused") setRefusal(answer.message);
            else {
                say(
                    answer.state === "done" ? "good" : "plain",
                    answer.message || "The bot has taken the order.",
                );
                onClose();
            }
        } catch (trouble) {
            setAsked(null);
            setRefusal(`${trouble.title}. ${trouble.detail} ${trouble.nextStep}`);
        }
        setBusy(false);
    };
    return { asked, isBusy, refusal, give, forget: () => setAsked(null) };
}

function useModal(ref) {
    useLayoutEffect(() => {
        const dialog = ref.current;
        dialog.showModal();
        dialog.querySelector("input")?.focus();
        return () => dialog.close(); // gives the focus back; one that is only taken away does not
    }, []);
}

function Body({ verb, row, symbol, quote, onClose }) {
    const now = useNow(200);
    const [text, setText] = useState("");
    const amount = Number(text.trim().replace(",", "."));
    const wrong = complaint(verb, text, amount);
    const asking = wrong || (verb !== "close" && text.trim() === "") ? null : question(verb, amount);
    const after = useWhatIf(symbol, asking);
    const { asked, isBusy, refusal, give } = useOrder(verb, symbol, amount, onClose);
    const what = doing(verb, amount, quote);
    const isChecked = asked?.after && "liquidation_price" in asked.after;
    const shown = isChecked ? asked.after : after?.refusal ? null : after;
    const isLate = asked && (now > asked.until || now < asked.since + DEAF_MS);
    const said = wrong || refusal || after?.refusal || "";
    const canGive = asking !== null && after !== null && !after.refusal && !isBusy && !isLate;
    return html`<form method="dialog" onSubmit=${(event) => {
        event.preventDefault();
        if (canGive) give();
    }}>
        <${Amount} verb=${verb} row=${row} quote=${quote} text=${text} setText=${setText} />
        <${Consequence} row=${row} after=${shown} />
        <p class="refusal" role="alert">${said && `\u26a0 ${said}`}</p>
        ${asked && html`<${Asked} asked=${asked} row=${row} now=${now} />`}
        <div class="dialog-actions">
            <button type="button" class="quiet" onClick=${onClose}>Cancel</button>
            <button type="submit" class=${asked ? "grave" : "main"} disabled=${!canGive}>
                ${asked ? `Confirm: ${lowerFirst(what)}` : asking ? what : "Enter an amount"}</button>
        </div>
    </form>`;
}

export function ActionDialog({ verb, row, symbol, quote, onClose }) {
    const ref = useRef(null);
    useModal(ref);
    return html`<dialog ref=${ref} class="action" onClose=${onClose} aria-labelledby="action-title">
        <h2 id="action-title">${TITLES[verb]} ${pair(symbol)} ${row?.side ?? ""}</h2>
        ${
            row
                ? html`<${Body} verb=${verb} row=${row} symbol=${symbol} quote=${quote} onClose=${onClose} />`
                : html`<p>This position is closed.</p><div class="dialog-actions"><button
                    onClick=${onClose}>Back</button></div>`
        }
    </dialog>`;
}
