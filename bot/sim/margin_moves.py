"""Requests that move isolated margin or set leverage, with the venue's own refusals."""

from bot.core.event import LeverageSet, MarginAdjusted
from bot.core.intent import AddMargin, ReleaseMargin, SetLeverage
from bot.core.margin import notional, removable_margin
from bot.sim.checks import liquidation_problem, positive_problem, symbol_problem
from bot.sim.ledger import FREE, wallet_account
from bot.sim.matching import leverage_limit
from bot.sim.state import Moment, Refusal, State


def set_leverage(state: State, client_id: str, action: SetLeverage, at: Moment) -> Refusal | None:
    """Set a symbol's leverage. With a position it can only be raised, and no money moves (Binance -4161)."""
    problem = _leverage_problem(state, action)
    if problem:
        return problem
    state.leverage[action.symbol] = int(action.leverage)
    held = state.positions.get(action.symbol)
    if held is not None:
        state.put_position(held._replace(leverage=float(action.leverage)))
    at.out.append(LeverageSet(at.ts_ms, action.symbol, client_id, int(action.leverage)))
    return None


def add_margin(state: State, client_id: str, action: AddMargin, at: Moment) -> Refusal | None:
    """Bring the isolated wallet up to the target out of the free balance."""
    problem = _margin_problem(state, action.symbol, action.target_wallet)
    if problem:
        return problem
    amount = action.target_wallet - state.positions[action.symbol].isolated_wallet
    problem = _step_problem(state, action.symbol, amount, "add")
    if problem:
        return problem
    if amount > state.free_quote:
        return Refusal("insufficient_balance", f"adding {amount:.8f} exceeds the free {state.free_quote:.8f}")
    _move(state, client_id, action.symbol, amount, at)
    return None


def release_margin(state: State, client_id: str, action: ReleaseMargin, at: Moment) -> Refusal | None:
    """Bring the isolated wallet down to the target, no further than the venue's removal rule lets it."""
    problem = _margin_problem(state, action.symbol, action.target_wallet)
    if problem:
        return problem
    held = state.positions[action.symbol]
    amount = held.isolated_wallet - action.target_wallet
    problem = _step_problem(state, action.symbol, amount, "release")
    if problem:
        return problem
    removable = removable_margin(held, state.quote(action.symbol).mark, state.rules[action.symbol])
    if amount > removable + 0.5 * state.instruments[action.symbol].margin_step_quote:
        return Refusal("beyond_removable", f"releasing {amount:.8f} exceeds the removable {removable:.8f}")
    _move(state, client_id, action.symbol, -amount, at)
    return None


def _leverage_problem(state: State, action: SetLeverage) -> Refusal | None:
    if action.symbol not in state.instruments:
        return Refusal("unknown_symbol", f"{action.symbol} is not traded here")
    held = state.positions.get(action.symbol)
    most = state.instruments[action.symbol].max_leverage
    if held is not None:
        value = notional(held, state.quote(action.symbol).mark, state.rules[action.symbol])
        most = min(most, leverage_limit(state, action.symbol, value))
    if not (1 <= action.leverage <= most and action.leverage == action.leverage // 1):
        return Refusal("leverage_refused", f"leverage must be a whole number of 1 to {most:g} here")
    if held is not None and action.leverage < held.leverage:
        return Refusal(
            "leverage_refused", f"a position is open at {held.leverage:g}x: its leverage cannot be lowered"
        )
    return None


def _margin_problem(state: State, symbol: str, target_wallet: float) -> Refusal | None:
    problem = symbol_problem(state, symbol) or positive_problem("target wallet", target_wallet)
    if problem:
        return problem
    if symbol not in state.positions:
        return Refusal("no_position", f"there is no position in {symbol}")
    return liquidation_problem(state, symbol)


def _step_problem(state: State, symbol: str, amount: float, verb: str) -> Refusal | None:
    step = state.instruments[symbol].margin_step_quote
    if amount >= 0.5 * step:
        return None
    return Refusal("below_minimum", f"nothing to {verb}: the amount is {amount:.8f}")


def _move(state: State, client_id: str, symbol: str, amount: float, at: Moment) -> None:
    state.ledger.transfer(FREE, wallet_account(symbol), amount)
    kept = state.put_position(state.positions[symbol])
    at.out.append(MarginAdjusted(at.ts_ms, symbol, client_id, amount, kept, state.free_quote))
