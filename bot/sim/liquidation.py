"""What the venue does to an isolated wallet by itself: funding settlement and liquidation."""

from bot.core.event import FundingDue, FundingSettled, Liquidated
from bot.core.margin import bankruptcy_price, notional, unrealised_pnl
from bot.core.pnl import funding_payment
from bot.sim.ledger import FEES, FUNDING, INSURANCE, MARKET, wallet_account
from bot.sim.state import Moment, State


def liquidate(state: State, symbol: str, mark: float, at: Moment) -> None:
    """Close the position at `mark` and keep its margin.

    What is left of the wallet after the loss pays the clearance fee (liquidation_fee_rate of the
    notional, at most what is left); the rest goes to the insurance fund. When the mark has gapped
    beyond bankruptcy, the fund pays what is missing: the trader loses the isolated wallet, never more.
    """
    position = state.positions[symbol]
    rules, ledger = state.rules[symbol], state.ledger
    wallet, lost = wallet_account(symbol), position.isolated_wallet
    liquidation, bankruptcy = state.liquidation(position), bankruptcy_price(position, rules)
    ledger.transfer(MARKET, wallet, unrealised_pnl(position, mark, rules))
    left = ledger.balance(wallet)
    clearance = state.instruments[symbol].liquidation_fee_rate * notional(position, mark, rules)
    clearance = min(clearance, max(left, 0.0))
    ledger.transfer(wallet, FEES, clearance)
    insurance = ledger.balance(wallet)
    cancelled = Moment(at.ts_ms, [])
    state.drop_position(symbol, INSURANCE, cancelled)
    at.out.append(
        Liquidated(
            at.ts_ms,
            symbol,
            state.next_trade(),
            position.side,
            position.quantity,
            mark,
            liquidation,
            bankruptcy,
            lost,
            clearance,
            insurance,
            state.free_quote,
        )
    )
    at.out.extend(cancelled.out)


def settle_funding(state: State, due: FundingDue, at: Moment) -> None:
    """Do the next thing a settlement causes, until is_funding_finished.

    First the payment at the mark into the isolated wallet, once per symbol and instant; then
    liquidation if it left too little. An interrupted settlement goes on where it stopped.
    """
    settled_ms, finished_ms = state.funding.get(due.symbol, (-1, -1))
    if due.ts_ms > settled_ms:
        state.funding[due.symbol] = (due.ts_ms, finished_ms)
        _pay(state, due, at)
        return
    if due.symbol in state.positions:
        mark = state.quote(due.symbol).mark
        if state.is_liquidated_at(due.symbol, mark):
            liquidate(state, due.symbol, mark, at)
    state.funding[due.symbol] = (due.ts_ms, due.ts_ms)


def is_funding_finished(state: State, due: FundingDue) -> bool:
    """Return whether everything this settlement causes has happened."""
    return due.ts_ms <= state.funding.get(due.symbol, (-1, -1))[1]


def skip_funding(state: State, due: FundingDue) -> None:
    """Remember the settlement of a symbol without a position: it must not be paid by a later one."""
    state.funding[due.symbol] = (due.ts_ms, due.ts_ms)


def _pay(state: State, due: FundingDue, at: Moment) -> None:
    position = state.positions.get(due.symbol)
    if position is None or position.opened_ms > due.ts_ms:  # a live rate is published some seconds late
        return
    mark = state.quote(due.symbol).mark
    amount = funding_payment(position.side, notional(position, mark, state.rules[due.symbol]), due.rate)
    state.ledger.transfer(FUNDING, wallet_account(due.symbol), amount)
    kept = state.put_position(position)
    at.out.append(FundingSettled(at.ts_ms, due.symbol, due.rate, mark, amount, kept, state.free_quote))
