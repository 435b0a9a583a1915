"""One account, one database: other symbols, candles and strategies continue it with its positions."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.app import Application
from bot.engine.state import State
from bot.errors import UserError
from bot.settings import Flag, load
from bot.sim.server.auth import PAPER_KEY, PAPER_SECRET

BTC, ETH, DOGE = "BTC/USDT:USDT", "ETH/USDT:USDT", "DOGE/USDT:USDT"
STRATEGIES = Path(__file__).resolve().parents[2] / "simulation" / "strategies"
_PATIENCE_SECONDS = 60.0


class Account:
    """An account on the served exchange, and sessions on it that begin without a word about a database."""

    def __init__(self, served: Any, root: Path) -> None:
        self.served, self.root = served, root

    @asynccontextmanager
    async def trades(self, **chosen: Any) -> AsyncIterator[Application]:
        """Yield a session that runs while nothing moves the market."""
        flags = {
            "exchange.name": "binanceusdm",
            "exchange.base_url": f"http://127.0.0.1:{self.served.port}",
            "exchange.api_key": PAPER_KEY,
            "exchange.secret": PAPER_SECRET,
            "run.mode": "testnet",
            "strategy.directory": STRATEGIES,
            "strategy.name": "every_minute",
            "margin.limits.max_mark_age_ms": 60_000,
            **{key.replace("__", "."): value for key, value in chosen.items()},
        }
        application = Application(load(None, tuple(Flag(key, key, flags[key]) for key in flags)), _ignore)
        try:
            await application.meet()
            await application.open()
            running = asyncio.create_task(application.run())
            await self.until(lambda: application.is_running or running.done())
            yield application
            application.stop()
            self.advance()
            await asyncio.wait_for(running, _PATIENCE_SECONDS)
        finally:
            await application.leave()

    def advance(self) -> None:
        """Let a minute of the market pass."""
        self.served.control.run("advance", {"ticks": 60})

    async def until(self, condition: Callable[[], bool], move: Callable[[], None] = lambda: None) -> None:
        """Wait for a condition, moving the market meanwhile."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not condition():
                move()
                await asyncio.sleep(0.05)

    async def enters(self, application: Application, *symbols: str) -> None:
        """Let the market go on until exactly these have a position with a stop."""
        state = application.engine.state
        await self.until(lambda: {*symbols} <= held(state) and not state.in_flight, self.advance)


def held(state: State) -> set[str]:
    return {key for key, each in state.markets.items() if each.holding is not None and each.holding.stop}


def _ignore(_commit: Any) -> None:
    pass


@pytest.fixture
def account(served: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    return Account(served, root)


async def test_other_symbols_candles_and_strategy_continue_the_accounts_positions(account: Account) -> None:
    async with account.trades(feed__symbols=f"{BTC},{ETH}", feed__timeframe="1m") as first:
        await account.enters(first, BTC, ETH)
        before = first.engine.state
    with capture_logs() as lines:
        chosen = {"strategy__directory": account.root / "strategies", "strategy__name": "ema_cross"}
        async with account.trades(feed__symbols=f"{DOGE},{BTC}", feed__timeframe="5m", **chosen) as second:
            after = second.engine.state
            assert second.path == first.path
            assert list(after.markets) == [DOGE, BTC, ETH]
            assert held(after) == {BTC, ETH}
            assert after.halts == {}
            assert after.timeframe_ms == second.engine.desk.timeframe_ms == 300_000
            for symbol in (BTC, ETH):
                now, then = after.markets[symbol].holding, before.markets[symbol].holding
                assert now is not None
                assert then is not None
                assert (now.position_id, now.agreed_loss_quote) == (then.position_id, then.agreed_loss_quote)
            assert [key for key, each in after.markets.items() if each.is_leaving] == [ETH]
            assert [notice for notice in second.edges.notices if ETH in notice]
    assert any("Candles were 1m and are 5m" in line.get("notice", "") for line in lines)
    assert [file.name for file in Path("var").glob("*.db")] == [first.path.name]


async def test_a_database_of_an_older_version_is_continued(account: Account) -> None:
    async with account.trades(feed__symbols=f"{BTC},{ETH}") as first:
        await account.enters(first, BTC)
    former = Path("var/testnet-binanceusdm-0ldd1g3s.db")
    as_it_was(first.path, former, f"/, {BTC},{ETH}")
    async with account.trades(feed__symbols=f"{ETH},{BTC}", feed__timeframe="5m") as second:
        assert second.path == former
        assert BTC in held(second.engine.state)
        assert second.engine.state.halts == {}
    shutil.copy(former, "var/testnet-binanceusdm-an0th3r.db")
    with pytest.raises(UserError, match=r"has 2 databases: var/.*0ldd1g3s.db, var/.*an0th3r.db"):
        async with account.trades():
            pass
    async with account.trades(run__db=former, feed__symbols=ETH) as named:
        assert BTC in named.engine.state.markets


async def test_the_database_of_another_account_is_refused(account: Account) -> None:
    async with account.trades(feed__symbols=BTC) as first:
        pass
    as_it_was(first.path, first.path, "0/, " + BTC)  # another port
    with pytest.raises(UserError, match="belongs to the testnet account"):
        async with account.trades(feed__symbols=BTC):
            pass


def as_it_was(path: Path, former: Path, ending: str) -> None:
    """Give a database the name and the account that an older version would have written."""
    path.rename(former)
    with closing(sqlite3.connect(former)) as database, database:
        database.execute("UPDATE account SET name = name || ?", (ending,))


async def test_a_second_bot_on_the_account_with_another_database_is_refused(account: Account) -> None:
    async with account.trades(feed__symbols=BTC):
        with pytest.raises(UserError, match=r"trades on this account \(process \d+, database .*\.db\)"):
            async with account.trades(feed__symbols=BTC, run__db=Path("second.db")):
                pass
        assert not Path("second.db").exists()
    async with account.trades(feed__symbols=BTC, run__db=Path("second.db")) as second:
        assert second.is_running


@pytest.mark.parametrize("lost", ["gone", "changed"])
async def test_a_start_without_its_strategy_guards_what_is_open(account: Account, lost: str) -> None:
    chosen = {
        "gone": {"strategy__name": "gone"},
        "changed": {"strategy__sha256": "0" * 64},
    }[lost]
    with pytest.raises(UserError, match=r"gone|SHA-256"):
        async with account.trades(feed__symbols=BTC, **chosen):
            pass  # nothing is open: it is refused as ever
    async with account.trades(feed__symbols=BTC) as first:
        await account.enters(first, BTC)
    with capture_logs() as lines:
        async with account.trades(feed__symbols=BTC, **chosen) as second:
            state = second.engine.state
            assert held(state) == {BTC}
            assert "there is no strategy to ask" in state.halts["strategy_error"].message
            account.advance()
            account.advance()
            assert held(state) == {BTC}
    told = [line for line in lines if line.get("cause") == "strategy_failed"]
    assert len(told) <= 1
    async with account.trades(feed__symbols=BTC) as third:
        assert held(third.engine.state) == {BTC}
        assert third.engine.state.halts == {}
