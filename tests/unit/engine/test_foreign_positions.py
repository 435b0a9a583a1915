"""Somebody opens a position while the bot runs: noticed with its fill, left alone, and nothing is entered."""

from bot.core.event import EntriesHalted, OrderFilled, Reconciled
from bot.core.intent import Intent, OpenPosition
from tests.unit.engine.desk_builder import A, B, Bench, kinds


def opened_by_hand(bench: Bench, symbol: str = A, quantity: float = 10.0) -> list[Intent]:
    """Let somebody buy at the venue; return what the engine does about the fill."""
    action = OpenPosition(symbol, 1, quantity)
    told = bench.venue.handle(Intent(90, f"byhand{symbol}{quantity}", bench.ts_ms, action, "", {}))
    fills = [event for event in told if isinstance(event, OrderFilled)]
    assert fills
    return [intent for fill in fills for intent in bench.hear(fill)]


def test_a_position_opened_by_hand_stops_entries_while_the_bot_runs() -> None:
    bench = Bench()
    assert kinds(opened_by_hand(bench)) == []
    assert [note.cause for note in bench.told(EntriesHalted)] == ["foreign_position"]
    assert [(note.symbol, note.what) for note in bench.told(Reconciled)] == [(A, "foreign_position")]
    assert kinds(bench.enter()) == []
    assert bench.venue.position_side(A) == 1
    assert bench.market().holding is None


def test_it_is_told_once_and_again_for_another_symbol() -> None:
    bench = Bench()
    opened_by_hand(bench)
    opened_by_hand(bench, quantity=5.0)
    opened_by_hand(bench, B)
    assert [note.symbol for note in bench.told(EntriesHalted)] == [A, B]


def test_a_fill_by_hand_is_not_taken_for_the_entry_on_its_way() -> None:
    bench = Bench(latency_ms=500)
    assert kinds(bench.enter()) == ["SetLeverage", "OpenPosition"]
    entry = bench.market().entry
    told = Bench().venue.handle(Intent(90, "byhand", bench.ts_ms, OpenPosition(A, 1, 10.0), "", {}))
    for fill in told:
        if isinstance(fill, OrderFilled):
            assert kinds(bench.hear(fill)) == []
    assert bench.market().entry == entry
    assert bench.market().holding is None
    assert [note.cause for note in bench.told(EntriesHalted)] == ["foreign_position"]
