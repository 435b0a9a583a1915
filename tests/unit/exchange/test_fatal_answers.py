"""Which errors that end the session prove that a request did nothing, and which leave its fate open."""

from typing import Any

import ccxt
import pytest

from bot.core.intent import PlaceTrailingStop, SetLeverage
from bot.errors import Fatal, OutcomeUnknown
from bot.exchange.lane import Urgency
from tests.unit.exchange.bybit_wire import Refusal, intent, position_row, wired
from tests.unit.exchange.wire import BTC

KEY_REFUSED = Refusal(10003, "API key is invalid.")


async def refused() -> None:
    raise ccxt.AuthenticationError('bybit {"retCode":10003,"retMsg":"API key is invalid."}')


async def test_an_error_that_answers_a_write_says_that_nothing_was_done() -> None:
    link = wired()[0].link
    with pytest.raises(Fatal) as raised:
        await link.write(refused, Urgency.NORMAL)
    assert raised.value.is_answer


async def test_an_error_that_answers_a_question_says_nothing_of_a_write_before_it() -> None:
    link = wired()[0].link
    with pytest.raises(Fatal) as raised:
        await link.read(refused)
    assert not raised.value.is_answer


async def test_a_key_that_is_refused_after_the_leverage_was_set_leaves_its_fate_open() -> None:
    connection, wire = wired()
    await connection.gateway.account()
    listed = wire.answers["GET /v5/position/list"]
    wire.answers["POST /v5/position/set-leverage"] = {}

    def after_the_write(_params: dict[str, Any]) -> Any:
        return KEY_REFUSED if wire.sent("POST", "position/set-leverage") else listed

    wire.answers["GET /v5/position/list"] = after_the_write
    with pytest.raises(Fatal) as raised:
        await connection.gateway.execute(intent(SetLeverage(BTC, 7), "TRAP0000001L"))
    assert wire.sent("POST", "position/set-leverage")
    assert not raised.value.is_answer


async def test_a_trailing_stop_that_was_set_and_cannot_be_read_is_of_unknown_fate() -> None:
    connection, wire = wired()
    wire.holds(position_row())
    await connection.gateway.account()
    wire.answers["POST /v5/position/trading-stop"] = {}
    wire.lists("market/tickers", {"symbol": "BTCUSDT", "markPrice": "50500", "lastPrice": "50500"})
    listed = wire.answers["GET /v5/order/realtime"]

    def after_the_write(_params: dict[str, Any]) -> Any:
        return KEY_REFUSED if wire.sent("POST", "position/trading-stop") else listed

    wire.answers["GET /v5/order/realtime"] = after_the_write
    with pytest.raises(OutcomeUnknown, match="was set"):
        await connection.gateway.execute(intent(PlaceTrailingStop(BTC, 1, 0.0, 0.01), "TRAP0000003W"))
