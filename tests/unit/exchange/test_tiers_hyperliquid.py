"""Hyperliquid's margin tables, against its documents' formulas; leverage and margin that cannot be moved."""

from typing import Any

import pytest

from bot.core.event import InstrumentChanged, Refused
from bot.core.intent import AddMargin, OpenPosition, ReleaseMargin, SetLeverage
from bot.core.margin import liquidation_price, maintenance_margin
from bot.core.position import Position
from bot.core.profile import HYPERLIQUID, KEEP_ALL, MarginRules
from bot.errors import Unavailable
from bot.exchange.dialect import profile_of
from tests.unit.exchange.documented import BTC_USDC, ENTRY, hyperliquid
from tests.unit.exchange.test_life_on_hyperliquid import CONTEXT, UNIVERSE, HyperliquidScript, scripted

TESTNET_BTC = [(0.0, 40), (10_000.0, 25), (50_000.0, 10), (100_000.0, 5), (300_000.0, 3)]


def listed(rows: list[tuple[float, int]], **coin: Any) -> dict[str, Any]:
    tiers = [{"lowerBound": str(floor), "maxLeverage": most} for floor, most in rows]
    row = {"szDecimals": 5, "name": "BTC", "maxLeverage": rows[0][1], "marginTableId": 51, **coin}
    return {"universe": [row], "marginTables": [[51, {"description": "", "marginTiers": tiers}]]}


async def rules_of(meta: dict[str, Any]) -> MarginRules:
    made = hyperliquid()
    replies = {"meta": meta, "metaAndAssetCtxs": [meta, [CONTEXT]]}
    made.answers["POST /info"] = lambda asked: replies.get(asked["type"], [])
    found = (await made.dialect.instruments(made.client, (BTC_USDC,)))[BTC_USDC]
    assert found.max_leverage == float(found.tiers.max_leverage[0])
    return MarginRules(found.tiers, HYPERLIQUID, False, found.tick_size)


async def test_a_table_gives_half_the_initial_rate_and_a_deduction_for_each_tier() -> None:
    tiers = (await rules_of(listed([(150_000_000.0, 20), (0.0, 40)]))).tiers
    assert tiers.maintenance_margin_rate.tolist() == [0.0125, 0.025]
    assert tiers.maintenance_amount.tolist() == [0.0, 150_000_000.0 * 0.0125]
    assert tiers.max_leverage.tolist() == [40.0, 20.0]


async def test_an_id_below_fifty_is_the_most_leverage_itself() -> None:
    tiers = (await rules_of({**listed([(0.0, 40)], marginTableId=3), "marginTables": []})).tiers
    assert (tiers.max_leverage.tolist(), tiers.maintenance_amount.tolist()) == ([3.0], [0.0])


@pytest.mark.parametrize("coin", [{"marginTableId": 77}, {"marginTableId": None}, {"name": "ETH"}])
async def test_a_coin_without_its_table_is_unavailable_and_not_guessed(coin: dict[str, Any]) -> None:
    made = hyperliquid()
    meta = listed([(0.0, 40)], **coin)
    replies = {"meta": meta, "metaAndAssetCtxs": [UNIVERSE, [CONTEXT]]}
    made.answers["POST /info"] = lambda asked: replies.get(asked["type"], [])
    with pytest.raises(Unavailable):
        await made.dialect.instruments(made.client, (BTC_USDC,))


def documented_price(price: float, side: int, size: float, wallet: float, entry: float) -> float:
    """liq_price = price - side * margin_available / position_size / (1 - l * side).

    l is 1 / maintenance leverage of the tier of the value at the liquidation price.
    """
    floors = [floor for floor, _ in TESTNET_BTC]
    rate, deduction = 0.0, 0.0
    found: list[float] = []
    for index, (floor, most) in enumerate(TESTNET_BTC):
        deduction += floor * (0.5 / most - rate)
        rate = 0.5 / most
        margin = wallet + side * size * (price - entry)
        available = margin - (size * price * rate - deduction)
        liquidated = price - side * available / size / (1.0 - rate * side)
        cap = floors[index + 1] if index + 1 < len(floors) else float("inf")
        if floor < size * liquidated <= cap:
            found.append(liquidated)
    (only,) = found
    return only


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("size", [0.1, 0.5, 1.5, 2.1, 5.9, 6.5])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
async def test_liquidation_is_the_documented_price_in_every_tier(
    side: int, size: float, share: float
) -> None:
    rules = await rules_of(listed(TESTNET_BTC))
    entry = 50_000.0
    wallet = maintenance_margin(Position(BTC_USDC, side, size, entry, 0.0, 3.0, 0), entry, rules)
    wallet += share * size * entry
    held = Position(BTC_USDC, side, size, entry, wallet, 3.0, 0)
    ours = liquidation_price(held, rules)
    for mark in (48_000.0, 50_000.0, 51_000.0):
        assert ours == pytest.approx(documented_price(mark, side, size, wallet, entry), rel=1e-12)


# --- what an open position forbids ------------------------------------------------------------------


async def held_at_10x(**coin: Any) -> tuple[Any, HyperliquidScript]:
    venue, _, script = scripted()
    venue.answers["POST /info"] = lambda asked: (
        listed([(0.0, 40)], **coin) if asked["type"] == "meta" else script.info(asked)
    )
    await venue.execute(SetLeverage(BTC_USDC, 10), "RF0000000L")
    await venue.execute(OpenPosition(BTC_USDC, 1, 0.1), ENTRY)
    venue.requests.clear()
    return venue, script


async def test_leverage_under_an_open_position_is_not_lowered() -> None:
    venue, script = await held_at_10x()
    (refused,) = await venue.execute(SetLeverage(BTC_USDC, 5), "RF0000002L")
    assert isinstance(refused, Refused)
    assert refused.code == "leverage_refused"
    assert venue.bodies("POST", "/exchange") == []
    await venue.execute(SetLeverage(BTC_USDC, 20), "RF0000003L")
    assert script.account.leverage == 20


@pytest.mark.parametrize(
    ("coin", "is_kept"),
    [({"onlyIsolated": True}, True), ({"onlyIsolated": True, "marginMode": "strictIsolated"}, True),
     ({"onlyIsolated": True, "marginMode": "noCross"}, False), ({}, False)],
)  # fmt: skip
async def test_margin_of_a_coin_that_keeps_it_is_added_and_never_released(
    coin: dict[str, Any], is_kept: bool
) -> None:
    venue, script = await held_at_10x(**coin)
    wallet = script.account.wallet
    await venue.execute(AddMargin(BTC_USDC, wallet + 100.0), "RF0000002M")
    (told,) = await venue.execute(ReleaseMargin(BTC_USDC, wallet + 50.0), "RF0000003M")
    assert isinstance(told, Refused) is is_kept
    assert script.account.wallet == pytest.approx(wallet + (100.0 if is_kept else 50.0))
    assert [each["action"]["type"] for each in venue.bodies("POST", "/exchange")] == (
        ["updateIsolatedMargin"] * (1 if is_kept else 2)
    )


async def test_the_engine_is_told_of_a_coin_that_keeps_its_margin_and_of_one_that_begins_to() -> None:
    """It proposes no release then, where each would be refused unsent."""
    venue, _ = await held_at_10x()
    gateway = venue.connection.gateway
    (instrument,) = (await gateway.instruments()).values()
    assert profile_of(gateway.dialect, instrument) == HYPERLIQUID
    answer = listed([(0.0, 40)], onlyIsolated=True)
    replies = {"meta": answer, "metaAndAssetCtxs": [answer, [CONTEXT]]}
    venue.answers["POST /info"] = lambda asked: replies.get(asked["type"], [])
    gateway.book.take_outbox()
    await gateway.instruments()
    (told,) = gateway.book.take_outbox()
    assert isinstance(told, InstrumentChanged)
    assert told.profile == HYPERLIQUID._replace(removal_rule=KEEP_ALL)
    assert profile_of(gateway.dialect, instrument) == told.profile
    await gateway.instruments()
    assert gateway.book.take_outbox() == ()
