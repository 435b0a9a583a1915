"""What paper money on live prices is made of, and what it refuses before anything is written."""

from typing import Any

import pytest

from bot.core.event import InstrumentChanged
from bot.core.instrument import Instrument
from bot.errors import UserError
from bot.present import present_edges
from bot.settings import Flag, Settings, load
from bot.sim.embedded import instrument_for

FIVE_MINUTES_MS = 300_000
BTC = "BTC/USDT:USDT"


def settings(port: int, **more: Any) -> Settings:
    flags = {
        "feed.kind": "live",
        "feed.symbols": BTC,
        "exchange.base_url": f"http://127.0.0.1:{port}",
        **{key.replace("__", "."): value for key, value in more.items()},
    }
    return load(None, tuple(Flag(key, key, value) for key, value in flags.items()))


async def test_a_session_has_the_exchanges_terms_and_money_of_its_own(served: Any) -> None:
    served.pump.advance_ticks(3)
    edges = await present_edges(settings(served.port, venue__deposit_quote=777.0), FIVE_MINUTES_MS)
    try:
        account = await edges.exchange.account()
        assert (account.free_quote, account.positions) == (777.0, ())
        assert (edges.mode, edges.venue_name, edges.epoch) == ("paper", "simulated binanceusdm", "")
        assert edges.instruments[BTC].tick_size == instrument_for(BTC).tick_size
        assert "leverage brackets as shipped" in edges.notices[0]
        candles = await edges.feed.history(BTC, FIVE_MINUTES_MS, 5)
        assert len(candles.open_ms) == 5
    finally:
        await edges.leave()


async def test_rules_that_changed_are_the_simulated_venues_an_hour_later(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.pump.advance_ticks(3)
    edges = await present_edges(settings(served.port), FIVE_MINUTES_MS)
    try:
        market, venue = edges.feed._market, edges.exchange  # pyright: ignore[reportAttributeAccessIssue]
        stricter = edges.instruments[BTC]._replace(max_leverage=20.0)
        monkeypatch.setattr(market, "_shipped", instrument_for)
        monkeypatch.setattr(market._dialect, "public_instruments", _giving(stricter))
        await market.refresh()
        assert edges.missed is not None
        assert list(await edges.missed()) == []
        hour_later = market._link.clock.now_ms() + 3_600_000
        monkeypatch.setattr(market._link.clock, "now_ms", lambda: hour_later)
        await market.refresh()
        (told,) = await edges.missed()
        assert isinstance(told, InstrumentChanged)
        assert told.instrument == stricter
        assert (await venue.instruments())[BTC] == stricter
    finally:
        await edges.leave()


def _giving(instrument: Instrument) -> Any:
    async def read(*_: Any) -> dict[str, Instrument]:
        return {instrument.symbol: instrument}

    return read


async def test_what_was_missed_is_read_over_the_wire(served: Any) -> None:
    served.pump.advance_ticks(3)
    edges = await present_edges(settings(served.port), FIVE_MINUTES_MS)
    try:
        assert edges.missed is not None
        assert list(await edges.missed()) == []
        assert edges.feed.cursor() == {"lived": {}, "settled_ms": {}}
    finally:
        await edges.leave()


async def test_an_exchange_on_this_machine_that_is_down_is_to_be_started() -> None:
    start = r"cannot be read: .*Nothing was started. Start `ringfence exchange serve --dialect binance`"
    with pytest.raises(UserError, match=start):
        await present_edges(settings(1), FIVE_MINUTES_MS)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"feed__symbols": "BTC/USD:BTC"}, "only linear"),
        ({"feed__symbols": "NOPE/USDT:USDT"}, "not traded here"),
        ({"exchange__base_url": "http://example.com"}, "not on this machine"),
    ],
)
async def test_what_cannot_be_traded_on_is_refused(served: Any, changed: dict[str, str], says: str) -> None:
    with pytest.raises(UserError, match=says):
        await present_edges(settings(served.port, **changed), FIVE_MINUTES_MS)
