"""doctor --venue, list-exchanges and download-data: what they refuse before anything is asked or written."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.exchange.venues import VENUES
from tests.unit.cli.conftest import assert_one_paragraph, files_in

LOOPBACK = "http://127.0.0.1:9"
DOWNLOAD = ("download-data", "--venue", "binanceusdm", "--base-url", LOOPBACK, "--data", "candles")
RANGE = ("--timerange", "20241230-20250101")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--venue", "mtgox"), "not known"),
        (("--venue", "binanceusdm", "--base-url", LOOPBACK), "missing: api_key, secret"),
        (("--venue", "binanceusdm", "--testnet", "--base-url", LOOPBACK), "give one"),
        (("--testnet",), "--venue"),
    ],
)
def test_the_doctor_refuses_what_it_cannot_examine(
    ringfence: Callable[..., Any], arguments: tuple[str, ...], words: str
) -> None:
    outcome = ringfence("doctor", *arguments)
    assert outcome.code == 2, outcome
    assert words in outcome.err
    assert_one_paragraph(outcome)


@pytest.fixture
def keys(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "SECRET", "PASSWORD"):
        monkeypatch.setenv(f"RINGFENCE__EXCHANGE__{name}", f"CANARY{name}")


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--venue", "kucoinfutures", "--testnet"), "paper trading"),
        (("--venue", "binanceusdm", "--base-url", "http://10.0.0.1:80"), "not on this machine"),
    ],
)
def test_keys_go_to_no_host_that_was_not_asked_for(
    ringfence: Callable[..., Any], arguments: tuple[str, ...], words: str
) -> None:
    outcome = ringfence("doctor", *arguments)
    assert outcome.code == 2, outcome
    assert words in outcome.err
    assert "CANARY" not in outcome.err + outcome.out


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("venue", ["kucoinfutures", "bitget", "gate"])
@pytest.mark.parametrize(
    "verb",
    [
        ("doctor",),
        ("download-data", *RANGE, "--data", "candles"),
        ("trade", "--headless"),
        ("trade", "--headless", "--paper", "--feed", "live"),
    ],
)
def test_a_dialect_that_nobody_serves_on_this_machine_is_refused_at_once(
    ringfence: Callable[..., Any], workplace: Path, verb: tuple[str, ...], venue: str
) -> None:
    outcome = ringfence(*verb, "--venue", venue, "--base-url", LOOPBACK)
    assert outcome.code == 2, outcome
    assert "on this machine" in outcome.err
    assert "binanceusdm, bybit, okx" in outcome.err
    assert ("--testnet" in outcome.err) == (venue != "kucoinfutures")
    assert_one_paragraph(outcome)
    assert [path for path in files_in(workplace) if not str(path).endswith(".lock")] == []


def test_paper_on_an_exchange_is_pointed_to_its_live_prices(ringfence: Callable[..., Any]) -> None:
    outcome = ringfence("trade", "--paper", "--venue", "okx", "--headless")
    assert outcome.code == 2, outcome
    assert "run.mode is paper: add --feed live" in outcome.err
    assert_one_paragraph(outcome)


@pytest.mark.usefixtures("keys")
def test_an_exchange_that_does_not_answer_is_a_finding(ringfence: Callable[..., Any]) -> None:
    outcome = ringfence("doctor", "--venue", "binanceusdm", "--base-url", LOOPBACK, "--json")
    assert outcome.code == 1
    rows = {row["check"]: row for row in json.loads(outcome.out)}
    assert rows["reach"]["verdict"] == "wrong"
    assert set(rows["reach"]) == {"verdict", "check", "fact", "next_step"}
    assert "CANARY" not in outcome.out + outcome.err


def test_every_exchange_is_listed_with_what_was_verified(ringfence: Callable[..., Any]) -> None:
    outcome = ringfence("list-exchanges", "--json")
    rows = {row["name"]: row for row in json.loads(outcome.out)}
    assert set(rows) == set(VENUES)
    assert all(row["verified"] and row["margin"] and row["stops"] for row in rows.values())
    assert all(row["live_prices"].startswith("on paper without keys; assumed: ") for row in rows.values())
    assert "paper" in rows["kucoinfutures"]["test"]
    text = ringfence("list-exchanges").out
    table, _, rest = text.partition("\nbinanceusdm: Binance USD-M\n")
    assert rest
    assert all(word in table for word in ("stop", "trailing", "margin history", "hedge", "testnet"))
    assert rows["kucoinfutures"]["testnet"] is False
    assert [name for name, row in rows.items() if row["trailing"]] == ["binanceusdm", "bybit", "okx"]
    assert all(f"{name}: " in text for name in VENUES)


def test_the_list_of_exchanges_is_data_and_needs_no_ccxt() -> None:
    code = (
        "import sys; from bot.cli.listing import list_exchanges; list_exchanges(); "
        "print([name for name in ('ccxt', 'aiohttp') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*RANGE, "--timeframe", "7m"), "does not divide a day"),
        (("--timerange", "20250101-20241230"), "is empty"),
        (("--timerange", "yesterday"), "YYYYMMDD"),
        ((*RANGE, "--venue", "mtgox"), "not known"),
        ((*RANGE, "--base-url", "http://example.org"), "not on this machine"),
        (RANGE, "goes on"),
    ],
)
def test_a_download_that_cannot_begin_writes_nothing(
    ringfence: Callable[..., Any], workplace: Path, arguments: tuple[str, ...], words: str
) -> None:
    outcome = ringfence(*DOWNLOAD, *arguments)
    assert outcome.code == 2, outcome
    assert words in outcome.err
    assert_one_paragraph(outcome)
    assert files_in(workplace) == []
