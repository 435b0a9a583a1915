"""Evidence in the tables: written once, read back exactly, oldest first."""

import pytest

from bot.core.event import PositionOpened
from bot.errors import Fatal
from bot.ports import Commit
from bot.store.evidence import forecasts, ledger_moves, trade_evidence
from bot.store.journal import SqliteJournal
from tests.unit.store.story import (
    AFTER,
    BEFORE,
    BTC,
    entry,
    evidence,
    forecast,
    funding_and_margin,
    whole_life,
    write,
)

ETH = "ETH/USDT:USDT"


def opened(position_id: int, symbol: str) -> PositionOpened:
    return PositionOpened(60, symbol, position_id, 1, 1.0, 100.0, 10.0, 10.0, 95.0, 6.0)


def test_evidence_comes_back_as_it_was_told(journal: SqliteJournal) -> None:
    write(journal, whole_life())
    told = evidence(1)
    journal.commit(Commit(50, notes=(told,)))
    with journal.read() as reader:
        (row,) = trade_evidence(reader)
    for name, value in told._asdict().items():
        if name == "ts_ms":
            continue
        stored = getattr(row, name)
        assert (float(stored) if isinstance(value, float) else stored) == value, name
    assert str(row.pnl_quote) == "-5.21"
    assert (row.liquidated, row.shadow_liquidated) == (False, True)


def test_evidence_is_told_oldest_first_and_by_symbol(journal: SqliteJournal) -> None:
    write(journal, whole_life())
    notes = (opened(2, ETH), evidence(2, ETH, closed_ms=30), evidence(1), forecast(80, ETH), forecast(60))
    journal.commit(Commit(90, notes=notes))
    with journal.read() as reader:
        assert [row.position_id for row in trade_evidence(reader)] == [2, 1]
        assert [row.position_id for row in trade_evidence(reader, BTC)] == [1]
        assert [row.ts_ms for row in forecasts(reader)] == [60, 80]
        (row,) = forecasts(reader, ETH)
    assert (row.horizon_ms, row.probability, row.resolved_ms, row.touched) == (86_400_000, 0.01, 87, True)
    assert str(row.liquidation_price) == "91.1"


def test_a_second_row_for_a_position_is_a_defect_and_writes_nothing(journal: SqliteJournal) -> None:
    write(journal, whole_life())
    journal.commit(Commit(50, notes=(evidence(1),)))
    with pytest.raises(Fatal):
        journal.commit(Commit(51, notes=(forecast(60), evidence(1))))
    with journal.read() as reader:
        assert len(trade_evidence(reader)) == 1
        assert forecasts(reader) == []


def test_the_ledger_has_the_odds_of_each_move_and_how_long_it_lasted(journal: SqliteJournal) -> None:
    write(journal, [*entry(), *funding_and_margin()])
    with journal.read() as reader:
        (move,) = ledger_moves(reader)
    assert (move.until_ms, move.side, move.notional_quote_before, move.liquidation_probability_before) == (
        None,
        1,
        None,
        None,
    )
    adjusted, moved = funding_and_margin()[2].events[0], funding_and_margin()[2].notes[0]
    knowing = moved._replace(
        client_id="p4M",
        ts_ms=35,
        before=BEFORE._replace(notional_quote=98.0, liquidation_probability=0.02),
        after=AFTER._replace(notional_quote=98.0, liquidation_probability=0.005),
    )
    journal.commit(Commit(35, (adjusted._replace(client_id="p4M", ts_ms=35),), notes=(knowing,)))
    with journal.read() as reader:
        first, second = ledger_moves(reader, BTC)
        assert ledger_moves(reader, ETH) == []
    assert (first.until_ms, second.until_ms) == (35, None)
    assert (float(second.notional_quote_before or 0), second.liquidation_probability_before) == (98.0, 0.02)
    assert (float(second.notional_quote_after or 0), second.liquidation_probability_after) == (98.0, 0.005)
    assert (str(second.amount_quote), second.policy) == ("2.51", "distance_band")
