"""Laws of the simulated venue over random histories of ticks, funding and requests."""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.event import (
    FundingDue,
    Liquidated,
    MarketEvent,
    MarkPrice,
    OrderCancelled,
    OrderFilled,
    Refused,
    VenueEvent,
)
from bot.core.instrument import Instrument
from bot.core.intent import (
    Action,
    AddMargin,
    CancelOrder,
    Intent,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.core.profile import BINANCE_USDM
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.sim.config import VenueConfig
from bot.sim.venue import SimulatedVenue

SYMBOLS = ("AAA/USDT:USDT", "BBB/USDT:USDT")
TIERS = tiers_from_rows(
    [
        LeverageTier(0.0, 5_000.0, 0.004, 0.0, 100.0),
        LeverageTier(5_000.0, 50_000.0, 0.01, 30.0, 50.0),
        LeverageTier(50_000.0, 1e9, 0.05, 2_030.0, 10.0),
    ]
)
DEPOSIT = 1_000.0


def _instrument(symbol: str) -> Instrument:
    return Instrument(
        symbol, 0.01, 0.1, 0.1, 5.0, 1e-8, 1.0, False, 0.0002, 0.0005, 0.0125, 100.0, 28_800_000, TIERS
    )


class Request(NamedTuple):
    """One random request; `size` and `price` are relative to what the account and the market are then."""

    kind: str
    symbol: str
    side: int
    size: float
    price: float


class Move(NamedTuple):
    """One random tick: the mark moves by `move`, last trades `basis` away from it."""

    symbol: str
    move: float
    basis: float


class Funding(NamedTuple):
    symbol: str
    rate: float


class Play(NamedTuple):
    """A history: each step is a request, a tick or a funding; reactions are made between two events."""

    latency_ms: int
    depth_quote: float
    steps: tuple[Request | Move | Funding, ...]
    reactions: tuple[Request, ...]


KINDS = (
    *("leverage", "open", "open", "limit", "stop", "stop_last", "take_profit", "trailing", "trailing_later"),
    *("cancel", "reduce", "reduce_all", "add", "release", "again"),
)
LENGTH = 120


def _request(dice: Random) -> Request:
    kind, symbol, side = dice.choice(KINDS), dice.choice(SYMBOLS), dice.choice((1, -1))
    return Request(kind, symbol, side, dice.random() ** 2, dice.uniform(-0.05, 0.05))


def _move(dice: Random) -> Move:
    widest = dice.choice((0.002, 0.02, 0.02, 0.3))
    return Move(dice.choice(SYMBOLS), dice.uniform(-widest, widest), dice.uniform(-0.002, 0.002))


def _step(dice: Random) -> Request | Move | Funding:
    drawn = dice.random()
    if drawn < 0.5:
        return _request(dice)
    if drawn < 0.55:
        return Funding(dice.choice(SYMBOLS), dice.uniform(-0.01, 0.01))
    return _move(dice)


def _play(seed: int) -> Play:
    """A long history from one number: drawing every step by hypothesis hardly ever opens a position."""
    dice = Random(seed)
    return Play(
        dice.choice((0, 0, 250, 1_500)),
        dice.choice((1e9, 3_000.0, 400.0)),
        tuple(_step(dice) for _ in range(LENGTH)),
        tuple(_request(dice) for _ in range(20)),
    )


plays = st.integers(0, 2**32).map(_play)


class Player:
    """Plays a history on a venue and checks the laws after every event."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.venue = self.new_venue()
        self.ts_ms = 1_000
        self.sequence = 0
        self.marks: dict[str, float] = dict.fromkeys(SYMBOLS, 100.0)
        self.reactions = list(play.reactions)
        self.seen: list[VenueEvent] = []
        for symbol in SYMBOLS:
            self.feed(MarkPrice(self.ts_ms, symbol, 100.0, 100.0))

    def new_venue(self) -> SimulatedVenue:
        config = VenueConfig(
            half_spread_fraction=0.0002,
            impact_fraction=0.001,
            depth_quote=dict.fromkeys(SYMBOLS, self.play.depth_quote),
            latency_ms=self.play.latency_ms,
            latency_jitter_ms=self.play.latency_ms // 5,
            seed=7,
        )
        return SimulatedVenue(
            {symbol: _instrument(symbol) for symbol in SYMBOLS}, BINANCE_USDM, config, DEPOSIT
        )

    def run(self) -> None:
        for step in self.play.steps:
            if isinstance(step, Request):
                self.request(step)
            else:
                self.feed(self.market_event(step))

    def market_event(self, step: Move | Funding) -> MarketEvent:
        self.ts_ms += 1_000
        if isinstance(step, Funding):
            return FundingDue(self.ts_ms, step.symbol, step.rate)
        mark = self.marks[step.symbol] = min(max(self.marks[step.symbol] * (1.0 + step.move), 1.0), 10_000.0)
        return MarkPrice(self.ts_ms, step.symbol, mark, mark * (1.0 + step.basis))

    def feed(self, event: MarketEvent) -> None:
        for happened in self.venue.advance(event):
            self.observe((happened,))
            if self.reactions:
                self.request(self.reactions.pop())

    def request(self, request: Request) -> None:
        self.sequence += 1
        action = self.action(request)
        client_id = "id1" if request.kind == "again" else f"id{self.sequence}"
        sides = {symbol: self.venue.position_side(symbol) for symbol in SYMBOLS}
        outcome = self.venue.handle(Intent(self.sequence, client_id, self.ts_ms, action, "test", {}))
        for symbol in SYMBOLS:
            if sides[symbol]:
                assert self.venue.position_side(symbol) in (sides[symbol], 0)
        self.observe(outcome)

    def action(self, request: Request) -> Action:
        symbol, side = request.symbol, self.venue.position_side(request.symbol) or request.side
        price = round(self.marks[symbol] * (1.0 + request.price), 2)
        quantity = round(round(request.size * 400.0) * 0.1, 1)
        wallet = self.venue.balances().get(f"wallet:{symbol}", 0.0)
        orders = [order for order in self.venue.snapshot()["orders"] if order[2] == symbol]
        actions: dict[str, Action] = {
            "leverage": SetLeverage(symbol, 1 + int(request.size * 100)),
            "limit": OpenPosition(symbol, request.side, quantity, "limit", price),
            "stop": PlaceStop(symbol, side, price),
            "stop_last": PlaceStop(symbol, side, price, "last"),
            "take_profit": PlaceTakeProfit(symbol, side, quantity, price),
            "trailing": PlaceTrailingStop(symbol, side, quantity, abs(request.price)),
            "trailing_later": PlaceTrailingStop(symbol, side, 0.0, abs(request.price), price),
            "cancel": CancelOrder(symbol, orders[0][1] if orders else "none"),
            "reduce": ReducePosition(symbol, side, quantity),
            "reduce_all": ReducePosition(symbol, side, 0.0),
            "add": AddMargin(symbol, wallet + request.size * 100.0),
            "release": ReleaseMargin(symbol, wallet * (1.0 - request.size)),
        }
        return actions.get(request.kind, OpenPosition(symbol, side, quantity))

    def observe(self, events: tuple[VenueEvent, ...]) -> None:
        self.seen.extend(events)
        assert self.venue.conservation_error() < 1e-9
        assert self.venue.balances()["free"] >= 0.0
        for event in events:
            if isinstance(event, OrderFilled):
                self.check_fill(event)
        for order in self.venue.snapshot()["orders"]:
            if order[7]:  # reduce-only
                assert self.venue.position_side(order[2]) == -order[5]

    def check_fill(self, event: OrderFilled) -> None:
        assert event.quantity > 0.0
        assert event.price > 0.0
        if event.leg == "entry":
            assert event.position is not None
            assert event.position.side == event.order_side
        elif event.position is not None:
            assert event.position.side == -event.order_side


def state_of(venue: SimulatedVenue) -> bytes:
    return orjson.dumps(venue.snapshot(), option=orjson.OPT_SORT_KEYS)


@settings(max_examples=60)
@given(plays)
def test_money_is_conserved_and_no_order_outlives_its_position(play: Play) -> None:
    Player(play).run()


@settings(max_examples=60)
@given(plays)
def test_applying_every_tick_twice_is_applying_it_once(play: Play) -> None:
    once, twice = Player(play), _Twice(play)
    once.run()
    twice.run()
    assert state_of(once.venue) == state_of(twice.venue)
    assert once.seen == twice.seen


@settings(max_examples=60)
@given(plays, st.integers(1, 3))
def test_a_restored_venue_goes_on_as_if_never_stopped(play: Play, every: int) -> None:
    once, crashed = Player(play), _Crashing(play, every)
    once.run()
    crashed.run()
    assert state_of(once.venue) == state_of(crashed.venue)
    assert once.seen == crashed.seen


@settings(max_examples=60)
@given(plays)
def test_the_quiet_path_changes_nothing_but_speed(play: Play) -> None:
    plain, quick = Player(play), _Slow(play)
    plain.run()
    quick.run()
    assert plain.seen == quick.seen
    assert state_of(plain.venue) == state_of(quick.venue)


@settings(max_examples=60)
@given(plays)
def test_neither_liquidation_nor_a_closing_fill_costs_more_than_the_wallet(play: Play) -> None:
    _Wallets(play).run()


def test_the_random_histories_reach_what_they_are_to_check() -> None:
    """Guards the tests above against becoming empty: a fixed set of histories meets every kind of event."""
    kinds: set[str] = set()
    for seed in range(40):
        player = Player(_play(seed))
        player.run()
        kinds.update(_kinds(player.seen))
    wanted = {"Liquidated", "FundingSettled", "MarginAdjusted", "OrderCancelled", "partial", "maker", "stop"}
    assert wanted | {"take_profit", "trailing", "insurance_gain", "insurance_loss"} <= kinds


def _kinds(events: list[VenueEvent]) -> Iterator[str]:
    for event in events:
        yield type(event).__name__
        if isinstance(event, Refused):
            yield event.code
        if isinstance(event, OrderCancelled):
            yield event.cause
        if isinstance(event, Liquidated):
            yield "insurance_loss" if event.insurance_quote < 0.0 else "insurance_gain"
        if isinstance(event, OrderFilled):
            yield event.leg
            yield "maker" if event.is_maker else "taker"
            yield "partial" if event.remaining_quantity > 0.0 else "whole"


class _Twice(Player):
    def feed(self, event: MarketEvent) -> None:
        super().feed(event)
        reactions, self.reactions = self.reactions, []
        super().feed(event)
        self.reactions = reactions


class _Crashing(Player):
    """Saves, throws the venue away and starts a new one after every `every`-th event."""

    def __init__(self, play: Play, every: int) -> None:
        self.every = every
        self.count = 0
        super().__init__(play)

    def feed(self, event: MarketEvent) -> None:
        while self._interrupted(event):
            saved = orjson.loads(orjson.dumps(self.venue.snapshot()))
            self.venue = self.new_venue()
            self.venue.restore(saved)

    def _interrupted(self, event: MarketEvent) -> bool:
        for happened in self.venue.advance(event):
            self.observe((happened,))
            if self.reactions:
                self.request(self.reactions.pop())
            self.count += 1
            if self.count % self.every == 0:
                return True
        return False


class _Slow(Player):
    """Never takes the fast path."""

    def new_venue(self) -> SimulatedVenue:
        venue = super().new_venue()
        venue.is_quiet = lambda event: False  # pyright: ignore[reportAttributeAccessIssue]
        return venue


class _Wallets(Player):
    """Compares the money right before and right after every event."""

    def feed(self, event: MarketEvent) -> None:
        happenings = self.venue.advance(event)
        while True:
            before = self.venue.balances()
            happened = next(happenings, None)
            if happened is None:
                return
            self.compare(before, happened)
            self.observe((happened,))

    def compare(self, before: dict[str, float], happened: VenueEvent) -> None:
        after, wallet = self.venue.balances(), f"wallet:{happened.symbol}"
        if isinstance(happened, Liquidated):
            assert happened.loss_quote == before[wallet]
            assert happened.clearance_fee_quote >= 0.0
            assert wallet not in after
            assert after["free"] == before["free"]
        if isinstance(happened, OrderFilled) and happened.leg != "entry":
            assert after["free"] >= before["free"]
            assert after.get(wallet, 0.0) >= min(before[wallet], 0.0)
