/** Orders to the bot: idempotent by key, followed until they are done or refused. */
import { freshKey, post, read } from "./api.js";

const FOLLOWED_MS = 10_000;
const LOOK_EVERY_MS = 300;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Follow a waiting order; one that is still waiting at the end is said so, and is not lost. */
async function followed(answer) {
    const until = Date.now() + FOLLOWED_MS;
    let known = answer;
    while (known.state === "waiting" && Date.now() < until) {
        await pause(LOOK_EVERY_MS);
        known = { ...known, ...(await read(`commands/${encodeURIComponent(answer.command_id)}`)) };
    }
    return known;
}

/**
 * Give an order. What moves money is answered with `needs_confirmation`, `confirm`, `before` and `after`:
 * give it again with that `confirm`. Anything else ends as `{state, message}`. Trouble: refused, unreachable.
 */
export async function order(body) {
    const answer = await post("commands", body, { "Idempotency-Key": freshKey() });
    return answer.needs_confirmation ? answer : followed(answer);
}
