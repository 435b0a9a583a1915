"""How much margin may be added, and which cap, step or cooldown says otherwise; margin-science 3.0."""

from bot.core.compiled import compiled
from bot.core.steps import step_down, step_up
from bot.risk.limits import MarginLimits
from bot.risk.reasons import (
    ADD,
    ADD_COOLDOWN,
    AGREED_LOSS,
    BELOW_BAND,
    BELOW_STEP,
    CANNOT_REACH,
    EMERGENCY,
    HOLD,
    MAX_ADDED,
    MAX_ADDS,
    POSITION_CAP,
    RESERVE,
)
from bot.risk.verdict import Edge, Measured, Verdict, hold, to_ladder
from bot.risk.view import MarginBook, MarginView
from bot.risk.wallet import FARTHEST_LONG, distance_with, minimum_step, target_wallet


@compiled
def judge_add(
    view: MarginView, measured: Measured, book: MarginBook, limits: MarginLimits, may_fall_short: bool
) -> Verdict:
    """Return the add that the band asks for, or what stands against it."""
    wallet = view.position.isolated_wallet
    if book.adds >= limits.max_adds:
        return to_ladder(MAX_ADDS, wallet)
    ceiling = add_ceiling(wallet, book, limits)
    wanted = target_wallet(view, measured.band.target)
    amount = amount_to_add(wallet, wanted, ceiling.wallet, book.margin_step_quote)
    # A resting stop is met before liquidation, so being close to both is no emergency (margin-science 2).
    is_emergency = view.stop_price == 0.0 and measured.probability_hour > limits.emergency_probability
    is_capped = wallet + amount < wanted
    least = minimum_step(wallet, limits)
    # Losses or funding may have left so little that no add that is allowed makes a wallet of it.
    is_nothing = amount <= 0.0 or wallet + amount <= 0.0
    if is_nothing or (amount < least and not is_emergency):
        return to_ladder(ceiling.reason, wallet) if is_capped else hold(BELOW_STEP, wallet)
    # An add that is not capped reaches its target, unless no wallet can.
    is_doubtful = is_capped or measured.band.low > FARTHEST_LONG
    if is_doubtful and not may_fall_short and distance_with(view, wallet + amount) < measured.band.low:
        return to_ladder(CANNOT_REACH, wallet)
    retry_at_ms = book.last_add_ms + limits.add_cooldown_ms
    if book.last_add_ms > 0 and view.ts_ms < retry_at_ms and not is_emergency:
        return Verdict(HOLD, ADD_COOLDOWN, wallet, 0.0, retry_at_ms, False)
    return Verdict(ADD, EMERGENCY if is_emergency else BELOW_BAND, wallet + amount, amount, 0, False)


@compiled
def add_ceiling(wallet: float, book: MarginBook, limits: MarginLimits) -> Edge:
    """Return the largest wallet an add may make; below `wallet` nothing can be added."""
    ceiling = account_ceiling(wallet, book, limits)
    by_added = wallet + limits.max_added_fraction * book.initial_wallet_quote - book.added_quote
    if by_added < ceiling.wallet:
        ceiling = Edge(by_added, MAX_ADDED)
    return ceiling


@compiled
def account_ceiling(wallet: float, book: MarginBook, limits: MarginLimits) -> Edge:
    """Return the same by what the account can bear and the leg may lose, whatever was added before."""
    ceiling = Edge(book.agreed_loss_quote, AGREED_LOSS)
    by_position = limits.position_cap_fraction * book.equity_quote
    if by_position < ceiling.wallet:
        ceiling = Edge(by_position, POSITION_CAP)
    by_reserve = wallet + book.free_quote - limits.reserve_fraction * book.equity_quote
    if by_reserve < ceiling.wallet:
        ceiling = Edge(by_reserve, RESERVE)
    return ceiling


@compiled
def amount_to_add(wallet: float, wanted: float, ceiling: float, step: float) -> float:
    """Return what lifts `wallet` to `wanted`, up to the margin step but never above the ceiling; quote."""
    up = step_up(max(wanted - wallet, 0.0), step)
    if wallet + up <= ceiling:
        return up
    room = max(ceiling - wallet, 0.0)
    return min(step_down(room, step), room)
