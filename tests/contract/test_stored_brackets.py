"""The liquidation price that a database tells is the exchange's own, also after it changed its brackets."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.cli.main import run
from bot.core.event import InstrumentChanged
from bot.core.instrument import Instrument, margin_rules
from bot.core.intent import OpenPosition, SetLeverage
from bot.core.profile import VenueProfile
from bot.engine.state import Holding, Market, State, snapshot
from bot.engine.window import CandleWindow
from bot.ports import Checkpoint, Commit
from bot.sim.server.control import Control
from bot.sim.server.pump import Pump
from bot.store.database import Binding, open_journal
from bot.store.journal import SqliteJournal
from tests.contract.bybit_world import ServedBybit
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC, FIRST_PRICE, START_MS, Desk, Served
from tests.unit.store.story import RUN

HOUR_MS = 3_600_000
LONG = 0.1
STRICTER = [[0.0, 50_000.0, 0.02, 0.0, 20.0], [50_000.0, 1e9, 0.05, 1_500.0, 5.0]]


@pytest.fixture(params=[Served, ServedBybit, ServedOkx], ids=["binance", "bybit", "okx"])
def world(request: pytest.FixtureRequest) -> Served:
    return request.param()


class Trading:
    """A long at the exchange behind a dialect, and the database of the bot that holds it."""

    def __init__(self, world: Served, path: Path) -> None:
        self.world, self.path = world, path

    @property
    def gateway(self) -> Any:
        return self.world.connection.gateway

    async def enter(self) -> None:
        """Open the position, and a database as a session's start leaves it."""
        self.instrument: Instrument = (await self.gateway.instruments())[BTC]
        desk = Desk(self.world.exchange)
        await desk.send(SetLeverage(BTC, 10))
        await desk.send(OpenPosition(BTC, 1, LONG))
        journal = self.journal()
        journal.start_run(RUN)
        journal.put_instruments([self.instrument], self.profile())
        self.commit(journal)

    async def follow_brackets(self) -> None:
        """Let the exchange change its brackets, and the session hear of it an hour later."""
        pump = Pump(self.world.embedded, self.world.clock, 1.0)
        control = Control(self.world.embedded, pump, self.world.faults, self.world.server)
        control.run("brackets", {"symbol": BTC, "rows": STRICTER})
        self.world.clock.advance(HOUR_MS)
        await self.gateway.refresh()
        (event,) = await self.gateway.sweep(BTC)
        assert isinstance(event, InstrumentChanged)
        self.commit(self.journal(), event)

    def journal(self) -> SqliteJournal:
        return open_journal(self.path, Binding(f"{self.world.ccxt_id} on this machine", "testnet", "default"))

    def profile(self) -> VenueProfile:
        return self.gateway.dialect.profile(self.instrument.taker_fee_rate)

    def commit(self, journal: SqliteJournal, *events: InstrumentChanged) -> None:
        """Write what happened with the session's state, as the loop does."""
        held = self.gateway.book.positions[BTC]
        market = Market(self.instrument, margin_rules(self.instrument, self.profile()), CandleWindow(1))
        market.mark = market.last = FIRST_PRICE
        market.mark_ms, wallet = START_MS, held.isolated_wallet
        market.holding = Holding(held, 1, START_MS, wallet, 0.9 * FIRST_PRICE, 0.1, wallet, FIRST_PRICE)
        state = State({BTC: market}, timeframe_ms=60_000, free_quote=9_000.0, now_ms=START_MS)
        journal.commit(Commit(START_MS, events, checkpoint=Checkpoint(snapshot(state), {}, {})))
        journal.close()

    def exchanges_own(self) -> float:
        state = self.world.embedded.state
        return state.liquidation(state.positions[BTC])


@pytest.fixture
async def trading(world: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trading:
    monkeypatch.chdir(tmp_path)
    trading = Trading(world, tmp_path / "traded.db")
    await trading.enter()
    return trading


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    assert run([*arguments, "--db", "traded.db", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def liquidation_prices(capsys: pytest.CaptureFixture[str]) -> list[float]:
    """Return the liquidation price as every command tells it that reads open positions."""
    return [
        told(capsys, "positions")[0]["liquidation_price"],
        told(capsys, "status")["positions"][0]["liquidation_price"],
        told(capsys, "margin", "plan")[0]["liquidation_price"],
        told(capsys, "calc", "position")["positions"][0]["liquidation_price"],
    ]


async def test_the_liquidation_price_read_from_a_database_is_the_exchanges_own(
    trading: Trading, capsys: pytest.CaptureFixture[str]
) -> None:
    assert liquidation_prices(capsys) == [pytest.approx(trading.exchanges_own())] * 4


async def test_after_the_exchange_changed_its_brackets_it_is_still_the_exchanges_own(
    trading: Trading, capsys: pytest.CaptureFixture[str]
) -> None:
    before = trading.exchanges_own()
    await trading.follow_brackets()
    assert trading.exchanges_own() > before + 500.0
    assert liquidation_prices(capsys) == [pytest.approx(trading.exchanges_own())] * 4


async def test_tiers_and_size_are_those_of_the_exchange_too(
    trading: Trading, capsys: pytest.CaptureFixture[str]
) -> None:
    await trading.follow_brackets()
    (market,) = told(capsys, "calc", "tiers")["markets"]
    assert [row["maintenance_margin_rate"] for row in market["tiers"]] == [0.02, 0.05]
    trade = ("--side", "long", "--stop", "49900", "--risk", "1%", "--sigma-day", "1%")
    size = told(capsys, "calc", "size", *trade)
    assert size["leverage"] == STRICTER[0][-1]
