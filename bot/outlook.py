"""Open positions as of a database's last commit: their risk, and what a policy would do with them now.

Reads only. Prices, volatility and margin are those of the last commit, instruments and margin rules those
that the session traded by.
"""

from pathlib import Path
from typing import Any

from bot.core.position import Position, side_name
from bot.engine.state import Holding, Market, State, restore
from bot.engine.window import CandleWindow
from bot.exchange.rows import VenueOrder
from bot.risk.manager import RiskManager
from bot.settings import Settings
from bot.store.markets import stored_market, stored_markets
from bot.store.queries import last_checkpoint
from bot.store.reader import open_reader

Row = dict[str, Any]


def outlook(path: Path, settings: Settings) -> list[Row]:
    """Return a row for each open position, the nearest to liquidation first.

    `action`, `amount_quote` and `reason` are what the policy of `settings` would do. UserError: no database.
    """
    state = last_state(path)
    risk = RiskManager(
        settings.margin.policy,
        settings.margin.policy_params,
        settings.margin.limits,
        settings.entry,
        settings.brackets,
    )
    rows = [
        _row(state, risk, market, market.holding)
        for market in state.markets.values()
        if market.holding is not None
    ]
    return sorted(rows, key=lambda row: row["distance"])


def strangers(path: Path) -> list[Row]:
    """Return a row for each position that the database did not open: open, and not managed by the bot.

    `stop_price` is None where no stop of its symbol rested when the venue was read last.
    """
    with open_reader(path) as reader:
        cut = last_checkpoint(reader)
    found = [each for each in last_state(path).markets.values() if each.foreign is not None]
    if cut is None or not found:
        return []
    orders = [VenueOrder(*row) for row in cut.venue["orders"]]
    return [_stranger(market, market.foreign, orders) for market in found if market.foreign is not None]


def _stranger(market: Market, position: Position, orders: list[VenueOrder]) -> Row:
    resting = [each for each in orders if each.symbol == position.symbol and each.leg == "stop"]
    nearest = max(resting, key=lambda each: position.side * each.trigger_price, default=None)
    return {
        "symbol": position.symbol,
        "side": side_name(position.side),
        "quantity": position.quantity,
        "entry_price": position.entry_price,
        "leverage": position.leverage,
        "isolated_wallet": position.isolated_wallet,
        "stop_price": None if nearest is None else nearest.trigger_price,
        "tick_size": market.instrument.tick_size,
    }


def last_state(path: Path) -> State:
    """Return the session as of the last commit, empty where there is none yet.

    UserError: no database, or one that does not say by which rules it traded.
    """
    with open_reader(path) as reader:
        cut, known = last_checkpoint(reader), stored_markets(reader)
    state = State({})
    if cut is None:
        return state
    for symbol in cut.engine["markets"]:
        market = stored_market(known, symbol)
        state.markets[symbol] = Market(market.instrument, market.rules, CandleWindow(1))
    restore(state, cut.engine)
    # The venue's answers may be timed a little before the newest mark: no mark is younger than now.
    state.now_ms = max([state.now_ms, *(market.mark_ms for market in state.markets.values())])
    return state


def _row(state: State, risk: RiskManager, market: Market, holding: Holding) -> Row:
    view, position = state.view(market, holding), holding.position
    decision = risk.decide_margin(view, state.book(market, holding))
    return {
        "symbol": position.symbol,
        "side": side_name(position.side),
        "quantity": position.quantity,
        "entry_price": position.entry_price,
        "leverage": position.leverage,
        **risk.risk_of(view)._asdict(),
        "stop_price": view.stop_price,
        "margin_added_quote": holding.added_quote,
        "margin_released_quote": holding.released_quote,
        "opened_ms": holding.opened_ms,
        "ts_ms": market.mark_ms,
        "tick_size": market.instrument.tick_size,
        **decision._asdict(),
    }
