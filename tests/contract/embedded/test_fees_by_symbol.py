"""Symbols whose fees differ: each is liquidated by its own, at the exchange, in the engine, in the file."""

import asyncio
from pathlib import Path
from typing import Final

from bot.app import Application
from bot.core.position import Position
from bot.settings import Flag, Settings, load
from bot.sim.server.auth import PAPER_KEY, PAPER_PASSPHRASE, PAPER_SECRET
from bot.store.markets import stored_markets
from bot.store.reader import open_reader
from tests.contract.embedded.dialect_worlds import BTC, Spoken, serving

ETH: Final = "ETH/USDT:USDT"
RATES: Final = {BTC: 0.0002, ETH: 0.004}


def settings(spoken: Spoken, path: Path) -> Settings:
    flags = {
        "exchange.name": spoken.ccxt_id,
        "exchange.base_url": spoken.access.base_url,
        "exchange.api_key": PAPER_KEY,
        "exchange.secret": PAPER_SECRET,
        "exchange.password": PAPER_PASSPHRASE,
        "feed.symbols": f"{BTC},{ETH}",
        "run.mode": "testnet",
        "run.db": str(path),
    }
    return load(None, tuple(Flag(key, key, value) for key, value in flags.items()))


async def test_each_symbol_counts_its_own_fee_to_close(tmp_path: Path) -> None:
    async with serving("bybit", RATES) as spoken:
        spoken.control.run("advance", {"ticks": 3})
        committed = asyncio.Event()
        application = Application(settings(spoken, tmp_path / "t.db"), lambda _commit: committed.set())
        try:
            await application.meet()
            await application.open()
            running = asyncio.create_task(application.run())
            await committed.wait()
            application.stop()
            await running
        finally:
            await application.leave()
        rules = {symbol: market.rules for symbol, market in application.engine.state.markets.items()}
        with open_reader(tmp_path / "t.db") as reader:
            stored = {symbol: market.rules for symbol, market in stored_markets(reader).items()}
        for symbol, rate in RATES.items():
            theirs = spoken.exchange.state.rules[symbol].profile
            assert rules[symbol].profile == stored[symbol].profile == theirs
            assert theirs.close_fee_rate == rate


async def test_a_higher_fee_moves_the_liquidation_price_of_its_symbol_only() -> None:
    async with serving("okx", RATES) as dear, serving("okx", dict.fromkeys(RATES, 0.0002)) as cheap:
        long = {symbol: Position(symbol, 1, 0.1, 1_000.0, 10.0, 10.0, 0) for symbol in RATES}
        prices = [
            [world.exchange.state.liquidation(position) for position in long.values()]
            for world in (dear, cheap)
        ]
    assert prices[0][0] == prices[1][0]
    assert prices[0][1] > prices[1][1] + 3.0
