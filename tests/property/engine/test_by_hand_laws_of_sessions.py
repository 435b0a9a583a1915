"""Laws of a person's orders over random markets: each ends once, money is kept, and no invariant breaks."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.event import CommandDone, InvariantBroken, MarginMoved
from bot.core.intent import AddMargin, ReducePosition, ReleaseMargin
from bot.engine import by_hand
from bot.engine.state import restore
from bot.ports import Command
from tests.property.engine.test_session_laws import bench_of, market_of
from tests.unit.engine.desk_builder import START_MS, A, B, Bench

_MINUTES = 25
_EVENTS = _MINUTES * 12
_KINDS = (AddMargin, ReleaseMargin, ReducePosition)
seeds = st.integers(0, 2**32 - 1)
wishes = st.lists(
    st.tuples(
        st.integers(0, _EVENTS),
        st.sampled_from(["add", "add", "release", "release", "reduce", "close"]),
        st.sampled_from([A, B]),
        st.floats(0.1, 400.0),
    ),
    min_size=1,
    max_size=12,
)


def play_with(bench: Bench, events: list[Any], orders: list[tuple[int, Command]]) -> None:
    """Let a market happen, and a person give orders in it that are looked at as in the loop."""
    waiting = sorted(orders, key=lambda each: each[0])
    for number, event in enumerate(events):
        bench.ts_ms = event.ts_ms
        bench.feed(event)
        while waiting and waiting[0][0] <= number:
            by_hand.take(bench.engine.desk, waiting.pop(0)[1])
        if by_hand.is_any_due(bench.engine.state):
            bench.perform(bench.engine.obey())


def orders_of(drawn: list[tuple[int, str, str, float]]) -> list[tuple[int, Command]]:
    return [
        (moment, Command(f"{number}", verb, "", "", symbol, amount, amount / 500.0))
        for number, (moment, verb, symbol, amount) in enumerate(drawn)
    ]


def began(policy: str, depth: float = 1e9) -> Bench:
    bench = bench_of(policy, depth)
    bench.engine.desk.began_ms = START_MS
    return bench


@settings(max_examples=25)
@given(seeds, wishes, st.sampled_from(["distance_band", "stop_anchor"]), st.sampled_from([1e9, 1_500.0]))
def test_every_order_ends_once_and_the_books_are_kept(
    seed: int, drawn: list[tuple[int, str, str, float]], policy: str, depth: float
) -> None:
    bench, orders = began(policy, depth), orders_of(drawn)
    play_with(bench, market_of(seed, _MINUTES), orders)
    ended = [note.command_id for note in bench.told(CommandDone)]
    left = [errand.command_id for errand in bench.engine.state.errands if errand.is_open]
    assert len(ended) == len(set(ended))
    given_ids = [each.command_id for moment, each in orders if moment < _EVENTS]
    assert sorted([*ended, *left]) == sorted(given_ids)
    assert bench.told(InvariantBroken) == []
    state = bench.engine.state
    assert {position.symbol: position for position in state.positions()} == bench.venue._state.positions
    assert bench.venue.conservation_error() < 1e-12
    sent = [each for each in bench.sent if each.reason == by_hand.REASON]
    assert all(isinstance(each.action, _KINDS) for each in sent)
    done = [note for note in bench.told(CommandDone) if note.state == "done"]
    assert len(done) <= len(sent)


@settings(max_examples=10)
@given(seeds, wishes, st.integers(0, _EVENTS))
def test_an_engine_restored_between_two_orders_goes_on_as_if_never_stopped(
    seed: int, drawn: list[tuple[int, str, str, float]], moment: int
) -> None:
    events, orders = market_of(seed, _MINUTES), orders_of(drawn)
    before = [each for each in orders if each[0] < moment]
    after = [(at - moment, command) for at, command in orders if at >= moment]
    whole, first, second = (began("distance_band", 3_000.0) for _ in range(3))
    play_with(whole, events, orders)
    play_with(first, events[:moment], before)
    restore(second.engine.state, first.engine.snapshot())
    second.venue.restore(first.venue.snapshot())
    for symbol, market in first.engine.state.markets.items():
        second.engine.state.markets[symbol].window.load(market.window.view())
    play_with(second, events[moment:], after)
    assert [*first.sent, *second.sent] == whole.sent
    assert [*first.notes, *second.notes] == whole.notes


def test_the_orders_above_reach_adds_releases_reductions_closes_and_refusals() -> None:
    seen: set[str] = set()
    for seed in range(6):
        bench = began("distance_band")
        drawn = [(30 * step + seed, verb, symbol, 40.0) for symbol in (A, B) for step, verb in _SEQUENCE]
        play_with(bench, market_of(seed, _MINUTES), orders_of(drawn))
        seen |= {f"{note.verb} {note.state}" for note in bench.told(CommandDone)}
        moved = [note for note in bench.told(MarginMoved) if note.reason == by_hand.REASON]
        seen |= {"margin out" for note in moved if note.amount_quote < 0.0}
    assert seen >= {"add done", "release done", "reduce done", "close done", "release refused", "margin out"}


_SEQUENCE = tuple(enumerate(("add", "add", "release", "reduce", "add", "release", "reduce", "close")))
