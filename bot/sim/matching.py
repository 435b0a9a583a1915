"""Fills: at what price an order trades, how much of it, and what that does to money and position."""

import math
from typing import NamedTuple

from bot.core.event import OrderFilled
from bot.core.pnl import realised_pnl, trading_fee
from bot.core.position import Position
from bot.core.steps import step_down
from bot.core.tiers import tier_index
from bot.sim.ledger import FEES, FREE, INSURANCE, MARKET, order_account, wallet_account
from bot.sim.orders import Order
from bot.sim.state import Moment, Refusal, State, on_step, value_of


class Trade(NamedTuple):
    """One match: `quantity` in base units (inverse: USD) at `price`."""

    price: float
    quantity: float
    is_maker: bool


def taker_price(state: State, order: Order, price: float) -> float:
    """Return `price` worsened by half the spread and by slippage for what this tick can fill of the order."""
    notional = _notional(state, order.symbol, fillable(state, order, price), price)
    share = min(notional / state.config.depth_quote[order.symbol], 1.0)
    worse = state.config.half_spread_fraction + state.config.impact_fraction * math.sqrt(share)
    return price * (1.0 + order.order_side * worse)


def fillable(state: State, order: Order, price: float) -> float:
    """Return the quantity that one tick fills: what is wanted, at most the book's depth, at least a step."""
    instrument = state.instruments[order.symbol]
    depth = state.config.depth_quote[order.symbol]
    most = step_down(depth * price if instrument.is_inverse else depth / price, instrument.quantity_step)
    return min(wanted_quantity(state, order), max(most, instrument.quantity_step))


def wanted_quantity(state: State, order: Order) -> float:
    """Return what is left of the order; never more than the position for a reduce-only order."""
    if not order.is_reduce_only:
        return order.quantity
    held = state.positions[order.symbol].quantity
    return held if order.quantity == 0.0 else min(order.quantity, held)


def entry_refusal(state: State, order: Order, price: float) -> Refusal | None:
    """Return why an entry order cannot be filled at `price` as a whole, or None when it can.

    Checked: the tier's leverage at the resulting notional; initial margin and fee of what one tick
    fills, from the free balance and the order's own reserve.
    """
    position = state.positions.get(order.symbol)
    if position is not None and position.side != order.order_side:
        return Refusal("position_limit", "a position of the other side is open: reduce it first")
    held = 0.0 if position is None else position.quantity
    notional = _notional(state, order.symbol, held + order.quantity, price)
    leverage = state.leverage[order.symbol]
    most = leverage_limit(state, order.symbol, notional)
    if leverage > most:
        return Refusal("position_limit", f"{notional:.2f} of notional allows {most:g}x, not {leverage}x")
    needed = _cost(state, order.symbol, order.quantity, price)
    available = state.free_quote + state.ledger.balance(order_account(order.client_id))
    if needed > available:
        return Refusal(
            "insufficient_balance", f"margin and fee need {needed:.8f}, available are {available:.8f}"
        )
    return None


def leverage_limit(state: State, symbol: str, notional: float) -> float:
    """Return the highest leverage that the tier of `notional` allows."""
    tiers = state.instruments[symbol].tiers
    return float(tiers.max_leverage[tier_index(tiers, notional)])


def reserve(state: State, order: Order, price: float) -> None:
    """Set aside margin and fee of what is left of the order at `price`, as far as free money goes."""
    account = order_account(order.client_id)
    state.ledger.sweep(account, FREE)
    needed = _cost(state, order.symbol, order.quantity, price)
    state.ledger.transfer(FREE, account, min(needed, state.free_quote))


def fill(state: State, order: Order, trade: Trade, at: Moment) -> None:
    """Carry out a match of an open order: money, position, order and events."""
    instrument = state.instruments[order.symbol]
    rate = instrument.maker_fee_rate if trade.is_maker else instrument.taker_fee_rate
    fee = trading_fee(_notional(state, order.symbol, trade.quantity, trade.price), rate)
    left = on_step(wanted_quantity(state, order) - trade.quantity, instrument.quantity_step)
    pnl = 0.0
    if order.is_reduce_only:
        pnl = _reduce(state, order, trade, fee)
    else:
        _increase(state, order, trade, fee, at.ts_ms)
    _settle_order(state, order, left, trade.price)
    position: Position | None = state.positions[order.symbol]
    cancelled = Moment(at.ts_ms, [])
    if position.quantity == 0.0:
        state.drop_position(order.symbol, FREE, cancelled)
        position = None
    at.out.append(
        OrderFilled(
            at.ts_ms,
            order.symbol,
            order.client_id,
            state.next_trade(),
            order.leg,
            order.order_side,
            trade.price,
            trade.quantity,
            left,
            fee,
            trade.is_maker,
            pnl,
            position,
            state.free_quote,
        )
    )
    at.out.extend(cancelled.out)


def _settle_order(state: State, order: Order, left: float, price: float) -> None:
    """Keep what is left of the order for the next tick, or forget it.

    A trigger that fired goes on as a market order; a limit order that traded on arrival rests.
    """
    if left == 0.0:
        state.drop_order(order)
        return
    is_whole = order.is_reduce_only and order.quantity == 0.0
    rest = order._replace(
        quantity=0.0 if is_whole else left,
        kind="limit" if order.limit_price > 0.0 else "market",
        fill_tick=state.tapes[order.symbol].number,
    )
    state.put_order(rest)
    if not order.is_reduce_only:
        reserve(state, rest, price)


def _increase(state: State, order: Order, trade: Trade, fee: float, ts_ms: int) -> None:
    """Move margin into the isolated wallet and the fee out of it (as Binance does); average the entry."""
    symbol, wallet = order.symbol, wallet_account(order.symbol)
    leverage = state.leverage[symbol]
    state.ledger.sweep(order_account(order.client_id), FREE)
    margin = _notional(state, symbol, trade.quantity, trade.price) / leverage
    state.ledger.transfer(FREE, wallet, margin)
    state.ledger.transfer(wallet, FEES, fee)
    held = state.positions.get(symbol)
    if held is None:
        opened = Position(symbol, order.order_side, trade.quantity, trade.price, 0.0, float(leverage), ts_ms)
        state.put_position(opened)
        return
    entry = _average_entry(held, trade, state.instruments[symbol].is_inverse)
    total = on_step(held.quantity + trade.quantity, state.instruments[symbol].quantity_step)
    state.put_position(held._replace(quantity=total, entry_price=entry))


def _average_entry(held: Position, trade: Trade, is_inverse: bool) -> float:
    total = held.quantity + trade.quantity
    if is_inverse:
        return total / (held.quantity / held.entry_price + trade.quantity / trade.price)
    return (held.quantity * held.entry_price + trade.quantity * trade.price) / total


def _reduce(state: State, order: Order, trade: Trade, fee: float) -> float:
    """Pay the proportional wallet plus PnL minus fee to the free balance; return the PnL.

    A loss beyond that share comes out of the wallet that stays; a loss beyond the whole wallet is
    paid by the insurance fund, so that isolated margin bounds the loss.
    """
    symbol, wallet = order.symbol, wallet_account(order.symbol)
    held, instrument = state.positions[symbol], state.instruments[symbol]
    left = on_step(held.quantity - trade.quantity, instrument.quantity_step)
    share = held.isolated_wallet * (trade.quantity / held.quantity if left > 0.0 else 1.0)
    pnl = realised_pnl(held.side, held.entry_price, trade.price, trade.quantity, instrument.is_inverse)
    state.ledger.transfer(MARKET, wallet, pnl)
    state.ledger.transfer(wallet, FEES, fee)
    paid_out = share + pnl - fee
    if paid_out > 0.0 and left > 0.0:
        state.ledger.transfer(wallet, FREE, paid_out)
    elif state.ledger.balance(wallet) < 0.0:
        state.ledger.transfer(INSURANCE, wallet, -state.ledger.balance(wallet))
    state.put_position(held._replace(quantity=left))
    return pnl


def _cost(state: State, symbol: str, quantity: float, price: float) -> float:
    """Return initial margin plus taker fee of `quantity` at `price`."""
    notional = _notional(state, symbol, quantity, price)
    return notional / state.leverage[symbol] + trading_fee(notional, state.instruments[symbol].taker_fee_rate)


def _notional(state: State, symbol: str, quantity: float, price: float) -> float:
    return value_of(quantity, price, state.instruments[symbol].is_inverse)
