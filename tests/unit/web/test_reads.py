"""Every read of the API says what the database and the engine say."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bot.calc import Leg, what_if
from bot.core.margin import liquidation_price
from bot.store.queries import journal, margin_history
from bot.store.reader import open_in_use
from bot.web.application import application
from tests.unit.web.asgi_client import Client


def held(bot: Any) -> Any:
    """Return the market of the open position whose margin was moved."""
    markets = bot.application.engine.state.markets.values()
    return next(market for market in markets if market.holding is not None and market.holding.adds)


def path_of(market: Any, more: str = "") -> str:
    return f"/api/positions/{quote(market.instrument.symbol, safe='')}{more}"


async def body(client: Client, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status == 200, answer.body
    return answer.json()


async def test_a_position_comes_with_candles_moves_and_its_journal(client: Client, bot: Any) -> None:
    market = held(bot)
    told = await body(client, path_of(market))
    assert told["position"]["mark"] == market.mark
    newest = market.window.newest(1)
    last = told["candles"][-1]
    assert (last["ts_ms"], last["close"]) == (newest.open_ms[0], newest.close[0])
    assert told["moves"][0]["symbol"] == market.instrument.symbol
    words = [row["words"] for row in told["journal"]]
    assert any("opened at" in line for line in words)
    assert any(row["kind"] == "OpenPosition" and row["status"] == "done" for row in told["requests"])
    assert any("says" in line and "approved" in line for line in words), "the trigger"


async def test_a_symbol_that_is_not_traded_is_not_found(client: Client) -> None:
    for path in ("/api/positions/X", "/api/positions/X/what-if"):
        answer = await client.get(path)
        assert answer.status == 404
        assert "BTC/USDT:USDT" in answer.json()["next_step"]


async def test_what_if_margin_is_added_or_released_is_the_core_formula(client: Client, bot: Any) -> None:
    market = held(bot)
    position = market.holding.position
    for query, amount in (("add_quote=50", 50.0), ("release_quote=5", -5.0)):
        told = await body(client, path_of(market, f"/what-if?{query}"))
        moved = position._replace(isolated_wallet=position.isolated_wallet + amount)
        assert told["liquidation_price"] == pytest.approx(liquidation_price(moved, market.rules))
        assert told["wallet_quote"] == moved.isolated_wallet
        assert told["before"]["wallet_quote"] == position.isolated_wallet


async def test_a_change_that_is_not_possible_says_why(client: Client, bot: Any) -> None:
    market, side = held(bot), held(bot).holding.position.side
    too_much = await body(client, path_of(market, "/what-if?add_quote=1e9"))
    assert "is free" in too_much["refusal"]
    too_little = await body(client, path_of(market, "/what-if?release_quote=1e9"))
    assert "the venue lets at most" in too_little["refusal"]
    gone = await body(client, path_of(market, f"/what-if?price={market.mark * (1 - side * 0.9)}"))
    assert gone["refusal"] == "it would be liquidated before"
    assert (await body(client, path_of(market, "/what-if?reduce_fraction=1")))["liquidation_price"] is None


@pytest.mark.parametrize(
    "query", ["add_quote=-1", "add_quote=nan", "price=0", "reduce_fraction=2", "add_quote=x"]
)
async def test_an_amount_that_makes_no_sense_is_refused(client: Client, bot: Any, query: str) -> None:
    answer = await client.get(path_of(held(bot), f"/what-if?{query}"))
    assert answer.status == 422
    assert query.partition("=")[0] in answer.json()["detail"]


async def test_the_ledger_is_the_database_and_is_paged(client: Client, bot: Any) -> None:
    with open_in_use(bot.application.path) as reader:
        rows = margin_history(reader)
    told = await body(client, "/api/ledger")
    assert [row["id"] for row in told["rows"]] == [row.id for row in rows]
    assert told["rows"][0]["amount_quote"] == float(rows[0].amount_quote)
    first = await body(client, "/api/ledger?limit=1")
    rest = await body(client, f"/api/ledger?before={first['next_before']}")
    assert [row["id"] for row in rest["rows"]] == [row.id for row in rows[1:]]


async def test_the_journal_has_words_and_is_paged(client: Client, bot: Any) -> None:
    with open_in_use(bot.application.path) as reader:
        rows = journal(reader, limit=1_000)
    told = await body(client, "/api/journal?limit=7")
    assert [row["id"] for row in told["rows"]] == [row.id for row in rows[:7]]
    assert all(row["words"] for row in told["rows"])
    rest = await body(client, f"/api/journal?limit=1000&before={told['next_before']}")
    assert len(rest["rows"]) == len(rows) - 7
    assert rest["next_before"] is None


async def test_the_stress_table_is_that_of_the_calculator(client: Client, bot: Any) -> None:
    state = bot.application.engine.state
    told = await body(client, "/api/portfolio")
    legs = [Leg(m.holding.position, m.mark, m.rules) for m in state.markets.values() if m.holding]
    row = next(row for row in told["stress"] if row["shock"] == -0.1)
    ways = what_if(legs, state.free_quote, [-0.1] * len(legs))
    assert [way["pnl_quote"] for way in row["ways"]] == pytest.approx([way.pnl for way in ways])
    assert {way["way"] for way in row["ways"]} == {"isolated", "cross", "exchange_auto_add"}
    assert {cap["cap"] for cap in told["caps"]} == {"margin", "correlated_risk", "cascade"}
    assert told["long_quote"] + told["short_quote"] == pytest.approx(
        sum(leg.position.quantity * leg.mark for leg in legs)
    )
    assert all(room["low_quote"] <= room["wallet_quote"] * 1.5 for room in told["allocator"]["rows"])


async def test_settings_are_shown_and_no_secret_is(office_for: Any, bot: Any) -> None:
    from pydantic import SecretStr

    exchange = bot.settings.exchange.model_copy(update={"secret": SecretStr("do-not-show-this")})
    client = Client(application(office_for(bot.settings.model_copy(update={"exchange": exchange}))))
    answer = await client.get("/api/settings")
    assert b"do-not-show-this" not in answer.body
    assert answer.json()["settings"]["exchange"]["secret"] == "[redacted]"


async def test_health_in_figures(client: Client, bot: Any) -> None:
    told = await body(client, "/api/health")
    assert {row["symbol"] for row in told["data"]} == set(bot.application.engine.state.markets)
    assert told["disk_free_mb"] > 0
    assert told["requests_unanswered"] == 0


async def test_what_has_not_happened_yet_is_an_empty_list(client: Client) -> None:
    for path in ("/api/trades", "/api/alerts", "/api/logs", "/api/exports"):
        assert (await body(client, path))["rows"] == [], path
    assert (await body(client, "/api/evidence"))["evidence"]["trades"] == 0
    assert (await body(client, "/api/equity"))["rows"]


async def test_exports_are_listed_and_read_by_name_only(office_for: Any, bot: Any, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    for name in ("one", "broken"):
        (folder / name).mkdir(parents=True)
    (folder / "one" / "result.json").write_text(json.dumps({"trades": 3, "days": [1]}), encoding="utf-8")
    (folder / "broken" / "result.json").write_text("{", encoding="utf-8")
    (tmp_path / "result.json").write_text(json.dumps({"secret": 1}), encoding="utf-8")
    (folder / "link").symlink_to(tmp_path)
    web = bot.settings.web.model_copy(update={"exports": folder})
    client = Client(application(office_for(bot.settings.model_copy(update={"web": web}))))
    (row,) = (await body(client, "/api/exports"))["rows"]
    assert (row["name"], row["figures"]) == ("one", {"trades": 3})
    assert (await body(client, "/api/exports/one"))["document"]["days"] == [1]
    for name in ("link", "..", "%2e%2e", "broken", "none", "..%2f..", "x%00"):
        assert (await client.get(f"/api/exports/{name}")).status == 404, name
