"""KuCoin futures' streams: what the documented messages say, and whose token a socket has."""

import asyncio
from typing import Any

import ccxt
import pytest

from bot.errors import UserError
from bot.exchange.told import AccountTold, CandleTold, MarkTold
from bot.exchange.venues import VENUES
from tests.unit.exchange.documented import BTC, kucoin
from tests.unit.exchange.kucoin_script import SETTLED_MS, said
from tests.unit.exchange.recorder import START_MS

HOUR_MS = 3_600_000


async def test_the_next_settlement_is_worked_out_because_no_mark_tells_it() -> None:
    made = kucoin()
    current = {
        "symbol": ".XBTUSDTMFPI8H",
        "granularity": 8 * HOUR_MS,
        "timePoint": SETTLED_MS,
        "value": 0.0001,
    }
    made.answers["GET /api/v1/funding-rate/XBTUSDTM/current"] = said(current)
    mark = {
        "symbol": "XBTUSDTM",
        "granularity": 1000,
        "timePoint": START_MS,
        "value": 90445.02,
        "indexPrice": 1,
    }
    made.answers["GET /api/v1/mark-price/XBTUSDTM/current"] = said(mark)
    due_ms = SETTLED_MS + 8 * HOUR_MS
    assert await made.trading.marks(made.client, [BTC]) == (MarkTold(START_MS, BTC, 90_445.02, due_ms),)
    for ts_ms, expected in ((due_ms - 1, due_ms), (due_ms, due_ms + 8 * HOUR_MS)):
        assert made.trading.told(made.client, marked(ts_ms)).next_funding_ms == expected


def pushed(topic: str, subject: str, data: Any) -> dict[str, Any]:
    return {"topic": topic, "type": "message", "subject": subject, "data": data}


def marked(ts_ms: int, name: str = "XBTUSDTM") -> dict[str, Any]:
    data = {"markPrice": 90445.02, "indexPrice": 90445.02, "granularity": 1000, "timestamp": ts_ms}
    return pushed(f"/contract/instrument:{name}", "mark.index.price", data)


CANDLE = {"symbol": "XBTUSDTM", "time": 1715470994801,
          "candles": ["1715470980", "81.38", "81.5", "81.6", "81.3", "61.0", "61"]}  # fmt: skip
RATE = {"granularity": 60000, "fundingRate": -0.002966, "timestamp": 1551770400000}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (marked(1731899129000), MarkTold(1731899129000, BTC, 90_445.02, 0)),
        (
            pushed("/contractMarket/limitCandle:XBTUSDTM_1min", "candle.stick", CANDLE),
            CandleTold(1715470994801, BTC, 1715470980000, 81.38, 81.6, 81.3, 81.5, 61.0, False),
        ),
        (
            pushed("/contractMarket/tradeOrders", "orderChange",
                   {"symbol": "XBTUSDTM", "type": "match", "ts": 1731917460806000000}),
            AccountTold(1731917460806, (BTC,)),
        ),
        (
            pushed("/contractMarket/advancedOrders", "stopOrder",
                   {"symbol": "XBTUSDTM", "type": "open", "ts": 1730194206843133000}),
            AccountTold(1730194206843, (BTC,)),
        ),
        (
            pushed("/contractAccount/wallet", "walletBalance.change", {"timestamp": "1731917460806"}),
            AccountTold(1731917460806, ()),
        ),
        (pushed("/contract/instrument:XBTUSDTM", "funding.rate", RATE), None),
        (marked(1731899129000, "ETHUSDTM"), None),
        ({"id": "1", "type": "ack"}, None),
        ({"id": "1", "type": "pong"}, None),
        ("text", None),
    ],
)  # fmt: skip
def test_a_message_says_what_the_documents_say(message: Any, expected: Any) -> None:
    made = kucoin()
    assert made.trading.told(made.client, message) == expected


async def test_each_connection_negotiates_a_token_of_its_own() -> None:
    made = kucoin()
    asked: list[tuple[str, str, Any]] = []
    for kind in ("public", "private"):
        host = f"ws://127.0.0.1:1/{kind}"
        servers = [{"endpoint": host, "pingInterval": 18000, "protocol": "websocket"}]
        token = {"code": "200000", "data": {"token": kind, "instanceServers": servers}}
        made.answers[f"POST /api/v1/bullet-{kind}"] = token

    async def watch(url: str, _name: str, request: Any, _subscription: str) -> None:
        asked.append((url.partition("?")[0], request["topic"], request.get("privateChannel")))
        raise ccxt.NetworkError("the socket broke")

    made.client.watch, made.client.asyncio_loop = watch, asyncio.get_running_loop()
    watchers = made.trading.watchers(made.client, [BTC], "1m")
    for _ in range(2):
        for name in ("marks", "candles", "account"):
            with pytest.raises(ccxt.NetworkError):
                await watchers[name]()
            await asyncio.sleep(0)
    await made.client.close()
    public, private = "ws://127.0.0.1:1/public", "ws://127.0.0.1:1/private"
    assert asked[:5] == [
        (public, "/contract/instrument:XBTUSDTM", None),
        (public, "/contractMarket/limitCandle:XBTUSDTM_1min", None),
        (private, "/contractMarket/tradeOrders", True),
        (private, "/contractMarket/advancedOrders", True),
        (private, "/contractAccount/wallet", True),
    ]
    negotiated = [each.path.rpartition("-")[2] for each in made.sent]
    assert negotiated == ["public", "public", "private"] * 2


async def test_a_candle_length_that_the_venue_has_not_is_refused_in_words() -> None:
    made = kucoin()
    with pytest.raises(UserError, match="no candles of 3m"):
        await made.trading.watchers(made.client, [BTC], "3m")["candles"]()


def test_the_host_that_the_venue_names_for_its_sockets_is_allowed() -> None:
    assert "ws-api-futures.kucoin.com" in VENUES["kucoinfutures"].live_hosts
