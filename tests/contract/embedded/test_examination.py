"""`ringfence doctor --venue` against the embedded exchange: every fact that must be found before trading."""

from itertools import permutations
from typing import Any

import pytest

from bot.cli.venue_doctor import lines_of
from bot.errors import UserError
from bot.exchange.connect import Credentials
from bot.exchange.examination import Line
from bot.exchange.hosts import Access
from bot.real import real_edges
from bot.settings import Settings
from bot.sim.server.auth import (
    PAPER_AGENT_KEY,
    PAPER_KEY,
    PAPER_PASSPHRASE,
    PAPER_SECRET,
    PAPER_WALLET,
)
from tests.contract.embedded.dialect_worlds import KEYS as ANY_KEYS
from tests.contract.embedded.dialect_worlds import SYMBOLS, serving
from tests.contract.embedded.dialect_worlds import VENUES as DIALECTS

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
KEYS = Credentials(PAPER_KEY, PAPER_SECRET)
WALLET = {"wallet_address": PAPER_WALLET, "private_key": PAPER_AGENT_KEY}
OKX_KEYS = {"api_key": PAPER_KEY, "secret": PAPER_SECRET, "password": PAPER_PASSPHRASE}


async def examined(served: Any, credentials: Credentials = KEYS, symbols: Any = (BTC,)) -> list[Line]:
    access = Access("loopback", f"http://127.0.0.1:{served.port}")
    return await lines_of("binanceusdm", access, credentials, symbols)


def by_check(lines: list[Line]) -> dict[str, Line]:
    return {line.check: line for line in lines}


def wrong(lines: list[Line]) -> Line:
    """The one thing that is wrong; it says what to do, and nothing is asked after it."""
    found = [line for line in lines if line.verdict == "wrong"]
    assert len(found) == 1, lines
    assert found[0] == lines[-1]
    assert found[0].next_step
    return found[0]


async def open_position(client: Any) -> None:
    await client.set_margin_mode("isolated", BTC)
    await client.set_leverage(10, BTC)
    await client.create_order(BTC, "market", "buy", 0.01)


async def test_a_fit_account_is_found_fit_and_left_as_it_was(served: Any) -> None:
    lines = await examined(served, symbols=(BTC, ETH))
    found = by_check(lines)
    assert {"venue", "clock", "key", "tiers", "sizes", "funds", "modes", "positions", "stop"} == set(found)
    assert all(line.verdict in ("ok", "note") for line in lines)
    assert "may not withdraw" in next(line.fact for line in lines if line.check == "key")
    assert found["funds"].fact == "10,000.00 free of 10,000.00"
    assert next(line.fact for line in lines if line.check == "tiers").startswith(BTC)
    assert served.exchange.books.conditionals == {}
    assert served.exchange.settings["margin_type"].get(BTC, "CROSSED") == "CROSSED"


async def test_without_a_position_a_stop_is_judged_and_not_rested(served: Any, client: Any) -> None:
    await client.set_margin_mode("isolated", BTC)
    line = by_check(await examined(served))["stop"]
    assert line.verdict == "note"
    assert "sent and refused because no position is open" in line.fact
    assert "that one rests and can be cancelled is not" in line.fact
    assert "ringfence doctor --venue binanceusdm --prove-stop" in line.next_step
    assert served.exchange.books.conditionals == {}


async def test_no_stop_is_sent_while_the_symbol_is_in_another_mode(served: Any) -> None:
    line = by_check(await examined(served))["stop"]
    assert (line.verdict, "none was sent: BTC/USDT:USDT is in cross margin" in line.fact) == ("note", True)
    assert "not proved" in line.fact
    assert "ringfence doctor --venue binanceusdm --prove-stop" in line.next_step
    assert served.exchange.books.conditionals == served.exchange.books.orders == {}


async def test_with_a_position_a_far_stop_rests_and_is_cancelled(served: Any, client: Any) -> None:
    await open_position(client)
    line = by_check(await examined(served))["stop"]
    assert line.verdict == "ok", line
    assert "mark" in line.fact
    (stop,) = served.exchange.books.conditionals.values()
    assert (stop.is_open, stop.is_reduce_only, stop.quantity) == (False, True, 0.001)
    assert stop.trigger_price < 0.6 * served.exchange.prices.of(BTC).mark
    assert await client.fetch_open_orders(BTC, None, None, {"trigger": True}) == []


@pytest.mark.parametrize(
    ("method", "path", "kind", "times"),
    [
        ("POST", "/fapi/v1/algoOrder", "lost", 1),
        ("GET", "/fapi/v1/openAlgoOrders", "error", 4),
        ("DELETE", "/fapi/v1/algoOrder", "error_accepted", 1),
    ],
)
async def test_no_stop_is_left_behind_when_a_reply_is_lost(
    served: Any, client: Any, method: str, path: str, kind: str, times: int
) -> None:
    await open_position(client)
    fault = {"kind": kind, "method": method, "path": path, "times": times}
    served.control.run("fault", fault)
    line = wrong(await examined(served))
    assert line.check == "stop"
    (stop,) = served.exchange.books.conditionals.values()
    assert not stop.is_open


@pytest.mark.parametrize(
    "credentials", [Credentials("nobody", PAPER_SECRET), Credentials(PAPER_KEY, "a-canary-secret")]
)
async def test_a_wrong_or_expired_key_is_refused_without_being_shown(
    served: Any, credentials: Credentials
) -> None:
    line = wrong(await examined(served, credentials))
    assert line.check == "key"
    assert "expired" in line.next_step
    assert "canary" not in str(line)


async def test_a_key_that_may_withdraw_is_refused(served: Any) -> None:
    served.control.run("permissions", {"may_trade": True, "may_withdraw": True})
    line = wrong(await examined(served))
    assert (line.check, "withdraw" in line.fact) == ("key", True)


async def test_a_key_that_may_only_read_is_refused(served: Any) -> None:
    served.control.run("permissions", {"may_trade": False})
    line = wrong(await examined(served))
    assert (line.check, "read only" in line.fact) == ("key", True)


async def test_a_hedge_mode_account_is_named_before_an_entry(served: Any, client: Any) -> None:
    await client.set_position_mode(True)
    line = by_check(await examined(served))["modes"]
    assert (line.verdict, "hedge mode" in line.fact) == ("note", True)


async def test_an_open_cross_position_is_refused(served: Any, client: Any) -> None:
    await open_position(client)
    served.control.run("margin-mode", {"symbol": BTC, "isolated": False})
    line = wrong(await examined(served))
    assert line.check == "positions"
    assert "cross margin" in line.fact
    assert "Close it" in line.next_step


@pytest.mark.parametrize(
    ("symbol", "fact", "step"),
    [
        ("BTC/USDT", "spot", "Write BTC/USDT:USDT."),
        ("BTC/USD:BTC", "inverse", "Write BTC/USDT:USDT."),
        ("BTCC/USDT:USDT", "not traded", "Did you mean BTC/USDT:USDT?"),
        ("DOGEE/USDT:USDT", "not traded", "Did you mean DOGE/USDT:USDT?"),
        ("nonsense", "not traded", "Symbols are written like"),
        ("FOO/USDT:USDT", "not traded", "Symbols are written like"),
        ("SOL/USDT:USDT", "not traded", "Symbols are written like"),
        ("ETC/USDT:USDT", "not traded", "Symbols are written like"),
    ],
)
async def test_a_symbol_that_is_no_linear_perpetual_is_refused(
    served: Any, symbol: str, fact: str, step: str
) -> None:
    line = wrong(await examined(served, symbols=(symbol,)))
    assert line.check == "symbol"
    assert fact in line.fact
    assert step in line.next_step


async def test_a_wrong_clock_is_found_by_its_milliseconds(served: Any) -> None:
    clock = served.dialect.desk.clock
    served.dialect.desk.clock = Ahead(clock, 20_000)
    line = wrong(await examined(served))
    assert line.check == "clock"
    assert "behind" in line.fact
    served.dialect.desk.clock = Ahead(clock, 3_000)
    lines = await examined(served)
    assert by_check(lines)["clock"].verdict == "note"
    assert all(line.verdict != "wrong" for line in lines), "the difference is learned, so the rest works"


class Ahead:
    """A clock that runs before another."""

    def __init__(self, clock: Any, ahead_ms: int) -> None:
        self._clock, self._ahead_ms = clock, ahead_ms

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._ahead_ms

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


async def test_an_exchange_that_is_not_there_is_said_so() -> None:
    lines = await lines_of("binanceusdm", Access("loopback", "http://127.0.0.1:9"), KEYS, (BTC,))
    line = wrong(lines)
    assert line.check == "reach"
    assert "exchange serve" in line.next_step


async def test_auto_add_margin_of_the_exchange_is_wrong_and_named(served: Any) -> None:
    served.control.run("auto-add", {"symbol": BTC, "on": True})
    line = wrong(await examined(served))
    assert line.check == "auto-add"
    assert "Switch it off" in line.next_step


@pytest.mark.parametrize(("served_as", "asked_as"), list(permutations(DIALECTS, 2)))
async def test_another_dialect_at_the_address_is_said_so(served_as: str, asked_as: str) -> None:
    async with serving(served_as) as spoken:
        line = wrong(await lines_of(DIALECTS[asked_as], spoken.access, ANY_KEYS, (SYMBOLS[asked_as],)))
    assert line.check == "reach"
    assert f"another dialect is served at {spoken.access.base_url}" in line.fact
    assert f"--dialect {asked_as}" in line.next_step
    assert len(line.fact) < 120


async def test_a_session_says_which_dialect_to_serve() -> None:
    async with serving("bybit") as spoken:
        exchange = {"name": "okx", "base_url": spoken.access.base_url, **OKX_KEYS}
        settings = Settings.model_validate({"run": {"mode": "testnet"}, "exchange": exchange})
        with pytest.raises(UserError, match=r"another dialect is served.*--dialect okx"):
            await real_edges(settings, 60_000)
        settings = Settings.model_validate(
            {"run": {"mode": "testnet"}, "exchange": {**exchange, "base_url": "http://127.0.0.1:9"}}
        )
        with pytest.raises(
            UserError, match=r"no usable answer from http://127\.0\.0\.1:9.*serve --dialect okx"
        ):
            await real_edges(settings, 60_000)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_doctors_facts_are_words_and_no_replies(dialect: str) -> None:
    async with serving(dialect) as spoken:
        connection = spoken.connect()
        link, speaks = connection.link, connection.gateway.dialect
        await connection.gateway.instruments()
        await speaks.set_isolated(link.client, spoken.symbol, 10)
        await connection.close()
        lines = by_check(await lines_of(spoken.ccxt_id, spoken.access, ANY_KEYS, (spoken.symbol,)))
    stop = lines["stop"]
    assert "refused because no position is open" in stop.fact
    assert "{" not in stop.fact
    assert len(stop.fact) < 320, stop.fact
    assert " and 0 quote" not in lines["sizes"].fact
    assert lines["sizes"].fact.startswith(f"{spoken.symbol}: at least ")


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_maintenance_is_not_taken_for_a_wrong_server(dialect: str) -> None:
    async with serving(dialect) as spoken:
        spoken.control.run("maintenance", {"on": True})
        line = wrong(await lines_of(spoken.ccxt_id, spoken.access, ANY_KEYS, (spoken.symbol,)))
        exchange = {"name": spoken.ccxt_id, "base_url": spoken.access.base_url, **OKX_KEYS, **WALLET}
        settings = Settings.model_validate({"run": {"mode": "testnet"}, "exchange": exchange})
        with pytest.raises(UserError, match="answers and refuses everything") as refused:
            await real_edges(settings, 60_000)
    assert line.check == "reach"
    assert "answers and refuses everything" in line.fact
    assert "maintenance" in line.fact
    for said in (line.next_step, str(refused.value)):
        assert "Wait until it is over" in said
        assert "exchange serve" not in said


async def test_a_wrong_passphrase_is_one_short_fact_and_a_next_step_that_names_it() -> None:
    async with serving("okx") as spoken:
        credentials = ANY_KEYS.__class__(PAPER_KEY, PAPER_SECRET, "another")
        line = wrong(await lines_of("okx", spoken.access, credentials, (BTC,)))
    assert line.fact == "the exchange refuses the key (50105): it has another passphrase"
    assert "key, secret and passphrase" in line.next_step
