/**
 * The stretch of prices a ladder shows, linear in price: danger on the left and profit on the right, for
 * longs and shorts alike. Pure: no document, no clock.
 */

const LEFT_PAD = 0.06; // of the stretch: room for what lies past liquidation
const RIGHT_PAD = 0.04;
const MOST_AHEAD = 1.5; // rungs further ahead than this many distances to liquidation stand at the edge
const MOST_BEHIND = 12; // a liquidation this many times further than the nearest danger stands at the edge
const KEPT_BEHIND = 6;
const LEAST_REACH = 0.005; // of the mark
const LEAST_USE = 0.25; // a stretch of which less is used is chosen anew
const EDGE = 0.015;

const sign = (position) => (position.side === "short" ? -1 : 1);
const usable = (price) => typeof price === "number" && Number.isFinite(price) && price > 0;

/** Prices that the ladder may show, of rungs and of what stands beside them. */
function known(position) {
    const prices = position.rungs.filter((rung) => usable(rung.price)).map((rung) => rung.price);
    if (usable(position.liquidation_price)) prices.push(position.liquidation_price);
    if (usable(position.entry_price)) prices.push(position.entry_price);
    return prices;
}

/** How far behind the mark the stretch goes, in price. */
function behind(position) {
    const side = sign(position);
    const least = LEAST_REACH * position.mark;
    const distances = known(position)
        .map((price) => side * (position.mark - price))
        .filter((far) => far > 0);
    const nearest = Math.max(least, Math.min(...distances, Infinity));
    const liquidation = usable(position.liquidation_price)
        ? side * (position.mark - position.liquidation_price)
        : 0;
    if (liquidation > 0 && liquidation <= MOST_BEHIND * nearest) return Math.max(least, liquidation);
    const inside = distances.filter((far) => far <= KEPT_BEHIND * nearest);
    return Math.max(least, ...inside);
}

/** The prices that have to be inside: everything of a sensible distance, and the mark. */
function included(position) {
    const side = sign(position);
    const back = behind(position);
    const ahead = Math.max(MOST_AHEAD * back, LEAST_REACH * position.mark);
    const near = known(position).filter((price) => {
        const far = side * (price - position.mark);
        return far >= -back * 1.0001 && far <= ahead;
    });
    return [position.mark, ...near];
}

function fresh(position, prices) {
    const side = sign(position);
    const low = Math.min(...prices.map((price) => side * price));
    const high = Math.max(...prices.map((price) => side * price), low + LEAST_REACH * position.mark);
    const extent = (high - low) / (1 - LEFT_PAD - RIGHT_PAD);
    return { from: side * (low - extent * LEFT_PAD), to: side * (high + extent * RIGHT_PAD) };
}

function stillFits(stretch, position, prices) {
    const shares = prices.map((price) => shareOf(stretch, price));
    const least = Math.min(...shares);
    const most = Math.max(...shares);
    const isSameWay = Math.sign(stretch.to - stretch.from) === sign(position);
    return isSameWay && least >= EDGE && most <= 1 - EDGE && most - least >= LEAST_USE;
}

/** Where a price lies on a stretch: 0 at its left end, 1 at its right end. */
export const shareOf = (stretch, price) => (price - stretch.from) / (stretch.to - stretch.from);

/**
 * The stretch `{from, to}` for a position. The previous one is kept while everything still fits and uses
 * most of it: the ladder must not slide under the mark with every tick.
 */
export function chooseStretch(position, previous = null) {
    const prices = included(position);
    return previous && stillFits(previous, position, prices) ? previous : fresh(position, prices);
}
