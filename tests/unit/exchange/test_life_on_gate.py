"""A position's whole life on Gate: a real ccxt client, replies in the form of Gate's documents."""

from typing import Any

import pytest

from bot.core.event import Liquidated, OrderCancelled, OrderFilled
from bot.core.intent import CancelOrder, OpenPosition, PlaceStop, SetLeverage
from tests.unit.exchange.documented import FUTURES
from tests.unit.exchange.recorder import START_MS
from tests.unit.exchange.scripted_venue import (
    BTC,
    ENTRY,
    STOP,
    Fill,
    Refusal,
    Resting,
    ScriptedAccount,
    ScriptedVenue,
    live_through,
)

MULTIPLIER = 0.0001
ABSENT = Refusal({"label": "ORDER_NOT_FOUND", "message": "Order not found"}, 404)
CONTRACT = {
    "name": "BTC_USDT", "type": "direct", "quanto_multiplier": "0.0001", "order_size_min": 1,
    "order_size_max": 1000000, "order_price_round": "0.1", "mark_price": "50000", "last_price": "50000",
    "leverage_min": "1", "leverage_max": "125", "maker_fee_rate": "-0.0001", "taker_fee_rate": "0.0006",
    "in_delisting": False, "status": "trading", "create_time": 1, "order_price_deviate": "0.5",
    "enable_decimal": False, "funding_interval": 28800, "funding_next_apply": START_MS // 1000 + 3600,
}  # fmt: skip
TIER = {"tier": 1, "risk_limit": "2000000", "initial_rate": "0.008", "maintenance_rate": "0.004",
        "leverage_max": "125", "contract": "BTC_USDT"}  # fmt: skip


class GateScript:
    """Writes an account down in Gate's rows. `is_isolated`: the position row exists with a leverage."""

    def __init__(self, account: ScriptedAccount) -> None:
        self.account, self.is_isolated, self.fired = account, False, dict[str, str]()
        self.liquidations, self.forced = list[dict[str, Any]](), ""
        self.deleveragings = list[dict[str, Any]]()

    def answers(self) -> dict[str, Any]:
        return {
            f"GET {FUTURES}/contracts": [CONTRACT],
            f"GET {FUTURES}/risk_limit_tiers": [TIER],
            f"GET {FUTURES}/accounts": self.accounts,
            f"GET {FUTURES}/positions": lambda _: [self.position()] if self.account.signed else [],
            f"GET {FUTURES}/positions/BTC_USDT": self.position_of_contract,
            f"POST {FUTURES}/positions/BTC_USDT/leverage": self.set_leverage,
            f"POST {FUTURES}/positions/BTC_USDT/margin": self.move_margin,
            f"POST {FUTURES}/orders": self.order,
            f"GET {FUTURES}/orders": self.ended_orders,
            f"POST {FUTURES}/price_orders": self.rest,
            f"GET {FUTURES}/price_orders": self.price_orders,
            f"GET {FUTURES}/my_trades": lambda _: [self.trade(each) for each in self.account.fills][::-1],
            f"GET {FUTURES}/account_book": self.book,
            f"GET {FUTURES}/liquidates": lambda _: self.liquidations,
            f"GET {FUTURES}/auto_deleverages": lambda _: self.deleveragings,
            **{f"GET {FUTURES}/price_orders/{8_00 + n}": self.price_order(f"{8_00 + n}") for n in range(9)},
            **{f"DELETE {FUTURES}/price_orders/{8_00 + n}": self.cancel(f"{8_00 + n}") for n in range(9)},
            **{f"GET {FUTURES}/orders/{7_00 + n}": self.order_of(f"{7_00 + n}") for n in range(9)},
        }

    def accounts(self, _: Any) -> dict[str, Any]:
        held = self.account
        return {"user": 11, "total": f"{held.free + held.wallet:.8f}", "available": f"{held.free:.8f}",
                "unrealised_pnl": "0", "position_margin": f"{held.wallet:.8f}", "order_margin": "0",
                "currency": "USDT", "in_dual_mode": False}  # fmt: skip

    def position(self) -> dict[str, Any]:
        held = self.account
        return {"user": 11, "contract": "BTC_USDT", "size": round(held.signed / MULTIPLIER),
                "leverage": str(held.leverage), "margin": f"{held.wallet:.8f}", "mode": "single",
                "entry_price": str(held.entry_price), "open_time": START_MS // 1000}  # fmt: skip

    def position_of_contract(self, _: Any) -> Any:
        if self.is_isolated:
            return self.position()
        return Refusal({"label": "POSITION_NOT_FOUND", "message": "position not found"}, 400)

    def set_leverage(self, asked: Any) -> Any:
        self.account.leverage, self.is_isolated = int(asked["leverage"]), True
        return self.position()

    def move_margin(self, asked: Any) -> Any:
        self.account.move_margin(float(asked["change"]))
        return self.position()

    def order(self, asked: Any) -> dict[str, Any]:
        held = self.account
        size = int(asked["size"])
        held.trade(asked["text"].removeprefix("t-"), 1 if size > 0 else -1, abs(size) * MULTIPLIER)
        return self.plain(held.fills[-1])

    def plain(self, fill: Fill) -> dict[str, Any]:
        size = fill.side * round(fill.quantity / MULTIPLIER)
        return {"id": int(fill.venue_id), "user": 11, "contract": "BTC_USDT", "size": size, "left": 0,
                "price": "0", "fill_price": str(fill.price), "tif": "ioc", "text": self.text(fill),
                "status": "finished", "finish_as": "filled", "create_time": fill.ts_ms / 1000,
                "is_reduce_only": bool(fill.realised_quote)}  # fmt: skip

    def text(self, fill: Fill) -> str:
        if fill.venue_id == self.forced:
            return f"liq-{fill.venue_id}"
        fired = self.fired.get(fill.venue_id)
        return f"ao-{fired}" if fired else f"t-{fill.client_id}"

    def trade(self, fill: Fill) -> dict[str, Any]:
        size = fill.side * round(fill.quantity / MULTIPLIER)
        return {"id": fill.trade_id, "create_time": fill.ts_ms / 1000, "contract": "BTC_USDT",
                "order_id": fill.venue_id, "size": size, "close_size": size if fill.realised_quote else 0,
                "price": str(fill.price), "role": "taker", "text": self.text(fill),
                "fee": f"{fill.fee_quote:.8f}", "point_fee": "0"}  # fmt: skip

    def book(self, asked: Any) -> list[Any]:
        if asked["type"] != "pnl":
            return []
        return [
            {"time": each.ts_ms / 1000, "change": f"{each.realised_quote:.8f}", "balance": "1",
             "type": "pnl", "text": "BTC_USDT:1", "contract": "BTC_USDT", "trade_id": str(each.trade_id),
             "id": f"book-{each.trade_id}"}
            for each in self.account.fills
            if each.realised_quote
        ]  # fmt: skip

    def ended_orders(self, asked: Any) -> list[Any]:
        return [self.plain(each) for each in self.account.fills] if asked["status"] == "finished" else []

    def rest(self, asked: Any) -> dict[str, Any]:
        initial, trigger = asked["initial"], asked["trigger"]
        quantity = abs(int(initial["size"])) * MULTIPLIER
        side = -1 if int(trigger["rule"]) == 2 else 1
        client_id = initial["text"].removeprefix("t-")
        return {"id": int(self.account.rest(client_id, side, quantity, float(trigger["price"])))}

    def triggered(self, row: Resting, is_open: bool) -> dict[str, Any]:
        became = next((plain for plain, fired in self.fired.items() if fired == row.venue_id), "0")
        ended = "succeeded" if became != "0" else "cancelled"
        size = row.side * round(row.quantity / MULTIPLIER)
        return {"id": int(row.venue_id), "user": 11, "status": "open" if is_open else "finished",
                "finish_as": "" if is_open else ended, "trade_id": int(became),
                "create_time": START_MS / 1000,
                "initial": {"contract": "BTC_USDT", "size": size, "price": "0", "tif": "ioc",
                            "text": f"t-{row.client_id}", "is_close": size == 0, "is_reduce_only": True},
                "trigger": {"strategy_type": 0, "price_type": 1, "price": str(row.trigger_price),
                            "rule": 2 if row.side < 0 else 1, "expiration": 0}}  # fmt: skip

    def price_orders(self, asked: Any) -> list[Any]:
        is_open = asked["status"] == "open"
        rows = self.account.stops if is_open else self.account.ended
        return [self.triggered(each, is_open) for each in rows.values()]

    def price_order(self, venue_id: str) -> Any:
        def told(_: Any) -> Any:
            held = self.account
            row = {**held.ended, **held.stops}.get(venue_id)
            return ABSENT if row is None else self.triggered(row, venue_id in held.stops)

        return told

    def cancel(self, venue_id: str) -> Any:
        def cancelled(_: Any) -> Any:
            row = self.account.stops.pop(venue_id)
            self.account.ended[venue_id] = row
            return self.triggered(row, False)

        return cancelled

    def order_of(self, venue_id: str) -> Any:
        def told(_: Any) -> Any:
            fill = next((each for each in self.account.fills if each.venue_id == venue_id), None)
            return ABSENT if fill is None else self.plain(fill)

        return told

    def fire(self, price: float) -> None:
        """Let the only stop fire: the venue makes a plain order of it, named after the stop."""
        held = self.account
        (row,) = held.stops.values()
        held.price = price
        venue_id = held.trade("", row.side, abs(held.signed))
        self.fired[venue_id] = row.venue_id

    def liquidate(self, price: float, *, is_listed: bool) -> None:
        """Take the position by force; `is_listed`: the list of trades shows it."""
        held = self.account
        size, entry = round(held.signed / MULTIPLIER), held.entry_price
        held.price = price
        venue_id = held.trade("", -1 if size > 0 else 1, abs(held.signed))
        row = {
            "time": held.now_ms // 1000,
            "contract": "BTC_USDT",
            "size": size,
            "leverage": "10",
            "margin": "497",
            "entry_price": str(entry),
            "liq_price": "45300",
            "mark_price": "45290",
            "order_id": int(venue_id),
            "order_price": "45000",
            "fill_price": str(price),
            "left": 0,
        }
        self.liquidations.append(row)
        self.forced = venue_id
        if not is_listed:
            held.fills.pop()

    def deleverage(self, price: float, quantity: float) -> None:
        """Take a part of the position, or all of it, by auto-deleveraging; the trades do not show it."""
        held = self.account
        side, entry, held.price = (-1 if held.signed > 0.0 else 1), held.entry_price, price
        venue_id = held.trade("", side, quantity)
        held.fills.pop()
        left, taken = round(held.signed / MULTIPLIER), round(quantity / MULTIPLIER)
        row = {"time": held.now_ms // 1000, "user": 11, "order_id": int(venue_id), "contract": "BTC_USDT",
               "leverage": "10", "cross_leverage_limit": "0", "entry_price": str(entry),
               "fill_price": str(price), "trade_size": str(taken), "position_size": str(left)}  # fmt: skip
        self.deleveragings.append(row)


def scripted() -> tuple[ScriptedVenue, ScriptedAccount, GateScript]:
    account = ScriptedAccount()
    script = GateScript(account)
    return ScriptedVenue("gate", script.answers()), account, script


async def enter(venue: ScriptedVenue) -> None:
    await venue.execute(SetLeverage(BTC, 10), "RF0000000L")
    await venue.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    await venue.execute(PlaceStop(BTC, 1, 49_000.0), STOP)


async def test_a_position_lives_its_whole_life_on_gate() -> None:
    venue, account, _ = scripted()
    await live_through(venue, account)
    path = f"{FUTURES}/positions/BTC_USDT/margin"
    assert [each["change"] for each in venue.bodies("POST", path)] == ["25.5"]
    assert len(venue.bodies("POST", f"{FUTURES}/orders")) == 3


async def test_gates_requests_expire_with_the_receive_window() -> None:
    venue, _, _ = scripted()
    venue.client.milliseconds = venue.clock.now_ms
    await venue.gateway.account()
    assert venue.client.nonce() == START_MS - 55_000


async def test_a_fired_stop_on_gate_is_a_fill_of_the_stop() -> None:
    venue, _, script = scripted()
    await enter(venue)
    script.fire(48_990.0)
    events = await venue.gateway.sweep(BTC)
    (filled,) = [each for each in events if isinstance(each, OrderFilled)]
    assert (filled.client_id, filled.leg, filled.position) == (STOP, "stop", None)
    assert filled.realised_pnl_quote == pytest.approx(-101.0)


@pytest.mark.parametrize("is_kept", [True, False])
async def test_a_restart_still_cancels_gates_stop_by_our_id(is_kept: bool) -> None:
    venue, account, script = scripted()
    await enter(venue)
    saved = venue.gateway.snapshot()
    again = ScriptedVenue("gate", script.answers())
    if is_kept:
        again.gateway.restore(saved)
    (stop,) = (await again.gateway.account()).orders
    assert (stop.client_id, stop.trigger_price) == (STOP, 49_000.0)
    await again.execute(CancelOrder(BTC, STOP), "RF0000009C")
    assert account.stops == {}


async def liquidated(*, is_listed: bool) -> tuple[ScriptedVenue, GateScript]:
    venue, account, script = scripted()
    venue.client.milliseconds = venue.clock.now_ms
    await venue.execute(SetLeverage(BTC, 10), "RF0000000L")
    await venue.execute(OpenPosition(BTC, 1, 0.1), ENTRY)
    account.now_ms = venue.clock.now_ms()
    script.liquidate(45_500.0, is_listed=is_listed)
    return venue, script


async def test_a_liquidation_that_gates_trades_show_is_told_once() -> None:
    venue, _ = await liquidated(is_listed=True)
    (ended,) = await venue.gateway.sweep(BTC)
    assert isinstance(ended, Liquidated)
    venue.clock.advance(60_000)
    assert await venue.gateway.sweep(BTC) == ()


async def test_a_liquidation_that_gates_trades_never_show_is_told_from_its_own_list() -> None:
    venue, _ = await liquidated(is_listed=False)
    assert await venue.gateway.sweep(BTC) == (), "the trades may lag for ten seconds"
    venue.clock.advance(10_000)
    (ended,) = await venue.gateway.sweep(BTC)
    assert isinstance(ended, Liquidated)
    assert (ended.quantity, ended.loss_quote, ended.mark) == pytest.approx((0.1, 500.0, 45_500.0))
    assert await venue.gateway.sweep(BTC) == ()
    asked = venue.bodies("GET", f"{FUTURES}/liquidates")[-1]
    assert (asked["contract"], asked["limit"]) == ("BTC_USDT", "100")


async def test_a_trade_that_comes_after_its_liquidation_was_told_is_not_told_again() -> None:
    venue, script = await liquidated(is_listed=False)
    venue.clock.advance(15_000)
    assert len(await venue.gateway.sweep(BTC)) == 1
    late_ms = script.account.now_ms
    script.account.fills.append(Fill(9, script.forced, "", -1, 45_500.0, 0.1, 2.7, -450.0, late_ms + 2_500))
    assert await venue.gateway.sweep(BTC) == ()
    (accepted, filled) = await venue.execute(OpenPosition(BTC, 1, 0.1), "RF0000011E")
    assert isinstance(filled, OrderFilled), accepted


async def test_a_liquidation_after_a_fill_that_was_not_seen_yet_is_told_too() -> None:
    venue, account, script = scripted()
    venue.client.milliseconds = venue.clock.now_ms
    await enter(venue)
    account.now_ms = venue.clock.now_ms()
    account.trade("", -1, 0.04)
    script.liquidate(45_500.0, is_listed=False)
    venue.clock.advance(15_000)
    told = await venue.gateway.sweep(BTC)
    assert [type(each) for each in told if not isinstance(each, OrderCancelled)] == [OrderFilled, Liquidated]


@pytest.mark.parametrize(("side", "price"), [(1, 52_000.0), (-1, 48_000.0)])
@pytest.mark.parametrize("quantity", [0.04, 0.1])
async def test_an_auto_deleveraging_on_gate_is_a_fill_that_says_so(
    side: int, price: float, quantity: float
) -> None:
    venue, account, script = scripted()
    venue.client.milliseconds = venue.clock.now_ms
    await venue.execute(SetLeverage(BTC, 10), "RF0000000L")
    await venue.execute(OpenPosition(BTC, side, 0.1), ENTRY)
    account.now_ms = venue.clock.now_ms()
    script.deleverage(price, quantity)
    assert await venue.gateway.sweep(BTC) == (), "the trades may lag for ten seconds"
    venue.clock.advance(12_000)
    (filled,) = await venue.gateway.sweep(BTC)
    assert isinstance(filled, OrderFilled)
    assert (filled.client_id[:4], filled.leg, filled.order_side) == ("adl-", "exit", -side)
    assert (filled.price, filled.quantity) == pytest.approx((price, quantity))
    assert filled.realised_pnl_quote == pytest.approx(quantity * 2_000.0)
    assert (filled.position is None) is (quantity == 0.1)
    assert await venue.gateway.sweep(BTC) == ()
