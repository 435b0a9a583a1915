"""Streams: what is told, to whom, in which order, and how it ends."""

from typing import Any

import orjson

from bot.sim.server.streams import Connection

BTC = "BTC/USDT:USDT"


class Ear:
    """A connection that only listens."""

    def __init__(self, *, is_combined: bool = False) -> None:
        self.is_combined = is_combined
        self.names: set[str] = set()
        self.waiting = 0
        self.heard: list[Any] = []

    def put(self, text: str) -> None:
        self.heard.append(orjson.loads(text))

    def kinds(self) -> list[str]:
        return [message["e"] for message in self.heard]


def listen(world: Any, *names: str, is_combined: bool = False) -> Any:
    ear = Ear(is_combined=is_combined)
    for name in names:
        world.dialect.hub.subscribe(ear, name)
    return ear


async def user_ear(world: Any) -> Any:
    key = await world.api.ok("POST", "v1/listenKey")
    return listen(world, key["listenKey"])


async def test_every_tick_is_told_as_a_mark_price(world: Any) -> None:
    ear = listen(world, "btcusdt@markPrice@1s", "ethusdt@markPrice")
    world.pump.advance_ticks(6)
    assert [message["s"] for message in ear.heard].count("BTCUSDT") == 3
    quote = world.exchange.prices.of(BTC)
    last = [message for message in ear.heard if message["s"] == "BTCUSDT"][-1]
    assert (float(last["p"]), last["E"], last["T"] % 28_800_000) == (quote.mark, quote.ts_ms, 0)


async def test_a_candle_forms_tick_by_tick_and_closes_once_with_what_the_history_says(world: Any) -> None:
    ear = listen(world, "btcusdt@kline_1m", "btcusdt@kline_5m")
    world.pump.advance_until(world.exchange.market_ms + 10 * 60_000)
    closed = [message["k"] for message in ear.heard if message["k"]["x"]]
    minutes = [kline for kline in closed if kline["i"] == "1m"]
    assert len(minutes) == 10
    assert len(closed) - len(minutes) == 2
    rows = await world.api.ok("GET", "v1/klines", symbol="BTCUSDT", interval="5m", limit=3)
    for kline, row in zip([each for each in closed if each["i"] == "5m"], rows, strict=False):
        assert [kline["t"], kline["o"], kline["h"], kline["l"], kline["c"], kline["v"]] == row[:6]
    forming = [message["k"] for message in ear.heard if not message["k"]["x"]]
    for kline in minutes:
        last = [each for each in forming if each["i"] == "1m" and each["t"] == kline["t"]][-1]
        assert (last["o"], last["h"], last["l"], last["c"]) == tuple(kline[name] for name in "ohlc")


async def test_all_symbols_come_as_a_list_and_combined_streams_are_named(world: Any) -> None:
    ear = listen(world, "!markPrice@arr@1s", is_combined=True)
    world.pump.advance_ticks(2)
    assert ear.heard[0]["stream"] == "!markPrice@arr@1s"
    assert {message["data"][0]["s"] for message in ear.heard} == {"BTCUSDT", "ETHUSDT"}


async def test_other_market_streams_speak(world: Any) -> None:
    kinds = {"miniTicker": "24hrMiniTicker", "ticker": "24hrTicker", "bookTicker": "bookTicker"}
    kinds |= {"trade": "trade", "aggTrade": "aggTrade"}
    for name, kind in kinds.items():
        ear = listen(world, f"btcusdt@{name}")
        world.pump.advance_ticks(2)
        assert ear.kinds() == [kind]


async def test_nothing_is_told_after_unsubscribing_or_for_unknown_streams(world: Any) -> None:
    ear = listen(world, "btcusdt@markPrice", "nonsense", "xxxusdt@markPrice", "btcusdt@kline_7m")
    world.dialect.hub.unsubscribe(ear, "btcusdt@markPrice")
    world.pump.advance_ticks(4)
    assert ear.heard == []


async def test_an_order_is_told_with_its_trade_before_the_account(world: Any) -> None:
    ear = await user_ear(world)
    order = await world.trade("0.01")
    assert ear.kinds() == [
        "ACCOUNT_CONFIG_UPDATE",
        "ORDER_TRADE_UPDATE",
        "ORDER_TRADE_UPDATE",
        "ACCOUNT_UPDATE",
    ]
    new, filled, account = (message for message in ear.heard[1:])
    assert (new["o"]["x"], new["o"]["X"], filled["o"]["x"], filled["o"]["X"]) == (
        "NEW",
        "NEW",
        "TRADE",
        "FILLED",
    )
    assert (filled["o"]["i"], filled["o"]["ap"], filled["o"]["t"]) == (
        order["orderId"],
        order["avgPrice"],
        1,
    )
    row = await world.position()
    (position,) = account["a"]["P"]
    assert (position["iw"], position["ep"], position["pa"]) == (
        row["isolatedWallet"],
        row["entryPrice"],
        row["positionAmt"],
    )
    (asset,) = (await world.api.ok("GET", "v3/account"))["assets"]
    assert (account["a"]["B"][0]["wb"], account["a"]["B"][0]["cw"]) == (
        asset["walletBalance"],
        asset["crossWalletBalance"],
    )


async def test_a_fired_stop_is_told_from_its_trigger_to_its_end(world: Any) -> None:
    await world.trade("0.01")
    ear = await user_ear(world)
    mark = world.exchange.prices.of(BTC).mark
    stop = await world.api.ok(
        "POST",
        "v1/algoOrder",
        algoType="CONDITIONAL",
        symbol="BTCUSDT",
        side="SELL",
        type="STOP_MARKET",
        triggerPrice=round(0.99 * mark, 1),
        closePosition="true",
        workingType="MARK_PRICE",
    )
    await world.api.control("price", symbol=BTC, mark=0.985 * mark)
    said = [(message["e"], message.get("o", {}).get("X")) for message in ear.heard]
    assert said == [
        ("ALGO_UPDATE", "NEW"),
        ("ALGO_UPDATE", "TRIGGERED"),
        ("ORDER_TRADE_UPDATE", "NEW"),
        ("ORDER_TRADE_UPDATE", "FILLED"),
        ("ACCOUNT_UPDATE", None),
        ("ALGO_UPDATE", "FINISHED"),
    ]
    assert ear.heard[1]["o"]["aid"] == stop["algoId"]
    assert ear.heard[1]["o"]["ai"] == str(ear.heard[3]["o"]["i"])


async def test_margin_and_funding_are_told_as_account_updates(world: Any) -> None:
    await world.trade("0.01")
    ear = await user_ear(world)
    await world.api.ok("POST", "v1/positionMargin", symbol="BTCUSDT", amount="5", type=1)
    world.pump.advance_until(world.exchange.market_ms + 9 * 3_600_000)
    assert [message["a"]["m"] for message in ear.heard] == ["MARGIN_TRANSFER", "FUNDING_FEE"]
    (row,) = await world.api.ok("GET", "v1/income", incomeType="FUNDING_FEE")
    assert ear.heard[1]["a"]["B"][0]["bc"] == row["income"]


async def test_a_listen_key_lapses_after_an_hour_unless_renewed(world: Any) -> None:
    ear = await user_ear(world)
    world.clock.advance(3_000_000)
    await world.api.ok("PUT", "v1/listenKey")
    world.clock.advance(3_000_000)
    world.dialect.tick()
    assert ear.heard == []
    world.clock.advance(700_000)
    world.dialect.tick()
    assert ear.kinds() == ["listenKeyExpired"]
    assert await world.api.refused("PUT", "v1/listenKey") == -1125
    await world.trade()
    assert len(ear.heard) == 1


async def test_the_same_key_is_given_while_valid_and_a_new_one_after_it_was_ended(world: Any) -> None:
    keys = [(await world.api.ok("POST", "v1/listenKey"))["listenKey"] for _ in range(2)]
    await world.api.ok("DELETE", "v1/listenKey")
    other = (await world.api.ok("POST", "v1/listenKey"))["listenKey"]
    assert keys[0] == keys[1] != other


async def test_newest_prices_can_be_said_again_when_the_market_stands_still(world: Any) -> None:
    ear = listen(world, "btcusdt@markPrice", "btcusdt@kline_1m")
    world.dialect.repeat_prices()
    assert sorted(ear.kinds()) == ["kline", "markPriceUpdate"]


async def test_a_listener_that_cannot_keep_up_is_disconnected() -> None:
    sent: list[Any] = []

    class Socket:
        async def send(self, message: Any) -> None:
            sent.append(message)

        async def close(self, code: int) -> None:
            sent.append(code)

    connection = Connection(Socket(), is_combined=False)  # pyright: ignore[reportArgumentType]
    for _ in range(20_001):
        connection.put("{}")
    await connection.send_all()
    assert sent[-1] == 1008
