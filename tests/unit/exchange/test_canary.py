"""Keys reach the venue and nothing else: no log, no error, no event, no snapshot, no repr."""

import json
import logging
import traceback

import ccxt
import pytest

from bot.core.codec import to_json
from bot.core.intent import AddMargin, Intent, OpenPosition
from bot.errors import RingfenceError
from bot.exchange.connect import Credentials
from tests.unit.exchange.wire import BTC, KEYS, START_MS, error, position_row, wired

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
