"""Binance's own client library, unchanged except for its base URLs, trades on the embedded exchange."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketStreams
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import (
    DerivativesTradingUsdsFutures,
)

from bot.sim.server.auth import PAPER_KEY, PAPER_SECRET

BTC = "BTC/USDT:USDT"


@pytest.fixture
def sdk(served: Any) -> Iterator[Any]:
    base = f"127.0.0.1:{served.port}"
    rest = ConfigurationRestAPI(PAPER_KEY, PAPER_SECRET, f"http://{base}", timeout=60_000, retries=0)
    made = DerivativesTradingUsdsFutures(
        config_rest_api=rest, config_ws_streams=ConfigurationWebSocketStreams(stream_url=f"ws://{base}")
    )
    yield made
    made.rest_api._session.close()


async def ask(sdk: Any, call: str, **arguments: Any) -> Any:
    """Call the library, which waits for its replies, beside the loop that answers it."""
    reply = await asyncio.to_thread(getattr(sdk.rest_api, call), **arguments)
    return reply.data()


async def opened(sdk: Any) -> Any:
    await ask(sdk, "change_margin_type", symbol="BTCUSDT", margin_type="ISOLATED")
    await ask(sdk, "change_initial_leverage", symbol="BTCUSDT", leverage=10)
    return await ask(sdk, "new_order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity=0.05)


async def test_exchange_information_is_understood(sdk: Any) -> None:
    info = await ask(sdk, "exchange_information")
    assert [symbol.symbol for symbol in info.symbols] == ["BTCUSDT", "ETHUSDT", "DOGEUSDT"]
    filters = {each.filter_type: each for each in info.symbols[0].filters}
    assert (filters["PRICE_FILTER"].tick_size, filters["LOT_SIZE"].step_size) == ("0.1", "0.001")


async def test_it_trades_places_a_stop_moves_margin_and_closes(served: Any, sdk: Any) -> None:
    order = await opened(sdk)
    assert (order.status, order.executed_qty) == ("FILLED", "0.05")
    (position,) = await ask(sdk, "position_information_v3")
    held = served.exchange.state.positions[BTC]
    assert float(position.isolated_wallet) == held.isolated_wallet
    assert float(position.liquidation_price) == served.exchange.state.liquidation(held)
    stop = await ask(
        sdk,
        "new_algo_order",
        algo_type="CONDITIONAL",
        symbol="BTCUSDT",
        side="SELL",
        type="STOP_MARKET",
        trigger_price=round(0.95 * float(position.mark_price), 1),
        close_position="true",
        working_type="MARK_PRICE",
    )
    await ask(sdk, "modify_isolated_position_margin", symbol="BTCUSDT", amount=10.5, type="1")
    assert served.exchange.state.positions[BTC].isolated_wallet == pytest.approx(held.isolated_wallet + 10.5)
    assert [each.algo_id for each in await ask(sdk, "current_all_algo_open_orders")] == [stop.algo_id]
    closing = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": 0.05}
    assert (await ask(sdk, "new_order", **closing, reduce_only="true")).status == "FILLED"
    trades = await ask(sdk, "account_trade_list", symbol="BTCUSDT")
    assert [trade.side for trade in trades] == ["BUY", "SELL"]
    account = await ask(sdk, "account_information_v3")
    assert float(account.available_balance) == served.exchange.state.free_quote


async def test_its_user_stream_follows_the_account(served: Any, sdk: Any) -> None:
    key = (await ask(sdk, "start_user_data_stream")).listen_key
    connection = await sdk.websocket_streams.create_connection()
    heard: list[Any] = []
    marks: list[Any] = []
    (await connection.user_data(key)).on("message", heard.append)
    (await connection.mark_price_stream(symbol="btcusdt", update_speed="1s")).on("message", marks.append)
    while len(served.dialect.hub.connections()) < 2:
        await asyncio.sleep(0)
    order = await opened(sdk)
    served.pump.advance_ticks(3)
    while len(heard) < 4 or not marks:
        await asyncio.sleep(0)
    kinds = [type(message.actual_instance).__name__ for message in heard]
    assert kinds == ["AccountConfigUpdate", "OrderTradeUpdate", "OrderTradeUpdate", "AccountUpdate"]
    filled, account = heard[2].actual_instance.o, heard[3].actual_instance.a
    assert (filled.i, filled.x, filled.X) == (order.order_id, "TRADE", "FILLED")
    assert float(account.P[0].iw) == served.exchange.state.positions[BTC].isolated_wallet
    assert float(marks[0].p) > 0.0
    await connection.close_connection(close_session=True)
