"""The account arithmetic is the venue's own: through HTTP or directly, the last digit is the same."""

import random
from typing import Any

import pytest

from bot.core.event import Liquidated, MarkPrice, OrderFilled, Refused
from bot.core.intent import (
    AddMargin,
    CancelOrder,
    Intent,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.core.timeframe import MINUTE_MS
from bot.sim.market import SyntheticMarket
from bot.sim.server.decimals import decimal_text

NAMES = {"BTC/USDT:USDT": "BTCUSDT", "ETH/USDT:USDT": "ETHUSDT"}
SIDES = {1: "BUY", -1: "SELL"}


class Twin:
    """The same requests to a venue of its own and to the exchange."""

    def __init__(self, world: Any, venue: Any, seed: int) -> None:
        self.world, self.venue = world, venue
        self.source = SyntheticMarket(7, tuple(NAMES), MINUTE_MS)
        self.random = random.Random(seed)
        self.fills: list[OrderFilled | Liquidated] = []
        self.count = self.now_ms = self.refusals = 0
        while any(tape.now is None for tape in venue.state.tapes.values()):
            self.step()

    def step(self) -> bool:
        event = self.source.next()
        self.now_ms = event.ts_ms
        for caused in self.venue.advance(event):
            if isinstance(caused, OrderFilled | Liquidated):
                self.fills.append(caused)
        return isinstance(event, MarkPrice)

    def advance(self) -> None:
        ticks = self.random.randint(1, 900)
        came = 0
        while came < ticks:
            came += self.step()
        assert self.world.pump.advance_ticks(ticks) == ticks

    async def both(self, action: Any, method: str, path: str, **params: Any) -> None:
        self.count += 1
        client_id = f"c{self.count}"
        events = self.venue.handle(Intent(0, client_id, self.now_ms, action, "", {}))
        self.fills += [event for event in events if isinstance(event, OrderFilled)]
        refusal = next((event for event in events if isinstance(event, Refused)), None)
        if path == "v1/order" and method == "POST":
            params["newClientOrderId"] = client_id
        if path == "v1/algoOrder" and method == "POST":
            params |= {"clientAlgoId": client_id, "algoType": "CONDITIONAL", "workingType": "MARK_PRICE"}
        answer = await self.world.api.ask(method, path, symbol=NAMES[action.symbol], **params)
        assert (answer.status != 200) == (refusal is not None), (action, refusal, answer)
        self.refusals += refusal is not None

    async def request(self) -> None:
        symbol = self.random.choice(list(NAMES))
        held = self.venue.state.positions.get(symbol)
        quote = self.venue.state.quote(symbol)
        choices = [self.enter, self.enter, self.leverage]
        if held is not None:
            choices += [self.reduce, self.stop, self.take_profit, self.trail, self.margin, self.cancel] * 2
        await self.random.choice(choices)(symbol, held, quote)

    async def enter(self, symbol: str, held: Any, quote: Any) -> None:
        side = held.side if held else self.random.choice((1, -1))
        quantity = self.random.choice((0.01, 0.15, 1.5, 3.7))
        if self.random.random() < 0.5:
            action = OpenPosition(symbol, side, quantity)
            order = {"type": "MARKET"}
        else:
            tick = self.venue.state.instruments[symbol].tick_size
            price = round(quote.last * (1.0 - side * self.random.uniform(-0.001, 0.01)) / tick) * tick
            price = float(f"{price:.2f}")
            action = OpenPosition(symbol, side, quantity, "limit", price)
            order = {"type": "LIMIT", "timeInForce": "GTC", "price": decimal_text(price)}
        await self.both(action, "POST", "v1/order", side=SIDES[side], quantity=quantity, **order)

    async def leverage(self, symbol: str, _held: Any, _quote: Any) -> None:
        leverage = self.random.choice((3, 10, 20, 50, 125, 200))
        await self.both(SetLeverage(symbol, leverage), "POST", "v1/leverage", leverage=leverage)

    async def reduce(self, symbol: str, held: Any, _quote: Any) -> None:
        quantity = self.random.choice((0.01, 0.1, held.quantity))
        action = ReducePosition(symbol, held.side, quantity)
        await self.both(
            action,
            "POST",
            "v1/order",
            side=SIDES[-held.side],
            type="MARKET",
            quantity=decimal_text(quantity),
            reduceOnly="true",
        )

    def trigger(self, symbol: str, quote: Any, direction: int) -> float:
        tick = self.venue.state.instruments[symbol].tick_size
        price = quote.mark * (1.0 + direction * self.random.uniform(-0.0005, 0.01))
        return float(f"{round(price / tick) * tick:.2f}")

    async def stop(self, symbol: str, held: Any, quote: Any) -> None:
        price = self.trigger(symbol, quote, -held.side)
        action = PlaceStop(symbol, held.side, price)
        await self.both(
            action,
            "POST",
            "v1/algoOrder",
            side=SIDES[-held.side],
            type="STOP_MARKET",
            triggerPrice=decimal_text(price),
            closePosition="true",
        )

    async def take_profit(self, symbol: str, held: Any, quote: Any) -> None:
        price = self.trigger(symbol, quote, held.side)
        action = PlaceTakeProfit(symbol, held.side, 0.01, price)
        await self.both(
            action,
            "POST",
            "v1/algoOrder",
            side=SIDES[-held.side],
            type="TAKE_PROFIT_MARKET",
            triggerPrice=decimal_text(price),
            quantity="0.01",
            reduceOnly="true",
        )

    async def trail(self, symbol: str, held: Any, _quote: Any) -> None:
        percent = self.random.choice((0.1, 0.5, 2.0, 11.0))
        action = PlaceTrailingStop(symbol, held.side, 0.01, percent / 100.0)
        await self.both(
            action,
            "POST",
            "v1/algoOrder",
            side=SIDES[-held.side],
            type="TRAILING_STOP_MARKET",
            callbackRate=percent,
            quantity="0.01",
            reduceOnly="true",
        )

    async def margin(self, symbol: str, held: Any, _quote: Any) -> None:
        amount = round(self.random.uniform(0.5, 0.4 * held.isolated_wallet + 1.0), 8)
        if self.random.random() < 0.5:
            action, kind = AddMargin(symbol, held.isolated_wallet + amount), 1
        else:
            action, kind = ReleaseMargin(symbol, held.isolated_wallet - amount), 2
        await self.both(action, "POST", "v1/positionMargin", amount=decimal_text(amount), type=kind)

    async def cancel(self, symbol: str, _held: Any, _quote: Any) -> None:
        orders = self.venue.state.orders.of(symbol)
        if not orders:
            return
        order = self.random.choice(orders)
        action = CancelOrder(symbol, order.client_id)
        if order.leg == "entry":
            await self.both(action, "DELETE", "v1/order", origClientOrderId=order.client_id)
        elif order.kind != "market":
            await self.both(action, "DELETE", "v1/algoOrder", clientAlgoId=order.client_id)

    async def compare(self) -> None:
        api, state = self.world.api, self.venue.state
        account = await api.ok("GET", "v3/account")
        (asset,) = account["assets"]
        assert float(asset["availableBalance"]) == state.free_quote
        assert float(asset["walletBalance"]) == state.ledger.trader_quote()
        rows = {row["symbol"]: row for row in await api.ok("GET", "v2/positionRisk")}
        for symbol, name in NAMES.items():
            self.compare_position(rows[name], symbol)
            trades = await api.ok("GET", "v1/userTrades", symbol=name, fromId=0, limit=1000)
            assert [_trade(row) for row in trades] == [
                _fill(fill) for fill in self.fills if fill.symbol == symbol
            ]
        resting = await api.ok("GET", "v1/openOrders")
        waiting = await api.ok("GET", "v1/openAlgoOrders")
        ids = {row["clientOrderId"] for row in resting} | {row["clientAlgoId"] for row in waiting}
        assert ids == {order.client_id for order in state.orders}

    def compare_position(self, row: dict[str, Any], symbol: str) -> None:
        held, leverage = self.venue.state.positions.get(symbol), self.venue.state.leverage[symbol]
        assert int(row["leverage"]) == leverage
        if held is None:
            assert float(row["positionAmt"]) == 0.0
            return
        assert float(row["positionAmt"]) == held.side * held.quantity
        assert float(row["entryPrice"]) == held.entry_price
        assert float(row["isolatedWallet"]) == held.isolated_wallet
        liquidation = self.venue.state.liquidation(held)
        assert float(row["liquidationPrice"]) == (0.0 if liquidation == float("inf") else liquidation)


def _trade(row: dict[str, Any]) -> tuple[Any, ...]:
    numbers = [float(row[name]) for name in ("price", "qty", "commission", "realizedPnl")]
    return (row["id"], row["side"], *numbers, row["maker"], row["time"])


def _fill(fill: OrderFilled | Liquidated) -> tuple[Any, ...]:
    if isinstance(fill, Liquidated):
        pnl = fill.clearance_fee_quote + fill.insurance_quote - fill.loss_quote
        numbers = (fill.mark, fill.quantity, fill.clearance_fee_quote, pnl)
        return (fill.trade_id, SIDES[-fill.side], *numbers, False, fill.ts_ms)
    numbers = (fill.price, fill.quantity, fill.fee_quote, fill.realised_pnl_quote)
    return (fill.trade_id, SIDES[fill.order_side], *numbers, fill.is_maker, fill.ts_ms)


@pytest.mark.parametrize("seed", range(4))
async def test_random_requests_over_http_leave_the_account_of_the_venue(
    seed: int, make_world: Any, make_venue: Any
) -> None:
    world = make_world()
    for name in NAMES.values():
        await world.api.ok("POST", "v1/marginType", symbol=name, marginType="ISOLATED")
    twin = Twin(world, make_venue(), seed)
    for number in range(150):
        await twin.request()
        if number % 3 == 0:
            twin.advance()
        await twin.compare()
    assert len(twin.fills) > 30
    assert twin.refusals > 5
    assert twin.venue.conservation_error() < 1e-9
