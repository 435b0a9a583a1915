"""A position's whole life on Hyperliquid: a real ccxt client, replies in the form of its documents."""

from typing import Any

import pytest

from bot.core.event import Liquidated, OrderFilled
from bot.core.intent import AddMargin, CancelOrder, OpenPosition, PlaceStop, SetLeverage
from bot.errors import Fatal
from bot.exchange.dialects.hyperliquid_ids import client_id_of, cloid
from tests.unit.exchange.documented import BTC_USDC, DEFAULT
from tests.unit.exchange.recorder import CANARY, START_MS
from tests.unit.exchange.scripted_venue import (
    ENTRY,
    STOP,
    Fill,
    Resting,
    ScriptedAccount,
    ScriptedVenue,
    live_through,
)

UNIVERSE: dict[str, Any] = {
    "universe": [{"szDecimals": 5, "name": "BTC", "maxLeverage": 40, "marginTableId": 56}],
    "marginTables": [[56, {"description": "tiered 40x", "marginTiers": [
        {"lowerBound": "0.0", "maxLeverage": 40}, {"lowerBound": "150000000.0", "maxLeverage": 20}]}]],
}  # fmt: skip
CONTEXT = {"funding": "0", "openInterest": "1", "prevDayPx": "50000", "dayNtlVlm": "1", "premium": "0",
           "oraclePx": "50000", "markPx": "50000", "midPx": "50000", "impactPxs": ["1", "2"]}  # fmt: skip


class HyperliquidScript:
    """Writes an account down in Hyperliquid's rows. `mark`: what moves while nothing happens."""

    def __init__(self, account: ScriptedAccount) -> None:
        self.account, self.mark, self.is_isolated = account, account.price, False
        self.statuses = dict[str, str]()
        self.liquidated: str | None = None

    def answers(self) -> dict[str, Any]:
        return {"POST /info": self.info, "POST /exchange": self.exchange}

    def info(self, asked: Any) -> Any:
        return getattr(self, asked["type"])(asked)

    def exchange(self, asked: Any) -> Any:
        action = asked["action"]
        return getattr(self, f"on_{action['type']}")(action)

    # --- reads ------------------------------------------------------------------------------------

    def metaAndAssetCtxs(self, _: Any) -> Any:  # noqa: N802
        return [UNIVERSE, [CONTEXT]]

    def meta(self, _: Any) -> Any:
        return UNIVERSE

    def allMids(self, _: Any) -> Any:  # noqa: N802
        return {"BTC": str(self.account.price)}

    def activeAssetData(self, _: Any) -> Any:  # noqa: N802
        kind = "isolated" if self.is_isolated else "cross"
        return {"user": CANARY.wallet_address, "coin": "BTC",
                "leverage": {"type": kind, "value": self.account.leverage}}  # fmt: skip

    def clearinghouseState(self, _: Any) -> Any:  # noqa: N802
        held = self.account
        rows = [] if held.signed == 0.0 else [{"type": "oneWay", "position": self.position()}]
        pnl = held.signed * (self.mark - held.entry_price)
        value = held.free + held.wallet + pnl
        return {"withdrawable": f"{held.free:.6f}", "marginSummary": {"accountValue": f"{value:.6f}"},
                "assetPositions": rows}  # fmt: skip

    def position(self) -> dict[str, Any]:
        held = self.account
        raw = held.wallet - held.signed * held.entry_price
        return {"coin": "BTC", "szi": str(held.signed), "entryPx": str(held.entry_price),
                "unrealizedPnl": f"{held.signed * (self.mark - held.entry_price):.6f}",
                "marginUsed": f"{raw + held.signed * self.mark:.6f}",
                "leverage": {"type": "isolated", "value": held.leverage, "rawUsd": f"{raw:.6f}"}}  # fmt: skip

    def frontendOpenOrders(self, _: Any) -> Any:  # noqa: N802
        return [self.stop(each) for each in self.account.stops.values()]

    def stop(self, row: Resting) -> dict[str, Any]:
        size = f"{row.quantity:.5f}"
        return {"coin": "BTC", "side": "B" if row.side > 0 else "A", "limitPx": "1", "sz": size,
                "origSz": size, "oid": int(row.venue_id), "timestamp": START_MS, "isTrigger": True,
                "isPositionTpsl": row.quantity == 0.0, "reduceOnly": True, "orderType": "Stop Market",
                "triggerPx": str(row.trigger_price), "triggerCondition": "x", "children": [],
                "tif": None, "cloid": cloid(row.client_id)}  # fmt: skip

    def plain(self, fill: Fill) -> dict[str, Any]:
        return {"coin": "BTC", "side": "B" if fill.side > 0 else "A", "limitPx": "1", "sz": "0.0",
                "origSz": str(fill.quantity), "oid": int(fill.venue_id), "timestamp": fill.ts_ms,
                "isTrigger": False, "isPositionTpsl": False, "reduceOnly": False, "orderType": "Limit",
                "triggerPx": "0.0", "tif": "Ioc", "cloid": cloid(fill.client_id)}  # fmt: skip

    def orderStatus(self, asked: Any) -> Any:  # noqa: N802
        held, key = self.account, str(asked["oid"])
        wanted = client_id_of(key) if key.startswith("0x") else key
        for row in (*held.stops.values(), *held.ended.values()):
            if wanted in (row.client_id, row.venue_id):
                status = "open" if row.venue_id in held.stops else "reduceOnlyCanceled"
                return self.said(self.stop(row), self.statuses.get(row.venue_id, status))
        for fill in held.fills:
            if wanted in (fill.client_id, fill.venue_id):
                return self.said(self.plain(fill), "filled")
        return {"status": "unknownOid"}

    def said(self, row: dict[str, Any], status: str) -> dict[str, Any]:
        order = {"order": row, "status": status, "statusTimestamp": START_MS}
        return {"status": "order", "order": order}

    def userFillsByTime(self, asked: Any) -> Any:  # noqa: N802
        assert asked["user"] == CANARY.wallet_address
        return [self.fill(each) for each in self.account.fills]

    def fill(self, fill: Fill) -> dict[str, Any]:
        liquidated = {"liquidatedUser": self.liquidated, "markPx": str(fill.price), "method": "market"}
        more = {"liquidation": liquidated} if self.liquidated else {}
        return {"coin": "BTC", "px": str(fill.price), "sz": str(fill.quantity),
                "side": "B" if fill.side > 0 else "A", "time": fill.ts_ms, "startPosition": "0",
                "dir": "x", "closedPnl": f"{fill.realised_quote:.6f}", "hash": "0x0", "crossed": True,
                "oid": int(fill.venue_id), "fee": f"{fill.fee_quote:.6f}", "feeToken": "USDC",
                "tid": fill.trade_id, **more}  # fmt: skip

    def userFunding(self, _: Any) -> Any:  # noqa: N802
        return []

    # --- actions ----------------------------------------------------------------------------------

    def on_updateLeverage(self, action: Any) -> Any:  # noqa: N802
        self.account.leverage, self.is_isolated = action["leverage"], not action["isCross"]
        return DEFAULT

    def on_updateIsolatedMargin(self, action: Any) -> Any:  # noqa: N802
        self.account.move_margin(action["ntli"] / 1_000_000)
        return DEFAULT

    def on_order(self, action: Any) -> Any:
        (wire,) = action["orders"]
        held, side, quantity = self.account, 1 if wire["b"] else -1, float(wire["s"])
        client_id = client_id_of(wire["c"])
        if "trigger" in wire["t"]:
            venue_id = held.rest(client_id, side, quantity, float(wire["t"]["trigger"]["triggerPx"]))
            return ordered({"resting": {"oid": int(venue_id)}})
        venue_id = held.trade(client_id, side, quantity)
        return ordered({"filled": {"totalSz": wire["s"], "avgPx": "1", "oid": int(venue_id)}})

    def on_cancelByCloid(self, action: Any) -> Any:  # noqa: N802
        wanted = client_id_of(action["cancels"][0]["cloid"])
        held = self.account
        found = next(key for key, row in held.stops.items() if row.client_id == wanted)
        held.ended[found] = held.stops.pop(found)
        self.statuses[found] = "canceled"
        return {"status": "ok", "response": {"type": "cancel", "data": {"statuses": ["success"]}}}


def ordered(status: Any) -> dict[str, Any]:
    return {"status": "ok", "response": {"type": "order", "data": {"statuses": [status]}}}


def scripted() -> tuple[ScriptedVenue, ScriptedAccount, HyperliquidScript]:
    account = ScriptedAccount()
    script = HyperliquidScript(account)
    return ScriptedVenue("hyperliquid", script.answers(), BTC_USDC), account, script


async def enter(venue: ScriptedVenue) -> None:
    await venue.execute(SetLeverage(BTC_USDC, 10), "RF0000000L")
    await venue.execute(OpenPosition(BTC_USDC, 1, 0.1), ENTRY)
    await venue.execute(PlaceStop(BTC_USDC, 1, 49_000.0), STOP)


async def test_a_position_lives_its_whole_life_on_hyperliquid() -> None:
    venue, account, _ = scripted()
    await live_through(venue, account)
    sent = [each["action"] for each in venue.bodies("POST", "/exchange")]
    assert [each["type"] for each in sent] == [
        "updateLeverage", "order", "order", "updateIsolatedMargin", "order", "order",
    ]  # fmt: skip
    assert sent[3]["ntli"] == 25_500_000
    assert sent[2]["grouping"] == "positionTpsl"


async def test_every_action_expires_with_the_receive_window() -> None:
    venue, _, _ = scripted()
    await enter(venue)
    bodies = venue.bodies("POST", "/exchange")
    assert len(bodies) == 3
    assert all(each["expiresAfter"] == each["nonce"] + 5_000 for each in bodies)


async def test_a_mark_that_moves_is_no_margin_that_moved() -> None:
    venue, account, script = scripted()
    account.price = 50_000.123
    await venue.execute(SetLeverage(BTC_USDC, 10), "RF0000000L")
    await venue.execute(OpenPosition(BTC_USDC, 1, 0.12345), ENTRY)
    for script.mark in (50_000.3, 49_999.7, 50_123.41):
        assert await venue.gateway.sweep(BTC_USDC) == ()


@pytest.mark.parametrize("status", ["filled", "triggered"])
async def test_a_fired_stop_on_hyperliquid_is_a_fill_of_the_stop(status: str) -> None:
    venue, account, script = scripted()
    await enter(venue)
    (row,) = account.stops.values()
    account.price = 48_990.0
    account.trade("", row.side, 0.1)
    account.fills[-1] = account.fills[-1]._replace(venue_id=row.venue_id)
    script.statuses[row.venue_id] = status
    (filled,) = await venue.gateway.sweep(BTC_USDC)
    assert isinstance(filled, OrderFilled)
    assert (filled.client_id, filled.leg, filled.position) == (STOP, "stop", None)
    assert filled.realised_pnl_quote == pytest.approx(-101.0)
    assert venue.gateway.book.orders == {}


@pytest.mark.parametrize(
    ("liquidated", "is_ours"), [(CANARY.wallet_address, True), ("0x" + "22" * 20, False)]
)
async def test_a_liquidation_is_ours_only_when_it_names_us(liquidated: str, is_ours: bool) -> None:
    venue, account, script = scripted()
    await enter(venue)
    account.price = 45_500.0
    account.trade("", -1, 0.1)
    script.liquidated = liquidated
    events = await venue.gateway.sweep(BTC_USDC)
    assert any(isinstance(each, Liquidated) for each in events) is is_ours


async def test_a_restart_still_cancels_hyperliquids_stop_by_our_id() -> None:
    venue, account, script = scripted()
    await enter(venue)
    again = ScriptedVenue("hyperliquid", script.answers(), BTC_USDC)
    (stop,) = (await again.gateway.account()).orders
    assert (stop.client_id, stop.trigger_price) == (STOP, 49_000.0)
    await again.execute(CancelOrder(BTC_USDC, STOP), "RF0000009C")
    assert account.stops == {}


REFUSALS = [
    ("Insufficient margin to place order. asset=0", "insufficient_balance"),
    ("Reduce only order would increase position. asset=0", "no_position"),
    ("Invalid TP/SL price. asset=0", "would_trigger_immediately"),
    ("Order must have minimum value of $10. asset=0", "below_minimum"),
    ("Something that nobody has seen", "position_limit"),
]


@pytest.mark.parametrize(("words", "code"), REFUSALS)
async def test_hyperliquids_texts_are_refusals_and_not_unknown_fates(words: str, code: str) -> None:
    venue, _, _ = scripted()
    await venue.execute(SetLeverage(BTC_USDC, 10), "RF0000000L")
    venue.answers["POST /exchange"] = ordered({"error": words})
    (refused,) = await venue.execute(OpenPosition(BTC_USDC, 1, 0.1), ENTRY)
    assert (refused.code, words in refused.message) == (code, True)


async def test_a_margin_move_that_hyperliquid_refuses_is_refused() -> None:
    venue, account, _ = scripted()
    await enter(venue)
    venue.answers["POST /exchange"] = {"status": "err", "response": "Insufficient margin for this move"}
    (refused,) = await venue.execute(AddMargin(BTC_USDC, account.wallet + 5.0), "RF0000003M")
    assert refused.code == "insufficient_balance"


async def test_an_agent_that_the_wallet_does_not_know_ends_the_session() -> None:
    venue, _, _ = scripted()
    await venue.gateway.account()
    venue.answers["POST /exchange"] = {"status": "err", "response": "User or API Wallet 0x1 does not exist."}
    with pytest.raises(Fatal):
        await venue.execute(SetLeverage(BTC_USDC, 7), "RF0000000L")
