"""bot/EVIDENCE.md: its commands parse, and each kind of them works, small, on generated candles."""

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer

from bot.cli.main import app, run
from tests.unit.docs.reading import blocks, command_words, text_of

DOCUMENT: Final = "bot/EVIDENCE.md"
FIRST_CANDLE_MS: Final = 1_738_454_400_000  # 2025-02-02 00:00 UTC
QUARTER_MS: Final = 900_000
DAYS: Final = 4
FOUR_DAYS: Final = "20250203-20250206"


def commands() -> Iterator[list[str]]:
    """Yield the words of every command of the document."""
    for block in blocks(DOCUMENT, "sh"):
        yield from command_words(block)


@pytest.fixture
def market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory whose folder `data` has four wild days of BTC in quarters of an hour."""
    draw, price = random.Random(3), 100_000.0
    rows = ["timestamp,open,high,low,close,volume"]
    for bar in range(DAYS * 96):
        close = price * math.exp(draw.gauss(0.0, 0.008))
        ts_ms = FIRST_CANDLE_MS + bar * QUARTER_MS
        rows.append(f"{ts_ms},{price:.1f},{max(price, close):.1f},{min(price, close):.1f},{close:.1f},1")
        price = close
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "BTCUSDT_15m.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_document_has_the_commands_that_made_it() -> None:
    verbs = {" ".join(words[1:3]) if words[1] == "margin" else words[1] for words in commands()}
    assert verbs == {"compare", "sweep", "trade", "margin report"}


def test_every_command_parses() -> None:
    for words in commands():
        assert words[0] == "ringfence", words
        command: Any = typer.main.get_command(app)
        rest = words[1:]
        while hasattr(command, "commands"):
            command, rest = command.commands[rest[0]], rest[1:]
        command.make_context("ringfence", rest)


@pytest.mark.parametrize("stop", ["none", "3%"])
def test_a_small_comparison_of_each_kind_works(
    stop: str, market: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = next(
        words for words in commands() if words[1] == "compare" and ("none" in words) == (stop == "none")
    )
    assert words[words.index("--data") + 1] == "data"
    shortened = {"--symbols": "BTC/USDT:USDT", "--timerange": FOUR_DAYS, "--timeframe": "15m"}
    for flag, value in shortened.items():
        if flag in words:
            words[words.index(flag) + 1] = value
    assert run([*words[1:], "--horizon", "12h"]) == 0
    out = capsys.readouterr().out
    ways = [line.split("  ")[0] for line in out.splitlines()]
    assert {"static", "exchange auto add", "hurdle", "stop anchor with derisk ladder", "cross"} <= set(ways)


def test_what_two_ranges_lack_alike_is_said_once(market: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ranges = "20250203-20250204,20250204-20250205"
    flags = ["--data", "data", "--symbols", "BTC/USDT:USDT", "--timerange", ranges, "--horizon", "6h"]
    assert run(["compare", *flags]) == 0
    err = capsys.readouterr().err
    assert err.count("Replaying 15m candles from BTCUSDT_15m.csv.") == 1
    assert err.count("no funding settlements in the range") == 1


def test_every_way_of_the_program_is_in_every_table() -> None:
    tables = [block.text for block in blocks(DOCUMENT, "text") if "against static" in block.text]
    assert len(tables) >= 6
    for way in ("static", "exchange auto add", "distance band", "hurdle", "stop anchor", "cross"):
        assert all(f"\n{way} " in table for table in tables), way


def test_what_does_not_help_is_said_to_not_help() -> None:
    assert "does not help" in text_of(DOCUMENT)
