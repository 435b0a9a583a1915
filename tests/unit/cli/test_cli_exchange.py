"""`ringfence exchange serve` refuses what it cannot serve, before a port is opened or a file is made."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.cli import exchange_session
from bot.errors import UserError
from bot.sim.server.serve import bind


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dialect", "kraken"], "it speaks binance|speaks binance"),
        (["--host", "0.0.0.0"], "this machine only"),
        (["--key", "no-colon"], "KEY:SECRET"),
        (["--dialect", "okx", "--key", "key:secret"], "KEY:SECRET:PASSPHRASE"),
        (["--feed", "replay"], "--data"),
        (["--symbols", "NOPE/USDT:USDT"], "does not know NOPE"),
        (["--speed", "fast"], "speed"),
        (["--state", "missing/folder/exchange.state"], "missing"),
    ],
)
def test_what_cannot_be_served_is_refused_and_nothing_is_written(
    arguments: list[str], words: str, ringfence: Callable[..., Any], workplace: Path
) -> None:
    outcome = ringfence("exchange", "serve", "--port", "0", *arguments)
    assert outcome.code == 2, outcome
    assert any(word in outcome.err for word in words.split("|")), outcome.err
    assert list(workplace.iterdir()) == []


def test_a_state_of_another_feed_is_refused(ringfence: Callable[..., Any], workplace: Path) -> None:
    command = ("exchange", "serve", "--port", "0", "--state", "exchange.state", "--for", "0.05s")
    symbols = ("--symbols", "BTC/USDT:USDT")
    assert ringfence(*command, *symbols, "--seed", "3").code == 0
    outcome = ringfence(*command, *symbols, "--seed", "4")
    assert outcome.code == 2
    assert "seed 3" in outcome.err


def test_the_paper_key_is_said_and_a_key_of_ones_own_is_not(ringfence: Callable[..., Any]) -> None:
    command = ("exchange", "serve", "--port", "0", "--symbols", "BTC/USDT:USDT", "--for", "0.05s")
    assert "ringfence-paper-secret" in ringfence(*command).err
    outcome = ringfence(*command, "--key", "mine:canary-secret")
    assert outcome.code == 0
    assert "key mine" in outcome.err
    assert "canary" not in outcome.err + outcome.out


def test_okx_is_served_with_a_passphrase_and_a_state_of_its_own(ringfence: Callable[..., Any]) -> None:
    command = ("exchange", "serve", "--port", "0", "--symbols", "BTC/USDT:USDT", "--for", "0.05s")
    command += ("--state", "exchange.state")
    outcome = ringfence(*command, "--dialect", "okx")
    assert outcome.code == 0
    assert "OKX's dialect" in outcome.err
    assert "ringfence-paper-passphrase" in outcome.err
    other = ringfence(*command)
    assert other.code == 2
    assert "dialect okx" in other.err


def test_an_address_with_colons_is_said_in_brackets(ringfence: Callable[..., Any]) -> None:
    try:
        bind("::1", 0).close()
    except UserError as error:
        pytest.skip(f"this machine has no IPv6 loopback: {error}")
    command = ("exchange", "serve", "--port", "0", "--symbols", "BTC/USDT:USDT", "--for", "0.05s")
    outcome = ringfence(*command, "--host", "::1")
    assert outcome.code == 0, outcome
    assert re.search(r"on http://\[::1\]:\d+ \(streams ws://\[::1\]:\d+/ws\)", outcome.err), outcome.err


def test_a_feed_that_is_refused_is_not_offered(ringfence: Callable[..., Any]) -> None:
    shown = ringfence("exchange", "serve", "--help").out
    assert "synthetic|replay" in shown
    assert "live" not in shown
    assert ringfence("exchange", "serve", "--feed", "live").code == 2


@pytest.mark.parametrize(
    ("flags", "file", "pace"),
    [((), "", 60.0), ((), "run.speed = '3x'", 3.0), (("--speed", "600x"), "run.speed = '3x'", 600.0)],
)
def test_an_exchange_runs_slower_than_a_paper_session_unless_told(
    flags: tuple[str, ...],
    file: str,
    pace: float,
    ringfence: Callable[..., Any],
    workplace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At 600x a mark would be too old to act on after 8 ms of the clock."""
    served: list[Any] = []
    monkeypatch.setattr(
        exchange_session, "serve_until_stopped", lambda settings, _served: served.append(settings) or 0
    )
    (workplace / "some.toml").write_text(file, encoding="utf-8")
    assert ringfence("exchange", "serve", "--config", "some.toml", *flags).code == 0
    assert served[0].run.speed == pace
