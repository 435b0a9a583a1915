"""What a session on an exchange is made of, and the keys and symbols it refuses before anything is sent."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.errors import Unavailable, UserError
from bot.real import real_edges
from bot.settings import Flag, Settings, load
from bot.sim.server.auth import PAPER_KEY, PAPER_SECRET

FIVE_MINUTES_MS = 300_000


def settings(served: Any, **more: Any) -> Settings:
    flags = {
        "exchange.name": "binanceusdm",
        "exchange.base_url": f"http://127.0.0.1:{served.port}",
        "exchange.api_key": PAPER_KEY,
        "exchange.secret": PAPER_SECRET,
        "feed.symbols": "BTC/USDT:USDT",
        "run.mode": "testnet",
        **{key.replace("__", "."): value for key, value in more.items()},
    }
    return load(None, tuple(Flag(key, key, value) for key, value in flags.items()))


async def test_a_session_meets_its_account_and_gives_the_connection_back(served: Any) -> None:
    edges = await real_edges(settings(served), FIVE_MINUTES_MS)
    try:
        account = await edges.exchange.account()
        assert (account.free_quote, account.positions) == (10_000.0, ())
        assert (edges.mode, edges.prefix, len(edges.epoch)) == ("testnet", "RFT", 6)
        assert list(edges.instruments) == ["BTC/USDT:USDT"]
    finally:
        await edges.leave()


async def test_an_outage_leaves_a_line_in_the_log_and_so_does_its_end(served: Any) -> None:
    with capture_logs() as lines:
        edges = await real_edges(settings(served), FIVE_MINUTES_MS)
        try:
            served.control.run("maintenance", {"on": True})
            with pytest.raises(Unavailable):
                await edges.exchange.account()
            served.control.run("maintenance", {"on": False})
            await edges.exchange.account()
        finally:
            await edges.leave()
    told = [line["event"] for line in lines if line["event"].startswith("venue.")]
    assert told == ["venue.unavailable", "venue.available"]


@pytest.mark.parametrize(
    ("granted", "says"),
    [
        ({"may_trade": True, "may_withdraw": True}, "may withdraw"),
        ({"may_trade": False, "may_withdraw": False}, "may only read"),
    ],
)
async def test_a_key_that_is_not_one_for_a_bot_is_refused(
    served: Any, granted: dict[str, bool], says: str
) -> None:
    served.control.run("permissions", granted)
    with pytest.raises(UserError, match=says) as refused:
        await real_edges(settings(served), FIVE_MINUTES_MS)
    assert PAPER_KEY not in str(refused.value)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"exchange__secret": "a-canary-secret"}, "cannot be used"),
        ({"feed__symbols": "NOPE/USDT:USDT"}, "NOPE"),
    ],
)
async def test_wrong_keys_and_unknown_symbols_are_refused(
    served: Any, changed: dict[str, str], says: str
) -> None:
    with pytest.raises(UserError, match=says) as refused:
        await real_edges(settings(served, **changed), FIVE_MINUTES_MS)
    assert "canary" not in str(refused.value)


async def test_an_exchange_without_test_accounts_says_paper_only(served: Any) -> None:
    chosen = settings(served, exchange__name="kucoinfutures", exchange__base_url="", exchange__password="p")
    with pytest.raises(UserError, match=r"no test environment.*Use paper trading"):
        await real_edges(chosen, FIVE_MINUTES_MS)


async def test_an_expired_key_is_refused_at_the_start_with_the_next_step(served: Any) -> None:
    served.control.run("revoke-key", {})
    with pytest.raises(UserError, match=r"refuses the API key \(-2015\).*has expired") as refused:
        await real_edges(settings(served), FIVE_MINUTES_MS)
    for words in ("Correct or renew the key", "Nothing was started"):
        assert words in str(refused.value)
