"""Faults of which it is not plain that they do something: each is seen in what the bot writes."""

from pathlib import Path
from typing import Any

import pytest

from bot.core.halt import FLATTEN
from bot.core.position import Position
from bot.exchange.dialects import okx_rows
from bot.store.commands import CommandFiles
from tests.simulation.faults import operator
from tests.simulation.faults.table import FAULTS
from tests.simulation.scenario import Case, played, run_case, run_in
from tests.simulation.storage import rows
from tests.simulation.world import World

BTC = "BTC/USDT:USDT"


def written(case: Case, query: str) -> list[Any]:
    """Run a case, which must break nothing, and return what a query finds in the bot's database."""
    found: list[Any] = []

    def play(world: World) -> dict[str, int]:
        counts = played(world, [FAULTS[name] for name in case.faults])
        found.extend(row[0] for row in rows(world.folder / "bot.db", query))
        return counts

    assert run_in(case, (BTC,), case.seconds, play).violations == ()
    return found


ASKED = "SELECT kind || ' ' || json_extract(body, '$.cause') FROM event WHERE kind LIKE 'Entries%'"
HALTS = "SELECT json_extract(body, '$.cause') FROM event WHERE kind = 'EntriesHalted'"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_person_who_halts_in_a_mixed_world_is_obeyed(seed: int) -> None:
    causes = set(written(Case(seed, "okx", ("F73",)), HALTS))
    assert causes & {"person", "person_flatten"}


def test_an_order_that_nobody_takes_and_a_position_under_flatten_are_found(tmp_path: Path) -> None:
    world = World(1, "okx", tmp_path, (BTC,), 60)
    world.build()
    world.add_bot("bot")
    assert operator.disobeyed(["of-before"], True, world) == ""
    left = operator.order(world, 1, "flatten", FLATTEN)
    assert operator.disobeyed([left], True, world) == f"nobody took {left}"
    CommandFiles(world.bot.database).done(left)
    world.exchange.venue.state.positions[BTC] = Position(BTC, 1, 0.1, 50_000.0, 500.0, 10.0)
    assert operator.disobeyed([left], True, world) == f"{BTC} is held under FLATTEN"
    assert operator.disobeyed([left], False, world) == ""
    world.loop.close()


def test_a_strategy_that_hangs_is_not_asked_again_until_a_person_resumes() -> None:
    events = [written(Case(seed, "okx", ("F70",)), ASKED) for seed in range(1, 9)]
    halted = [each for each in events if "EntriesHalted strategy_hung" in each]
    assert len(halted) >= 2
    assert any("EntriesResumed strategy_hung" in each for each in halted)
    assert any("EntriesResumed strategy_hung" not in each for each in halted)


@pytest.mark.parametrize("seed", [10, 12])
def test_a_wrong_contract_size_does_harm_unless_it_is_compared_with_what_was_traded(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_case(Case(seed, "okx", ("F16",))).violations == ()
    monkeypatch.setattr(okx_rows, "check_size", lambda *_: True)
    assert run_case(Case(seed, "okx", ("F16",))).violations != ()


REFUSED = "SELECT json_extract(body, '$.code') FROM event WHERE kind = 'Refused'"


@pytest.mark.parametrize(("seed", "dialect"), [(1, "binance"), (1, "bybit"), (1, "okx")])
def test_an_entry_into_a_symbol_that_is_no_longer_traded_is_refused_unsent(seed: int, dialect: str) -> None:
    assert "unknown_symbol" in written(Case(seed, dialect, ("F47",)), REFUSED)


@pytest.mark.parametrize(("seed", "dialect"), [(3, "binance"), (4, "bybit"), (14, "okx")])
def test_a_loop_that_runs_away_is_halted_by_its_rate_and_ends(seed: int, dialect: str) -> None:
    causes = set(written(Case(seed, dialect, ("F74",)), HALTS))
    assert causes & {"order_rate", "message_rate"}
