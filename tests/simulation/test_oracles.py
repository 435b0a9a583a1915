"""Every oracle of the simulation has been seen red: each is shown what it must tell, and what not."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.event import EntriesResumed, InvariantBroken, Reconciled
from bot.core.halt import BY_PERSON
from bot.core.intent import (
    Action,
    AddMargin,
    CancelOrder,
    Intent,
    OpenPosition,
    PlaceStop,
    ReducePosition,
    ReleaseMargin,
)
from bot.core.position import Position
from bot.ports import Checkpoint, Commit, Resolution
from bot.sim.orders import Order
from bot.sim.server.auth import PAPER_SECRET
from bot.sim.server.books import MarginMove, PlacedOrder, TradeRow
from tests.simulation import books
from tests.simulation.books import secrets_in
from tests.simulation.calls import Call
from tests.simulation.faults.table import FAULTS, PROTECTED_WITHIN_S
from tests.simulation.process import Process
from tests.simulation.scenario import judge
from tests.simulation.world import World

BTC = "BTC/USDT:USDT"
LONG = Position(BTC, 1, 0.1, 50_000.0, 500.0, 10.0)


class Stage:
    """A world that was built and does not run."""

    def __init__(self, folder: Path) -> None:
        self.world = World(1, "binance", folder, (BTC,), 60)
        self.world.build()
        self.world.bound_ms = 10_000
        self.watch = self.world.watch
        self.embedded = self.world.exchange.embedded
        self.state = self.world.exchange.venue.state
        self.process, self.seq = Process("bot0"), 0

    def intent(self, action: Action, name: str = "", ts_ms: int = 0) -> Intent:
        self.seq += 1
        client_id = name or f"RFTabcdef{self.seq:07d}X"
        return Intent(self.seq, client_id, ts_ms or self.world.began_ms, action, "planted", {})

    def write(self, *intents: Intent, **parts: Any) -> None:
        self.watch.hear_commit("after", Commit(0, intents=intents, **parts))

    def entered(self) -> Intent:
        entry = self.intent(OpenPosition(BTC, 1, 0.1))
        self.write(entry)
        return entry

    def halted(self, level: str, *notes: Any) -> None:
        halts = {"planted": [level, "", 0, True]} if level else {}
        self.write(notes=notes, checkpoint=Checkpoint({"halts": halts}, {}, {}))

    def call(
        self, kind: str, text: str = "", where: str = "arriving", process: Process | None = None
    ) -> None:
        self.watch.hear_call(Call(1, process or self.process, "POST", "/x", text, "", {}, kind), where)

    def hold(self, position: Position = LONG) -> None:
        self.state.positions[BTC] = position

    def stop(self, number: int, price: float = 49_000.0, leg: Any = "stop") -> None:
        name = f"RFTabcdef{number:07d}S"
        self.state.orders.put(Order(number, name, BTC, leg, "trigger", -1, 0.0, True, 0, 0, price))

    def later(self, seconds: float) -> None:
        self.world.wall.began_ms += round(1000.0 * seconds)

    def names(self) -> list[str]:
        return [line.partition(" ")[0] for line in self.world.violations]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.world.loop.close()


# --- what the bot itself finds --------------------------------------------------------------------


def test_what_the_bot_finds_broken_is_a_violation(stage: Stage) -> None:
    stage.write(notes=(InvariantBroken(0, BTC, "I1", "no stop for a moment"),))
    stage.write(notes=(InvariantBroken(0, BTC, "I24", "planted"), Reconciled(0, BTC, "position", {})))
    assert stage.names() == ["I24"]
    stage.write(notes=(Reconciled(0, "", "money", {"residual_quote": 1.0}),))
    assert stage.names() == ["I24", "I23"]


# --- protection -----------------------------------------------------------------------------------


def test_a_position_without_a_stop_is_told_after_the_bound_and_not_before(stage: Stage) -> None:
    stage.hold()
    stage.watch.look()
    stage.later(10.0)
    stage.watch.look()
    assert stage.names() == []
    stage.later(0.1)
    stage.watch.look()
    assert stage.names() == ["I1"]


@pytest.mark.parametrize(("price", "expected"), [(49_000.0, []), (45_000.0, ["I1"])])
def test_a_stop_beyond_liquidation_protects_nothing(stage: Stage, price: float, expected: list[str]) -> None:
    stage.hold()
    stage.stop(1, price)
    stage.watch.look()
    stage.later(11.0)
    stage.watch.look()
    assert stage.names() == expected


def test_two_stops_for_more_than_a_minute_are_told(stage: Stage) -> None:
    stage.hold()
    stage.stop(1)
    stage.stop(2)
    stage.watch.look()
    stage.later(60.0)
    stage.watch.look()
    assert stage.names() == []
    stage.later(1.0)
    stage.watch.look()
    assert stage.names() == ["I12"]


def test_an_order_that_outlives_its_position_is_told(stage: Stage) -> None:
    stage.stop(1, leg="take_profit")
    stage.watch.look()
    stage.later(61.0)
    stage.watch.look()
    assert stage.names() == ["I12"]


def test_a_fault_states_a_longer_bound_only_with_a_reason() -> None:
    longer = {name for name, fault in FAULTS.items() if fault.bound_s != PROTECTED_WITHIN_S}
    assert {name for name, fault in FAULTS.items() if fault.why} == longer
    assert all(PROTECTED_WITHIN_S < FAULTS[name].bound_s <= 30.0 for name in longer)


# --- what is written ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action",
    [OpenPosition(BTC, 1, float("nan")), OpenPosition(BTC, 1, -1.0), OpenPosition(BTC, 1, float("inf"))],
)
def test_numbers_that_are_none_are_told(stage: Stage, action: Action) -> None:
    stage.write(stage.intent(action))
    assert stage.names() == ["I15"]


@pytest.mark.parametrize(
    "action",
    [PlaceStop(BTC, 1, 49_000.0), ReducePosition(BTC, 1, 0.0), AddMargin(BTC, 9.0), CancelOrder(BTC, "web")],
)
def test_acting_on_what_was_never_entered_is_told(stage: Stage, action: Action) -> None:
    stage.write(stage.intent(action))
    assert stage.names() == ["I13"]


def test_acting_on_what_was_entered_is_in_order(stage: Stage) -> None:
    entry = stage.entered()
    stage.write(stage.intent(PlaceStop(BTC, 1, 49_000.0)), stage.intent(CancelOrder(BTC, entry.client_id)))
    assert stage.names() == []


def test_a_release_beside_a_request_of_unknown_fate_is_told(stage: Stage) -> None:
    entry = stage.entered()
    stage.write(stage.intent(ReleaseMargin(BTC, 9.0)))
    assert stage.names() == []
    stage.write(resolutions=(Resolution(entry.seq, "unknown", ""),))
    stage.write(stage.intent(ReleaseMargin(BTC, 8.0)))
    assert stage.names() == ["I4"]
    stage.write(resolutions=(Resolution(entry.seq, "done", ""),))
    stage.write(stage.intent(ReleaseMargin(BTC, 7.0)))
    assert stage.names() == ["I4"]


def test_a_number_that_comes_twice_and_a_decision_from_the_future_are_told(stage: Stage) -> None:
    entry = stage.entered()
    stage.write(entry._replace(client_id="RFTabcdef0000001E"))
    assert stage.names() == ["I6"]
    stage.write(stage.intent(OpenPosition(BTC, 1, 0.1), ts_ms=stage.world.wall.venue_ms() + 2_001))
    assert stage.names() == ["I6", "I21"]


def placed(client_id: str, status: Any, filled: float = 0.0) -> PlacedOrder:
    return PlacedOrder(
        1, client_id, "v1", BTC, "market", 1, 0.1, 0.0, "GTC", False, False, status, filled, 0.0, 0, 0
    )


@pytest.mark.parametrize(("status", "expected"), [("new", ["I7"]), ("rejected", [])])
def test_what_is_refused_in_the_journal_must_not_rest_at_the_venue(
    stage: Stage, status: str, expected: list[str]
) -> None:
    entry = stage.entered()
    stage.embedded.books.orders[1] = placed(entry.client_id, status)
    stage.write(resolutions=(Resolution(entry.seq, "refused", "planted"),))
    assert stage.names() == expected


def test_a_latch_that_a_person_did_not_lift_is_told(stage: Stage) -> None:
    stage.halted("NO_ENTRY")
    stage.halted("", EntriesResumed(0, "", "planted", BY_PERSON))
    stage.halted("REDUCE_ONLY")
    assert stage.names() == []
    stage.halted("NO_ENTRY")
    assert stage.names() == ["I17"]


# --- what is sent ---------------------------------------------------------------------------------


def test_a_request_that_was_not_written_is_told(stage: Stage) -> None:
    entry = stage.entered()
    stage.call("entry", entry.client_id)
    assert stage.names() == []
    stage.call("entry", "RFTabcdef0000099E")
    assert stage.names() == ["I5"]


def test_entries_sent_while_halted_are_told_but_for_the_one_on_its_way(stage: Stage) -> None:
    entry = stage.entered()
    stage.call("entry", entry.client_id, "sent")
    stage.halted("NO_ENTRY")
    stage.call("entry", entry.client_id, "sent")
    assert stage.names() == []
    stage.call("entry", entry.client_id, "sent")
    assert stage.names() == ["I17"]


def test_an_id_of_another_mode_is_told(stage: Stage) -> None:
    live = stage.intent(OpenPosition(BTC, 1, 0.1), "RFLabcdef0000001E")
    stage.write(live)
    stage.call("entry", live.client_id)
    assert stage.names() == ["I19"]


def test_a_second_writer_is_told_while_the_first_lives(stage: Stage) -> None:
    stage.call("leverage")
    stage.process.die()
    second = Process("bot1")
    stage.call("leverage", process=second)
    assert stage.names() == []
    stage.call("leverage", process=Process("second0"))
    assert stage.names() == ["I18"]


def test_more_orders_within_a_minute_than_the_limit_are_told(stage: Stage) -> None:
    for _ in range(120):
        stage.call("exit", where="sent")
    assert stage.names() == []
    stage.call("exit", where="sent")
    assert stage.names() == ["I16"]


# --- the venue's books ----------------------------------------------------------------------------


def moved(stage: Stage, amount: float, wallet: float) -> None:
    stage.hold(LONG._replace(isolated_wallet=wallet))
    stage.embedded.books.moves.append(MarginMove(BTC, amount, True, stage.world.began_ms))
    stage.watch._look_at_moves()


def test_margin_that_nobody_asked_for_is_told(stage: Stage) -> None:
    stage.entered()
    stage.write(stage.intent(AddMargin(BTC, 600.0), ts_ms=stage.embedded.market_ms + 1))
    moved(stage, 100.0, 600.0)
    assert stage.names() == []
    moved(stage, 100.0, 700.0)
    assert stage.names() == ["I6"]


def test_a_release_that_leaves_little_above_maintenance_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    quote = stage.embedded.prices.of(BTC)
    monkeypatch.setattr(stage.embedded.prices, "of", lambda _: quote._replace(mark=50_000.0))
    stage.entered()
    stage.write(stage.intent(ReleaseMargin(BTC, 20.0), ts_ms=stage.embedded.market_ms + 1))
    moved(stage, -100.0, 400.0)
    assert stage.names() == []
    moved(stage, -379.0, 21.0)
    assert stage.names() == ["I4"]


def traded(stage: Stage, order: PlacedOrder) -> None:
    stage.embedded.books.orders[order.order_id] = order
    number = len(stage.embedded.books.trades) + 1
    stage.embedded.books.trades.append(
        TradeRow(number, order.order_id, BTC, order.side, 50_000.0, 0.1, 0.0, 0.0, False, 0)
    )
    stage.watch._look_at_trades()


def test_an_exit_that_may_open_is_told(stage: Stage) -> None:
    stage.entered()
    leaving = stage.intent(ReducePosition(BTC, 1, 0.1))
    stage.write(leaving)
    traded(stage, placed(leaving.client_id, "filled", 0.1)._replace(is_reduce_only=True))
    assert stage.names() == []
    traded(stage, placed(leaving.client_id, "filled", 0.1))
    assert stage.names() == ["I9"]


def test_an_entry_that_filled_twice_is_told(stage: Stage) -> None:
    entry = stage.entered()
    stage.hold()
    traded(stage, placed(entry.client_id, "filled", 0.1))
    assert stage.names() == []
    stage.hold(LONG._replace(quantity=0.2))
    traded(stage, placed(entry.client_id, "filled", 0.1))
    assert stage.names() == ["I6"]


def test_a_secret_in_the_database_or_in_an_error_is_told(stage: Stage, tmp_path: Path) -> None:
    database = tmp_path / "bot.db"
    database.write_bytes(b"nothing")
    assert secrets_in(stage.world, database) == []
    database.write_bytes(b"said " + PAPER_SECRET.encode())
    assert len(secrets_in(stage.world, database)) == 1
    stage.world.errors.append(f"refused {PAPER_SECRET}")
    assert len(secrets_in(stage.world, database)) == 2


# --- the end of a world ---------------------------------------------------------------------------


def differences(stage: Stage, monkeypatch: pytest.MonkeyPatch, **planted: Any) -> list[str]:
    """Compare the venue with a database that says the same but for what is planted."""
    known = {**books.known_to_exchange(stage.embedded), **planted}
    monkeypatch.setattr(books, "known_to_bot", lambda _: known)
    return books.compare(stage.world, Path("no.db"))


@pytest.mark.parametrize("name", ["fills", "liquidations", "margin", "funding"])
def test_a_record_that_is_lost_or_invented_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    assert differences(stage, monkeypatch) == []
    (told,) = differences(stage, monkeypatch, **{name: Counter({("planted",): 1})})
    assert told.startswith(f"{name}: lost {{}}, invented")


@pytest.mark.parametrize(
    ("booked", "is_told"),
    [
        (671.0866, False),
        (671.0865, True),
        (671.0867, True),
        (671.0863, True),
        (671.0864, True),
        (-671.0866, True),
    ],
)
def test_margin_that_was_probed_for_is_one_row_of_all_that_was_moved(booked: float, is_told: bool) -> None:
    moved = Counter({(BTC, 671.0863): 1, (BTC, 0.0001): 3})
    left = books.without_probed(moved, Counter({(BTC, booked): 1}), {BTC: 0.0001})
    assert any(left) == is_told


@pytest.mark.parametrize(("name", "value"), [("positions", [1]), ("orders", ["planted"]), ("free", 9_999.0)])
def test_a_book_that_differs_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    (told,) = differences(stage, monkeypatch, **{name: value})
    assert told.startswith(f"{name}: the exchange says")


def test_money_that_comes_from_nowhere_is_told(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.state.ledger._balances["market"] += 1.0
    (told,) = differences(stage, monkeypatch)
    assert told.startswith("money:")


def test_a_bot_that_does_not_come_back_is_told(stage: Stage) -> None:
    stage.world.add_bot("bot")
    judge(stage.world, "at the end")
    assert stage.names() == ["I20", "I11"]
