"""What /api/board says is what the engine knows."""

import asyncio
import json
from typing import Any

import pytest

from bot.cli.calculators.forms import CalculatorForms
from bot.core.event import MarginMoved
from bot.core.margin import liquidation_price
from bot.view.live import BoardMaker
from bot.web.front import Front
from bot.web.office import Office
from tests.unit.web.asgi_client import Client
from tests.unit.web.conftest import Unheard


@pytest.fixture
async def board(client: Client) -> dict[str, Any]:
    answer = await client.get("/api/board")
    assert answer.status == 200
    return answer.json()


async def test_every_number_of_a_position_is_the_engines(board: dict[str, Any], bot: Any) -> None:
    state = bot.application.engine.state
    assert len(board["positions"]) == len(state.positions()) == 2
    for row in board["positions"]:
        market = state.markets[row["symbol"]]
        held = market.holding
        assert row["liquidation_price"] == pytest.approx(liquidation_price(held.position, market.rules))
        assert row["stop"]["price"] == held.stop.trigger_price
        assert row["isolated_wallet_quote"] == held.position.isolated_wallet
        assert row["equity_quote"] == pytest.approx(
            row["isolated_wallet_quote"] + row["unrealised_pnl_quote"]
        )
        away = abs(row["mark"] - row["liquidation_price"]) / row["mark"]
        assert row["distance"] == pytest.approx(away)
        assert 0.0 < row["margin_ratio"] < 1.0


async def test_the_nearest_position_is_first_and_the_worst(board: dict[str, Any]) -> None:
    distances = [row["distance"] for row in board["positions"]]
    assert distances == sorted(distances)
    first = board["positions"][0]
    assert board["worst"] == {name: first[name] for name in ("symbol", "side", "distance")}


async def test_an_add_or_release_says_where_liquidation_is_then(board: dict[str, Any]) -> None:
    """Margin added moves liquidation away, margin released brings it nearer."""
    seen = set()
    for row in board["positions"]:
        side = 1 if row["side"] == "long" else -1
        rungs = {rung["kind"]: rung for rung in row["rungs"]}
        assert {"mark", "entry", "liquidation", "stop"} <= rungs.keys()
        assert [rung["price"] for rung in row["rungs"]] == sorted(rung["price"] for rung in row["rungs"])
        for kind, sign in (("add", 1), ("release", -1)):
            if kind in rungs and rungs[kind]["amount_quote"]:
                moved = side * (row["liquidation_price"] - rungs[kind]["liquidation_after"])
                assert sign * moved > 0.0, (kind, row["symbol"])
                seen.add(kind)
    assert seen


async def test_the_margin_move_is_told_with_its_reason(board: dict[str, Any], bot: Any) -> None:
    notes = [note for commit in bot.commits for note in commit.notes]
    told = [note for note in notes if isinstance(note, MarginMoved)]
    assert told
    for move, note in zip(board["moves"], reversed(told), strict=True):
        assert (move["ts_ms"], move["amount_quote"]) == (note.ts_ms, note.amount_quote)
        assert (move["reason_text"], move["mark"]) == (note.reason.replace("_", " "), note.before.mark)
    past = [each["ts_ms"] for row in board["positions"] for each in row["past_moves"]]
    assert sorted(past) == [note.ts_ms for note in told]


async def test_the_browser_shows_what_the_terminal_shows(board: dict[str, Any], bot: Any) -> None:
    terminal = BoardMaker(bot.application, ()).board()
    rows = {row.symbol: row for row in terminal.positions}
    for row in board["positions"]:
        assert row["next_action"]["text"] == rows[row["symbol"]].next_action
        assert row["hour_moves"] == rows[row["symbol"]].hour_moves
    assert board["day_pnl_quote"] == terminal.day_pnl_quote
    assert board["guard"] == {"state": "armed", "level": "", "causes": [], "words": ""}


async def test_a_board_is_built_once_for_everybody_who_looks_at_the_same_time(
    client: Client, office: Office
) -> None:
    for _ in range(5):
        await client.get("/api/board")
    assert office.boards.built == 1


async def test_without_a_reader_no_board_is_built(office: Office) -> None:
    office.boards._tell_readers()
    assert office.boards.built == 0
    with office.broadcast.reading("") as reader:
        office.boards._tell_readers()
        assert office.boards.built == 1
        told = office.broadcast.due(reader)
    lines = told.decode().splitlines()
    assert lines[1] == "event: board"
    assert json.loads(lines[2].removeprefix("data: "))["mode"] == "paper"


async def test_the_alerts_that_are_open_are_counted_in_the_database(
    bot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.front.open_count", lambda _reader: 3)
    front = Front(bot.application, bot.settings, CalculatorForms(), Unheard(), lambda: 1)
    counting = asyncio.create_task(front._count_alerts())
    while not front.office.boards.maker.alerts_open:
        await asyncio.sleep(0.001)
    counting.cancel()
    front.office.close()
    assert front.office.boards.maker.board().alerts_open == 3
