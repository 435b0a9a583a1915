"""The real ccxt.pro client trades on the embedded exchange; what it parses is the venue's state."""

import asyncio
from itertools import pairwise
from typing import Any

import ccxt.pro
import pytest

BTC = "BTC/USDT:USDT"


async def opened(client: Any, quantity: float = 0.05) -> Any:
    await client.set_margin_mode("isolated", BTC)
    await client.set_leverage(10, BTC)
    return await client.create_order(BTC, "market", "buy", quantity, None, {"clientOrderId": "entry1"})


def held(served: Any) -> Any:
    return served.exchange.state.positions[BTC]


async def test_markets_have_the_venues_steps_and_tiers(served: Any, client: Any) -> None:
    market = client.market("DOGE/USDT:USDT")
    assert (market["linear"], market["swap"], market["settle"]) == (True, True, "USDT")
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.00001, 1.0)
    assert market["limits"]["cost"]["min"] == 5.0
    tiers = (await client.fetch_leverage_tiers([BTC]))[BTC]
    table = served.exchange.state.instruments[BTC].tiers
    assert [float(tier["info"]["cum"]) for tier in tiers] == table.maintenance_amount.tolist()
    assert [tier["maxLeverage"] for tier in tiers] == table.max_leverage.tolist()


async def test_settings_are_made_and_read_back(client: Any) -> None:
    await client.set_margin_mode("isolated", BTC)
    assert (await client.fetch_margin_mode(BTC))["marginMode"] == "isolated"
    with pytest.raises(ccxt.MarginModeAlreadySet):
        await client.set_margin_mode("isolated", BTC)
    await client.set_leverage(7, BTC)
    assert (await client.fetch_leverage(BTC))["longLeverage"] == 7
    assert (await client.fetch_position_mode(BTC))["hedged"] is False


async def test_an_order_a_position_and_a_balance_are_the_venues(served: Any, client: Any) -> None:
    order = await opened(client)
    assert (order["status"], order["filled"], order["clientOrderId"]) == ("closed", 0.05, "entry1")
    (position,) = await client.fetch_positions([BTC])
    venue = held(served)
    assert position["entryPrice"] == venue.entry_price
    assert position["liquidationPrice"] == served.exchange.state.liquidation(venue)
    assert float(position["info"]["isolatedWallet"]) == venue.isolated_wallet
    assert (position["side"], position["contracts"], position["marginMode"]) == ("long", 0.05, "isolated")
    balance = await client.fetch_balance()
    assert balance["USDT"]["free"] == served.exchange.state.free_quote
    (trade,) = await client.fetch_my_trades(BTC)
    assert (trade["order"], trade["fee"]["currency"], trade["takerOrMaker"]) == (order["id"], "USDT", "taker")


async def test_margin_is_added_removed_and_listed_to_eight_decimals(served: Any, client: Any) -> None:
    await opened(client)
    before = held(served).isolated_wallet
    added = await client.add_margin(BTC, 10, {"amount": "10.12345678"})
    assert (added["type"], added["amount"]) == ("add", 10.12345678)
    await client.reduce_margin(BTC, 3, {"amount": "3.00000001"})
    assert held(served).isolated_wallet == pytest.approx(before + 7.12345677, abs=1e-9)
    moves = await client.fetch_margin_adjustment_history(BTC)
    told = [(move["type"], move["amount"]) for move in moves]
    assert told == [("add", 10.12345678), ("reduce", 3.00000001)]


async def test_conditional_orders_live_in_lists_of_their_own(served: Any, client: Any) -> None:
    await opened(client)
    mark = served.exchange.prices.of(BTC).mark
    params = {"stopLossPrice": round(0.97 * mark, 1), "workingType": "MARK_PRICE", "clientOrderId": "stop1"}
    stop = await client.create_order(BTC, "market", "sell", 0.05, None, {**params, "closePosition": True})
    params = {"takeProfitPrice": round(1.05 * mark, 1), "reduceOnly": True, "clientOrderId": "take1"}
    await client.create_order(BTC, "market", "sell", 0.02, None, params)
    params = {"trailingPercent": "1", "reduceOnly": True, "clientOrderId": "trail1"}
    await client.create_order(BTC, "market", "sell", 0.02, None, params)
    assert await client.fetch_open_orders(BTC) == []
    waiting = await client.fetch_open_orders(BTC, params={"trigger": True})
    assert {order["clientOrderId"] for order in waiting} == {"stop1", "take1", "trail1"}
    with pytest.raises(ccxt.OrderNotFound):
        await client.fetch_order(stop["id"], BTC)
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order(stop["id"], BTC)
    await client.cancel_order(stop["id"], BTC, {"trigger": True})
    assert (await client.fetch_order(stop["id"], BTC, {"trigger": True}))["status"] == "canceled"
    await client.cancel_all_orders(BTC, {"trigger": True})
    assert await client.fetch_open_orders(BTC, params={"trigger": True}) == []


async def test_a_fired_stop_closes_and_names_its_child(served: Any, client: Any) -> None:
    await opened(client)
    mark = served.exchange.prices.of(BTC).mark
    params = {"stopLossPrice": round(0.99 * mark, 1), "workingType": "MARK_PRICE", "closePosition": True}
    stop = await client.create_order(BTC, "market", "sell", 0.05, None, params)
    served.control.run("price", {"symbol": BTC, "mark": 0.985 * mark})
    fired = await client.fetch_order(stop["id"], BTC, {"trigger": True})
    assert fired["status"] == "closed"
    child = await client.fetch_order(fired["info"]["actualOrderId"], BTC)
    assert (child["status"], child["filled"]) == ("closed", 0.05)
    assert await client.fetch_positions([BTC]) == []


@pytest.mark.parametrize(
    ("error", "call", "arguments"),
    [
        (ccxt.InsufficientFunds, "create_order", (BTC, "market", "buy", 2.0)),
        (ccxt.OperationRejected, "create_order", (BTC, "market", "buy", 5000.0)),
        (ccxt.InvalidOrder, "create_order", (BTC, "market", "buy", 0.01, None, {"reduceOnly": True})),
        (
            ccxt.OrderImmediatelyFillable,
            "create_order",
            (BTC, "market", "sell", 0.01, None, {"stopLossPrice": 9e5, "reduceOnly": True}),
        ),
        (ccxt.BadRequest, "set_leverage", (125, "DOGE/USDT:USDT")),
        (ccxt.InsufficientFunds, "add_margin", (BTC, 1e6)),
        (ccxt.InsufficientFunds, "reduce_margin", (BTC, 5e3)),
        (ccxt.OperationRejected, "set_margin_mode", ("cross", BTC)),
        (ccxt.OrderNotFound, "cancel_order", ("12345", BTC)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_refusals_reach_the_caller_as_the_right_class(
    error: type[Exception], call: str, arguments: tuple[Any, ...], client: Any
) -> None:
    await opened(client)
    with pytest.raises(error):
        await getattr(client, call)(*arguments)


async def test_the_users_stream_tells_orders_positions_and_balance(served: Any, client: Any) -> None:
    client.options["watchPositions"] = {"fetchPositionsSnapshot": False}
    await client.set_margin_mode("isolated", BTC)
    calls = (client.watch_orders(), client.watch_balance(), client.watch_positions([BTC]))
    watching = [asyncio.create_task(call) for call in (*calls, client.watch_my_trades(BTC))]
    while (
        sum(len(each.futures) for each in client.clients.values()) < 4 or not served.dialect.hub.connections()
    ):
        await asyncio.sleep(0)
    order = await client.create_order(BTC, "market", "buy", 0.05)
    orders, balance, positions, trades = await asyncio.gather(*watching)
    assert orders[-1]["id"] == order["id"]
    assert trades[-1]["order"] == order["id"]
    assert float(positions[0]["info"]["iw"]) == held(served).isolated_wallet
    assert balance["USDT"]["total"] == served.exchange.state.ledger.trader_quote()


async def test_market_streams_follow_the_market(served: Any, client: Any) -> None:
    async def advance() -> None:
        while True:
            served.pump.advance_ticks(3)
            await asyncio.sleep(0)

    moving = asyncio.create_task(advance())
    mark = await client.watch_mark_price(BTC)
    assert mark["markPrice"] > 0.0
    candles = await client.watch_ohlcv(BTC, "1m")
    assert len(candles[-1]) == 6
    assert (await client.watch_ticker(BTC))["last"] > 0.0
    assert (await client.watch_bids_asks([BTC]))[BTC]["ask"] > 0.0
    moving.cancel()


async def test_candles_funding_and_tickers_are_read(served: Any, client: Any) -> None:
    served.pump.advance_until(served.exchange.market_ms + 9 * 3_600_000)
    candles = await client.fetch_ohlcv(BTC, "1h", limit=5)
    steps = [after[0] - before[0] for before, after in pairwise(candles)]
    assert steps == [3_600_000] * 4
    since = candles[0][0]
    assert (await client.fetch_ohlcv(BTC, "1h", since=since, limit=2)) == candles[:2]
    *_, rate = await client.fetch_funding_rate_history(BTC)
    assert rate["fundingRate"] == served.exchange.books.settlements[0].rate
    assert (await client.fetch_funding_rate(BTC))["markPrice"] == served.exchange.prices.of(BTC).mark
    assert (await client.fetch_ticker(BTC))["last"] == served.exchange.prices.of(BTC).last
    assert (await client.fetch_funding_history(BTC)) == []


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("fetch_trading_fee", (BTC,)),
        ("fetch_order_book", (BTC,)),
        ("fetch_trades", (BTC,)),
        ("fetch_tickers", ()),
        ("fetch_bids_asks", ()),
        ("fetch_last_prices", ()),
        ("fetch_mark_price", (BTC,)),
        ("fetch_mark_ohlcv", (BTC, "1m")),
        ("fetch_funding_intervals", ()),
        ("fetch_funding_rates", ()),
        ("fetch_ledger", ()),
        ("fetch_orders", (BTC,)),
        ("fetch_closed_orders", (BTC,)),
        ("fetch_account_positions", ()),
        ("fetch_leverages", ()),
        ("fetch_margin_modes", ()),
        ("fetch_market_leverage_tiers", (BTC,)),
        ("fetch_time", ()),
    ],
)
async def test_what_else_ccxt_can_ask_is_answered(call: str, arguments: tuple[Any, ...], client: Any) -> None:
    await opened(client)
    assert await getattr(client, call)(*arguments)


async def test_several_orders_are_placed_and_cancelled_at_once(served: Any, client: Any) -> None:
    await opened(client)
    price = round(0.9 * served.exchange.prices.of(BTC).mark, 1)
    order = {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.01, "price": price}
    placed = await client.create_orders([order, order])
    assert [each["status"] for each in placed] == ["open", "open"]
    edited = await client.edit_order(placed[0]["id"], BTC, "limit", "buy", 0.02, price)
    assert (edited["id"], edited["amount"]) == (placed[0]["id"], 0.02)
    await client.cancel_orders([each["id"] for each in placed], BTC)
    assert await client.fetch_open_orders(BTC) == []
