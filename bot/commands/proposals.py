"""What an order would do, in numbers and in words, before anybody confirms it."""

from dataclasses import dataclass
from typing import Any, Final

from bot.commands.order import Order, OrderFault
from bot.core.note import PositionRisk
from bot.core.position import side_name
from bot.engine import by_hand
from bot.evidence.named import named
from bot.risk.by_hand import Preview, Wish
from bot.view.figures import counted, money, pair, quantity_text
from bot.view.risk_maker import RiskBoardMaker
from bot.view.watched import Watched

OF_A_POSITION: Final = ("add", "release", "reduce", "close")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state of things before and after an order, and the sentence that says it."""

    before: dict[str, Any]
    after: dict[str, Any]
    words: str


def of_position(
    bot: Watched, verb: str, symbol: str, amount_quote: float | None, fraction: float | None
) -> Order:
    """Return an order about the position that is open in `symbol` now. OrderFault: it makes none."""
    needed = {"add": amount_quote, "release": amount_quote, "reduce": fraction, "close": 1.0}[verb]
    if needed is None:
        field = "fraction" if verb == "reduce" else "amount_quote"
        raise OrderFault("unusable", f"To {verb} needs {field}.", f"Send {field}.")
    market = bot.engine.state.markets.get(symbol)
    held_id = market.holding.position_id if market is not None and market.holding is not None else 0
    amount = amount_quote if verb in ("add", "release") else None
    share = fraction if verb == "reduce" else None
    order = Order(verb, symbol=symbol, amount_quote=amount or 0.0, fraction=share or 0.0, position_id=held_id)
    found = preview(bot, order)
    if found.refusal:
        raise OrderFault("unusable", found.refusal, "Look at the position, and order what its limits allow.")
    return order


def preview(bot: Watched, order: Order) -> Preview:
    """Return what an order about a position would come to now."""
    desk = bot.engine.desk
    market = desk.state.markets.get(order.symbol)
    is_blind = market is not None and desk.is_blind(market)
    wish = Wish(order.verb, order.amount_quote, order.fraction)
    return by_hand.preview(desk.state, desk.risk, order.symbol, wish, is_blind=is_blind)


def outcome(bot: Watched, board: RiskBoardMaker, order: Order) -> Outcome:
    """Return what an order would do, as of now."""
    return _of_position(bot, order) if order.verb in OF_A_POSITION else _of_all(bot, board, order)


def _of_position(bot: Watched, order: Order) -> Outcome:
    found = preview(bot, order)
    holding = bot.engine.state.markets[order.symbol].holding
    name = (
        pair(order.symbol) if holding is None else f"{side_name(holding.position.side)} {pair(order.symbol)}"
    )
    words = {
        "add": f"Adds {money(found.amount_quote)} to the margin of {name}.",
        "release": f"Releases {money(found.amount_quote)} from the margin of {name}.",
        "reduce": f"Closes {quantity_text(found.quantity)} of {name} at market.",
        "close": f"Closes {name} at market.",
    }[order.verb]
    return Outcome(_risk(found.before), _risk(found.after), words)


def _risk(risk: PositionRisk | None) -> dict[str, Any]:
    """The numbers under the names that positions have in the API; empty where nothing is left."""
    if risk is None:
        return {}
    known = named(risk)
    return {
        "mark": known["mark"],
        "wallet_quote": known["isolated_wallet"],
        "margin_ratio": known["margin_ratio"],
        "liquidation_price": known["liquidation_price"] or None,
        "distance": known["distance"],
        "notional_quote": known["notional_quote"],
        "probability_24h": known["liquidation_probability"],
    }


def _of_all(bot: Watched, board: RiskBoardMaker, order: Order) -> Outcome:
    held = board.positions()
    positions = [{"symbol": each.symbol, "side": each.side, "quantity": each.quantity} for each in held]
    before: dict[str, Any] = {"positions": positions, "halted": bot.engine.state.halt_level()}
    if order.verb == "resume":
        words = "Entries go on with REAL MONEY, every halt that waits for a person is lifted."
        return Outcome(before, {**before, "halted": ""}, words)
    names = ", ".join(pair(each.symbol) for each in held)
    words = f"Closes {counted(len(held), 'position')} at market ({names or 'none'}), then nothing is entered."
    return Outcome(before, {"positions": [], "halted": "FLATTEN"}, words)
