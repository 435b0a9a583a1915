"""Keys reach the venue and nothing else: no log, no error, no event, no snapshot, no repr."""

import json
import logging
import traceback
from pathlib import Path

import ccxt
import ccxt.pro
import pytest

from bot.core.codec import to_json
from bot.core.intent import AddMargin, Intent, OpenPosition
from bot.errors import RingfenceError
from bot.exchange.connect import Credentials
from tests.unit.exchange.wire import BTC, KEYS, START_MS, error, position_row, wired

ROOT = Path(__file__).resolve().parents[3]
SECRETS = (KEYS.api_key, KEYS.secret)


def assert_clean(text: str) -> None:
    assert text
    for secret in (*SECRETS, "signature="):
        assert secret not in text


@pytest.mark.parametrize(
    "failure",
    [
        error(-2015, "Invalid API-key, IP, or permissions for action."),
        error(-1022, "Signature for this request is not valid."),
        ccxt.RequestTimeout(f"binanceusdm POST https://h/x?signature=aa&k={KEYS.api_key}"),
        ccxt.ExchangeNotAvailable("binanceusdm POST https://h/x?signature=aa"),
        TypeError("string indices must be integers"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_no_error_and_no_traceback_shows_a_key(failure, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    wire.answers["POST /fapi/v1/positionMargin"] = failure
    intent = Intent(1, "CANARY0000001A", START_MS, AddMargin(BTC, 200.0), "canary", {})
    with pytest.raises(RingfenceError) as raised:
        await connection.gateway.execute(intent)
    shown = "".join(traceback.format_exception(raised.value))
    assert_clean(shown + caplog.text)


def shown_with_variables(error: BaseException) -> str:
    """Return what a traceback that shows variables says of the frames of this program, and the causes'."""
    frames, chain = [], [error]
    for each in chain:
        chain += [cause for cause in (each.__cause__, each.__context__) if cause and cause not in chain]
        stack = traceback.TracebackException.from_exception(each, capture_locals=True).stack
        frames += [str(frame.locals) for frame in stack if f"{ROOT}/bot/" in frame.filename]
    return "\n".join(frames)


async def test_no_variable_of_ours_shows_a_key_while_a_request_fails() -> None:
    connection, wire = wired()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    wire.answers["POST /fapi/v1/positionMargin"] = TypeError("planted")
    intent = Intent(1, "CANARY0000003A", START_MS, AddMargin(BTC, 200.0), "canary", {})
    with pytest.raises(RingfenceError) as raised:
        await connection.gateway.execute(intent)
    assert_clean(shown_with_variables(raised.value))


def test_no_variable_of_ours_shows_a_key_while_the_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise TypeError("planted")

    monkeypatch.setattr(ccxt.pro.binanceusdm, "deep_extend", broken)
    with pytest.raises(TypeError) as raised:
        wired()
    assert "credentials" in shown_with_variables(raised.value)
    assert_clean(shown_with_variables(raised.value))


async def test_nothing_that_is_kept_or_shown_holds_a_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connection, _ = wired()
    intent = Intent(1, "CANARY0000002E", START_MS, OpenPosition(BTC, 1, 0.0001), "canary", {})
    events = await connection.gateway.execute(intent)
    kept = json.dumps([to_json(list(events)), connection.gateway.snapshot()])
    assert_clean(kept + repr(connection) + repr(KEYS) + str(Credentials("CANARY", "CANARY")))


async def test_ccxts_own_log_of_requests_is_off_at_every_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connection, _ = wired()
    logger = connection.link.client.logger
    assert not logger.isEnabledFor(logging.DEBUG)
    assert connection.link.client.verbose is False


async def test_the_key_does_reach_the_venue() -> None:
    """Otherwise the others would prove nothing."""
    connection, wire = wired()
    await connection.gateway.account()
    assert any(each.headers.get("X-MBX-APIKEY") == KEYS.api_key for each in wire.requests)
