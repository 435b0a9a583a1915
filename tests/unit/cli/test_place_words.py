"""The start and the live view say whose money is traded, where and on what; no speed where it is not ours."""

from pathlib import Path
from typing import Any

import pytest

from bot.app import Application
from bot.cli.screen.glyphs import UNICODE
from bot.cli.screen.strip import strip_lines
from bot.settings import Flag, Settings, load
from bot.view.live import BoardMaker
from bot.view.place_words import market_speed, source_words, start_words

HERE = "http://127.0.0.1:8770"
TESTNET = {"run.mode": "testnet", "exchange.name": "okx"}
LOOPBACK = {"run.mode": "testnet", "exchange.name": "binanceusdm", "exchange.base_url": HERE}
LIVE = {"run.mode": "live", "exchange.name": "bybit", "exchange.allow_live": True}
PRICES = {"feed.kind": "live", "exchange.name": "gate"}


def settings(flags: dict[str, Any]) -> Settings:
    return load(None, tuple(Flag(key, key, value) for key, value in flags.items()))


@pytest.mark.parametrize(
    ("flags", "start", "source", "speed"),
    [
        ({}, "Paper trading on a synthetic market at 600x", "synthetic", "600x"),
        (PRICES, "Paper trading on the live prices of gate", "live prices of gate", ""),
        (TESTNET, "Testnet trading on okx (its test environment)", "okx testnet", ""),
        (
            LOOPBACK,
            f"Testnet trading on binanceusdm ({HERE}, an exchange on this machine)",
            f"binanceusdm at {HERE}",
            "",
        ),
        (LIVE, "Trading REAL MONEY on bybit", "bybit, real money", ""),
    ],
    ids=["paper", "live prices", "testnet", "loopback", "live"],
)
def test_the_place_of_every_kind_of_session_is_said(
    flags: dict[str, Any], start: str, source: str, speed: str
) -> None:
    chosen = settings(flags)
    assert (start_words(chosen), source_words(chosen), market_speed(chosen)) == (start, source, speed)


def test_a_start_on_an_exchange_does_not_say_paper(
    ringfence: Any, application: Any, monkeypatch: Any
) -> None:
    flags = ("--venue", "binanceusdm", "--base-url", HERE, "--symbols", "BTC/USDT:USDT")
    said = ringfence("trade", *flags).err.splitlines()[-1]
    assert said.startswith(
        f"Testnet trading on binanceusdm ({HERE}, an exchange on this machine): BTC/USDT:USDT"
    )
    assert "aper" not in said
    assert "600x" not in said
    assert "stay at the exchange" in said
    monkeypatch.setenv("RINGFENCE__EXCHANGE__ALLOW_LIVE", "true")
    assert "REAL MONEY on okx" in ringfence("trade", "--venue", "okx", "--live").err


@pytest.mark.parametrize("width", [80, 140])
async def test_the_live_view_names_the_exchange_and_no_speed(tmp_path: Path, root: Path, width: int) -> None:
    paper = {"run.db": tmp_path / "paper.db", "strategy.directory": root / "strategies"}
    application = Application(settings(paper), lambda _commit: None)
    try:
        await application.meet()
        drawn = _drawn(application, width)
        assert "600x" in drawn
        application.settings = settings(LOOPBACK)
        drawn = _drawn(application, width)
    finally:
        await application.leave()
    assert " TESTNET " in drawn
    assert f"binanceusdm at {HERE}" in drawn
    assert "synthetic" not in drawn
    assert "speed" not in drawn


def _drawn(application: Application, width: int) -> str:
    lines = strip_lines(BoardMaker(application, ()).board(), width, UNICODE)
    return "\n".join("".join(span.text for span in line) for line in lines)
