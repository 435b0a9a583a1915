/**
 * Where the labels below a ladder go: never over each other, each on the line of its own rung. Pure.
 *
 * A label may slide as long as it stays over its rung, so that every leader line is vertical. Where a lane
 * has no room the next one is tried; a lane can always be added, so a place is always found.
 */

export const GAP = 10; // pixels between two labels of a lane
const HOLD = 8; // pixels of a label that stay on each side of its rung while it slides
const LEADER = 3; // pixels kept free on each side of a leader line

const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));

/** The stretch of left edges a label may have: over its rung and inside the rail. */
function room(label, width) {
    const hold = Math.min(HOLD, label.width / 2);
    const low = clamp(label.x - label.width + hold, 0, width - label.width);
    const high = clamp(label.x - hold, 0, width - label.width);
    return { low: Math.min(low, high), high: Math.max(low, high) };
}

/** The left edge nearest to `ideal` at which nothing taken in the lane is touched; null for none. */
function freeLeft(taken, label, ideal, bounds) {
    const edges = taken.flatMap((one) => [one.from - label.width, one.to]);
    const candidates = [ideal, ...edges].filter((left) => left >= bounds.low && left <= bounds.high);
    const free = candidates.filter((left) =>
        taken.every((one) => left + label.width <= one.from + 1e-9 || left >= one.to - 1e-9),
    );
    return free.length ? free.reduce((a, b) => (Math.abs(a - ideal) <= Math.abs(b - ideal) ? a : b)) : null;
}

/** Whether a vertical line at `x` runs through a label that stands in a nearer lane. */
const crosses = (lanes, depth, x) =>
    lanes.slice(0, depth).some((lane) => lane.some((one) => one.isLabel && x > one.from && x < one.to));

function settle(lanes, depth, label, left) {
    lanes[depth].push({ from: left - GAP, to: left + label.width + GAP, isLabel: true });
    for (const nearer of lanes.slice(0, depth)) {
        nearer.push({ from: label.x - LEADER, to: label.x + LEADER, isLabel: false });
    }
    return { id: label.id, left, lane: depth };
}

/** The first lane with a place, its leader free; `mostLanes` ends the search for one whose leader is free. */
function place(lanes, label, width, mostLanes) {
    const bounds = room(label, width);
    const ideal = clamp(label.x - label.width / 2, bounds.low, bounds.high);
    for (const isStrict of label.isOptional ? [true] : [true, false]) {
        for (let depth = 0; depth <= lanes.length && (!isStrict || depth < mostLanes); depth += 1) {
            if (isStrict && crosses(lanes, depth, label.x)) continue;
            const left = freeLeft(lanes[depth] ?? [], label, ideal, bounds);
            if (left === null) continue;
            if (depth === lanes.length) lanes.push([]);
            return settle(lanes, depth, label, left);
        }
    }
    return null;
}

/**
 * Return `{id, left, lane}` of each label, lane 0 next to the rail. `labels`: `{id, x, width, weight,
 * isOptional}` with x inside [0, width]; the heavier choose first. One wider than the rail begins at 0.
 * An optional one is left out where it would need a lane beyond `mostLanes` or stand in another's line.
 */
export function placeLabels(labels, width, mostLanes = 2) {
    const lanes = [];
    const order = [...labels].sort((a, b) => b.weight - a.weight || a.x - b.x);
    return order.map((label) => place(lanes, label, width, mostLanes)).filter((placed) => placed !== null);
}
