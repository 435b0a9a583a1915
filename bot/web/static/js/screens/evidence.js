/**
 * Whether moving margin helped: every ended position against the same one whose first margin was left alone.
 */
import { html } from "../html.js";
import { chance, counted, isNumber, money, percent, signedMoney, words } from "../figures.js";
import { Nothing, Reading, useReading } from "../reading.js";
import { Table } from "../table.js";
import { utcDate } from "../time.js";

function verdictOf(difference) {
    if (difference.is_distinguishable)
        return difference.mean > 0 ? "better than margin left alone" : "worse than margin left alone";
    if (difference.sd === 0 && difference.mean === 0) return "the same in every trade";
    if (isNumber(difference.needed) && difference.needed > 0) {
        const more = counted(Math.ceil(difference.needed), "more trade");
        return `not yet distinguishable from zero: about ${more} of this kind would be needed`;
    }
    return "not yet distinguishable from zero";
}

function Verdict({ difference }) {
    const range = isNumber(difference.low)
        ? ` (${signedMoney(difference.low)} to ${signedMoney(difference.high)}, 95 % by week)`
        : "";
    return html`<section class="card"><h2>Did moving margin pay?</h2>
        <p class="verdict"><strong>${signedMoney(difference.mean)}</strong> per trade${range}</p><p>
            ${verdictOf(difference)}.</p></section>`;
}

/** What was measured on both: with the policy, and with the first margin left alone. */
function Sides({ found }) {
    const { results, rescues, capital } = found;
    const rows = [
        ["Result", signedMoney(results.pnl), signedMoney(results.static_pnl)],
        [
            "Mean of the worst 1 %",
            signedMoney(results.worst_percent_mean),
            signedMoney(results.static_worst_percent_mean),
        ],
        ["Liquidated", rescues.liquidations, rescues.static_liquidations],
        [
            "Margin locked, quote-days",
            money(capital.margin_quote_days),
            money(capital.static_margin_quote_days),
        ],
    ].map(([what, policy, alone]) => ({ what, policy, alone }));
    const cells = { what: (row) => row.what, policy: (row) => row.policy, alone: (row) => row.alone };
    return html`<section class="card"><h2>Side by side</h2><${Table} rows=${rows}
        columns=${["what", "policy", "alone"]} cells=${cells}
        names=${{ what: "Figure", policy: "With the policy", alone: "Margin left alone" }}
            caption="With the policy and with margin left alone" /></section>`;
}

const share = (one) => (one.trades ? `${one.trades} (${signedMoney(one.difference_quote)})` : "0");
const counts = (found) =>
    Object.entries(found)
        .map(([name, count]) => `${words(name)} ${count}`)
        .join(", ") || "none";

function Facts({ title, facts }) {
    return html`<section class="card"><h2>${title}</h2><dl class="pairs">${facts.map(
        ([name, text]) => html`
        <div key=${name}><dt>${name}</dt><dd>${text}</dd></div>`,
    )}</dl></section>`;
}

function sections({
    rescues,
    good_after_bad: bad,
    capital,
    dead_weight: waste,
    defence,
    operations,
    envelope,
}) {
    return [
        [
            "Liquidations avoided, and what that cost",
            [
                ["Rescued, ended better", share(rescues.rescued_better)],
                ["Rescued, ended worse", share(rescues.rescued_worse)],
                ["Liquidated all the same", share(rescues.still_liquidated)],
                ["Liquidated only here", share(rescues.only_ours)],
            ],
        ],
        [
            "Good money after bad",
            [
                ["Margin added", money(bad.added)],
                [
                    "Of it lost",
                    `${money(bad.lost)}${isNumber(bad.lost_share) ? ` (${percent(bad.lost_share)})` : ""}`,
                ],
                ["Adds where the strategy would not have entered again", bad.adds_without_reentry],
            ],
        ],
        [
            "Capital",
            [
                ["Freed, quote-days", money(capital.freed_quote_days)],
                ["Of it used by other positions", percent(capital.redeployed_share)],
                ["Result per 1,000 quote-days", signedMoney(capital.pnl_per_1000_quote_days)],
            ],
        ],
        [
            "Expected waste of liquidations avoided, where one stop in 100 fails",
            [
                ["Avoided", signedMoney(waste.avoided_quote)],
                [
                    "Capital for it, at 20 % a year",
                    `${money(Math.abs(waste.capital_quote))} ${waste.capital_quote < 0 ? "saved" : "paid"}`,
                ],
                ["Net", signedMoney(waste.net_quote)],
            ],
        ],
        [
            "What closed the trades",
            [
                ["Closed by", counts(defence.closed_by)],
                ["Margin left alone", counts(defence.static_closed_by)],
            ],
        ],
        [
            "Near misses and margin moves",
            [
                [
                    "Nearest to liquidation",
                    `${percent(operations.least_distance)}${
                        isNumber(operations.least_distance_sigma_hours)
                            ? `, ${operations.least_distance_sigma_hours.toFixed(1)} typical hours`
                            : ""
                    }`,
                ],
                ["Nearer than one typical hour", `${Math.round(operations.near_miss_minutes ?? 0)} minutes`],
                ["Margin moves", `${operations.moves}, ${operations.moves_refused} refused`],
                ["Emergency adds", operations.emergencies],
                ["Held because prices were old", operations.stale_holds],
            ],
        ],
        [
            "The whole account",
            [
                ["Isolated margins now", `${money(envelope.margin_quote)}, the most the positions can lose`],
                ["The largest so far", money(envelope.most_margin_quote)],
            ],
        ],
    ];
}

function Forecasts({ calibration }) {
    if (!calibration.bins?.length) return null;
    const cells = {
        forecast: (row) => chance(row.forecast),
        realised: (row) => chance(row.realised),
        low: (row) => `${chance(row.low)} to ${chance(row.high)}`,
    };
    return html`<section class="card"><h2>Were the chances of liquidation right?</h2>
        <p class="faint">
            ${counted(calibration.forecasts, "forecast")};
            ${" "}${calibration.is_alarming ? "\u26a0 they are too low." : "nothing alarming."}</p>
        <${Table} rows=${calibration.bins} columns=${["forecasts", "forecast", "realised", "low"]}
            cells=${cells}
            names=${{ forecast: "Told", realised: "Happened", low: "95 %" }}
                caption="Forecasts and what happened" /></section>`;
}

const DAY_NAMES = {
    pnl: "Result",
    static_pnl: "Left alone",
    liquidations: "Liquidated",
    static_liquidations: "Left alone",
};

function Days({ days }) {
    const cells = {
        day_ms: (row) => utcDate(row.day_ms),
        pnl: (row) => signedMoney(row.pnl),
        static_pnl: (row) => signedMoney(row.static_pnl),
    };
    return html`<section class="card"><h2>Days</h2><${Table} rows=${[...days].reverse()} cells=${cells}
        caption="Days, newest first"
        columns=${["day_ms", "trades", "pnl", "static_pnl", "liquidations", "static_liquidations"]}
        names=${DAY_NAMES} /></section>`;
}

function Found({ found }) {
    if (!found.trades) {
        return html`<${Nothing}>Nothing closed yet. Evidence is written when a position and its shadow, which
            keeps the first margin, have both ended.<//>`;
    }
    return html`<p class="lead">
        ${counted(found.trades, "ended position")}, ${utcDate(found.first_ms)} to ${utcDate(found.last_ms)}
            ${" "}UTC, ${counts(found.policies)}.</p>
        <div class="two"><${Verdict} difference=${found.difference} /><${Sides} found=${found} /></div>
        <div class="two">${sections(found).map(([title, facts]) => html`<${Facts} key=${title} title=${title}
            facts=${facts} />`)}</div>
        <${Forecasts} calibration=${found.calibration} />${found.days?.length > 0 && html`<${Days}
            days=${found.days} />`}`;
}

export function Evidence() {
    const reading = useReading("evidence");
    return html`<p
        class="lead">Each ended position is compared with its shadow: the same fills, the first margin left
            alone. Moving margin creates no
        return; look at liquidations, the worst losses and the margin that was locked.</p>
        <${Reading} reading=${reading}>${(data) => html`<${Found} found=${data.evidence} />`}<//>`;
}
