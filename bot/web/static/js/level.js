/** How alarming a position is: by typical hours to liquidation, or by distance without a volatility. */

const HOUR_MOVES = { danger: 3, caution: 6 };
const DISTANCE = { danger: 0.02, caution: 0.04 };

const between = (value, bounds) =>
    value < bounds.danger ? "danger" : value < bounds.caution ? "caution" : "calm";

/** "danger", "caution" or "calm", as the bot judges it; "stale" for a number that is too old to be judged. */
export function levelOf(row, isStale) {
    if (isStale) return "stale";
    if (row.level) return row.level;
    if (row.distance === null || row.distance === undefined) return "calm";
    if (row.hour_moves === null || row.hour_moves === undefined) return between(row.distance, DISTANCE);
    return between(row.hour_moves, HOUR_MOVES);
}

/** What a level is called beside its colour; "" where nothing has to be said. */
export const LEVEL_WORDS = { danger: "Danger", caution: "Close", calm: "", stale: "Old" };
