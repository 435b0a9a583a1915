"""A venue that answers a real ccxt client by method and path, and the life of one position told to it.

`ScriptedAccount` keeps what any venue keeps; a venue's own script writes it down in that venue's rows
(`answers`: "METHOD /path" to a value, a Refusal, an exception, or a function of the parameters).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest

from bot.clock import VirtualClock
from bot.core.event import LeverageSet, MarginAdjusted, OrderAccepted, OrderCancelled, OrderFilled
from bot.core.intent import Action, AddMargin, Intent, OpenPosition, PlaceStop, ReducePosition, SetLeverage
from bot.exchange.connect import Connection, connect
from bot.exchange.hosts import Access
from tests.unit.exchange.recorder import CANARY, START_MS, Sent

BASE = "http://127.0.0.1:1"
BTC = "BTC/USDT:USDT"


class Refusal(NamedTuple):
    """An answer that is not a 200, or a 200 that says no."""

    body: Any
    status: int = 200


class ScriptedVenue:
    """A connection whose requests end here, and the list of them."""

    def __init__(self, venue_id: str, answers: Mapping[str, Any], symbol: str = BTC) -> None:
        self.clock, self.symbol = VirtualClock(START_MS), symbol
        access = Access("loopback", BASE)
        self.connection: Connection = connect(venue_id, access, CANARY, (symbol,), self.clock)
        self.client = self.connection.link.client
        self.client.fetch = self._fetch
        self.gateway = self.connection.gateway
        self.answers, self.requests = dict(answers), list[Sent]()

    async def _fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        parts = urlsplit(url)
        sent = Sent(method, parts.path, dict(parse_qsl(parts.query)), json.loads(body) if body else None)
        self.requests.append(sent)
        answer = self.answers[f"{method} {parts.path}"]
        answer = answer(_parameters(sent)) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        reply = answer if isinstance(answer, Refusal) else Refusal(answer)
        text = json.dumps(reply.body)
        parsed = json.loads(text)
        self.client.handle_errors(reply.status, "", url, method, {}, text, parsed, headers, body)
        self.client.handle_http_status_code(reply.status, "", url, method, text)
        return parsed

    def bodies(self, method: str, path: str) -> list[Any]:
        """Return the parameters of every request to an endpoint."""
        return [_parameters(each) for each in self.requests if (each.method, each.path) == (method, path)]

    def writes(self) -> list[str]:
        """Return what was changed, by "METHOD /path"."""
        return [f"{each.method} {each.path}" for each in self.requests if each.method != "GET"]

    async def execute(self, action: Action, client_id: str) -> tuple[Any, ...]:
        """Perform an action under an id; return the events."""
        self.clock.advance(1_000)
        intent = Intent(1, client_id, self.clock.now_ms(), action, "script", {})
        return await self.gateway.execute(intent)


def _parameters(sent: Sent) -> Any:
    return {**sent.query, **sent.body} if isinstance(sent.body, dict) else sent.body or sent.query


class Fill(NamedTuple):
    """One trade; quantities in base units, `realised_quote` without the fee."""

    trade_id: int
    venue_id: str
    client_id: str
    side: int
    price: float
    quantity: float
    fee_quote: float
    realised_quote: float
    ts_ms: int


class Resting(NamedTuple):
    """A conditional order. quantity 0: the whole position."""

    venue_id: str
    client_id: str
    side: int
    quantity: float
    trigger_price: float


@dataclass
class ScriptedAccount:
    """What a venue keeps of an account with one symbol. `signed`: base units, short below zero."""

    leverage: int = 10
    price: float = 50_000.0
    fee_rate: float = 0.0006
    signed: float = 0.0
    entry_price: float = 0.0
    wallet: float = 0.0
    free: float = 10_000.0
    now_ms: int = START_MS
    fills: list[Fill] = field(default_factory=list)
    stops: dict[str, Resting] = field(default_factory=dict)
    ended: dict[str, Resting] = field(default_factory=dict)
    moves: list[float] = field(default_factory=list)
    is_auto_add: bool = False

    def trade(self, client_id: str, side: int, quantity: float) -> str:
        """Fill a market order at `price`; return the venue's order id. An ended position ends its stops."""
        self.now_ms += 1_000
        number = len(self.fills) + 1
        is_reducing = self.signed * side < 0.0
        realised = -side * quantity * (self.price - self.entry_price) if is_reducing else 0.0
        fee = quantity * self.price * self.fee_rate
        venue_id = f"70{number}"
        ts_ms = self.now_ms
        self.fills.append(Fill(number, venue_id, client_id, side, self.price, quantity, fee, realised, ts_ms))
        self._hold(side, quantity, is_reducing)
        self.free += realised - fee
        return venue_id

    def rest(self, client_id: str, side: int, quantity: float, trigger_price: float) -> str:
        """Rest a conditional order; return the venue's order id."""
        venue_id = f"80{len(self.stops) + len(self.ended) + 1}"
        self.stops[venue_id] = Resting(venue_id, client_id, side, quantity, trigger_price)
        return venue_id

    def move_margin(self, amount_quote: float) -> None:
        """Add (> 0) or release (< 0) margin."""
        self.moves.append(amount_quote)
        self.wallet += amount_quote
        self.free -= amount_quote

    def _hold(self, side: int, quantity: float, is_reducing: bool) -> None:
        before = abs(self.signed)
        after = round(self.signed + side * quantity, 9)
        margin = self.wallet * (1.0 - abs(after) / before) if is_reducing else 0.0
        taken = 0.0 if is_reducing else quantity * self.price / self.leverage
        self.wallet += taken - margin
        self.free += margin - taken
        self.signed = after
        if not is_reducing:
            self.entry_price = self.price
        if after == 0.0:
            self.wallet, self.entry_price = 0.0, 0.0
            self.ended |= self.stops
            self.stops = {}


ENTRY, STOP, ADD, REDUCE, CLOSE = "RF0000001E", "RF0000002S", "RF0000003M", "RF0000004X", "RF0000005X"


async def live_through(venue: ScriptedVenue, account: ScriptedAccount) -> None:
    """Start flat, enter 0.1 long, rest a stop, add margin, reduce to 0.06, close: all told as it was."""
    symbol = venue.symbol
    await _start_flat(venue)
    (leverage,) = await venue.execute(SetLeverage(symbol, 10), "RF0000000L")
    assert isinstance(leverage, LeverageSet)
    assert leverage.leverage == 10
    await _enter(venue, account)
    (rested,) = await venue.execute(PlaceStop(symbol, 1, 49_000.0), STOP)
    assert rested[1:] == (symbol, STOP, "stop", 0.0)
    assert isinstance(rested, OrderAccepted)
    (stop,) = (await venue.gateway.account()).orders
    assert (stop.client_id, stop.order_side, stop.trigger_price, stop.trigger_on) == (
        STOP,
        -1,
        49_000.0,
        "mark",
    )
    await _add_margin(venue, account)
    await _reduce(venue, account)
    await _close(venue)


async def _start_flat(venue: ScriptedVenue) -> None:
    held = await venue.gateway.account()
    assert held.positions == held.orders == ()
    assert held.free_quote == pytest.approx(10_000.0)


async def _enter(venue: ScriptedVenue, account: ScriptedAccount) -> None:
    accepted, filled = await venue.execute(OpenPosition(venue.symbol, 1, 0.1), ENTRY)
    assert isinstance(accepted, OrderAccepted)
    assert isinstance(filled, OrderFilled)
    assert (filled.client_id, filled.leg, filled.order_side, filled.price) == (ENTRY, "entry", 1, 50_000.0)
    assert (filled.quantity, filled.remaining_quantity, filled.fee_quote) == pytest.approx((0.1, 0.0, 3.0))
    held = filled.position
    assert held is not None
    assert (held.side, held.quantity, held.entry_price) == (1, pytest.approx(0.1), 50_000.0)
    assert held.isolated_wallet == pytest.approx(account.wallet)
    assert held.leverage == 10.0


async def _add_margin(venue: ScriptedVenue, account: ScriptedAccount) -> None:
    before = account.wallet
    (added,) = await venue.execute(AddMargin(venue.symbol, before + 25.5), ADD)
    assert isinstance(added, MarginAdjusted)
    assert (added.client_id, added.amount_quote) == (ADD, pytest.approx(25.5))
    assert account.moves == [pytest.approx(25.5)]
    assert added.position.isolated_wallet == pytest.approx(before + 25.5)


async def _reduce(venue: ScriptedVenue, account: ScriptedAccount) -> None:
    account.price = 50_500.0
    events = await venue.execute(ReducePosition(venue.symbol, 1, 0.04), REDUCE)
    (filled,) = [event for event in events if isinstance(event, OrderFilled)]
    assert (filled.client_id, filled.leg, filled.order_side) == (REDUCE, "exit", -1)
    assert (filled.quantity, filled.realised_pnl_quote) == pytest.approx((0.04, 20.0))
    assert filled.position is not None
    assert filled.position.quantity == pytest.approx(0.06)
    assert filled.position.isolated_wallet == pytest.approx(account.wallet)


async def _close(venue: ScriptedVenue) -> None:
    events = await venue.execute(ReducePosition(venue.symbol, 1, 0.0), CLOSE)
    (filled,) = [event for event in events if isinstance(event, OrderFilled)]
    assert (filled.quantity, filled.realised_pnl_quote) == pytest.approx((0.06, 30.0))
    assert filled.position is None
    (ended,) = [event for event in events if isinstance(event, OrderCancelled)]
    assert (ended.client_id, ended.leg, ended.cause) == (STOP, "stop", "position_closed")
    after = await venue.gateway.account()
    assert after.positions == after.orders == ()
