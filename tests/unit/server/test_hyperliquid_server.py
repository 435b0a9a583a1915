"""The embedded exchange in Hyperliquid's dialect, asked without a socket."""

from typing import Any, NamedTuple

import orjson
import pytest

from bot.clock import VirtualClock
from bot.core.event import MarkPrice
from bot.core.profile import HYPERLIQUID
from bot.core.timeframe import DAY_MS, MINUTE_MS
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.market import SyntheticMarket
from bot.sim.server.auth import PAPER_AGENT_KEY, PAPER_WALLET, ApiKey
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.hyperliquid.application import HyperliquidServer
from bot.sim.server.hyperliquid.door import Asked
from bot.sim.server.hyperliquid.terms import as_hyperliquid, is_price
from bot.sim.server.state import StateFile
from bot.sim.venue import SimulatedVenue

BTC, ETH = "BTC/USDC:USDC", "ETH/USDC:USDC"
WALL_MS = 1_800_000_000_000
SIGNED = {"r": "0x1", "s": "0x2", "v": 27}
CLOID = "0x" + "00" * 15 + "07"


class Answer(NamedTuple):
    status: int
    value: Any


class Api:
    """A client whose nonces count up."""

    def __init__(self, server: HyperliquidServer, exchange: EmbeddedExchange, clock: VirtualClock) -> None:
        self.server, self.exchange, self.clock = server, exchange, clock
        self.nonce = clock.now_ms()

    async def post(self, path: str, body: Any) -> Answer:
        reply = await self.server.door.answer(Asked("POST", path, orjson.dumps(body)))
        assert reply is not None
        is_json = reply.headers[0][1] == b"application/json"
        return Answer(reply.status, orjson.loads(reply.body) if is_json else reply.body.decode())

    async def info(self, kind: str, **asked: Any) -> Any:
        answer = await self.post("/info", {"type": kind, **asked})
        assert answer.status == 200, answer
        return answer.value

    async def account(self) -> Any:
        return await self.info("clearinghouseState", user=PAPER_WALLET)

    async def status_of(self, key: Any) -> Any:
        return await self.info("orderStatus", user=PAPER_WALLET, oid=key)

    async def act(self, kind: str, **more: Any) -> Any:
        self.nonce += 1
        action = {"type": kind, **more}
        return await self.post("/exchange", {"action": action, "nonce": self.nonce, "signature": SIGNED})

    async def refused(self, kind: str, **more: Any) -> str:
        answer = await self.act(kind, **more)
        assert answer.value["status"] == "err", answer
        return answer.value["response"]

    async def order(self, grouping: str = "na", **wire: Any) -> Any:
        usual = {"a": 0, "b": True, "p": "70000", "s": "0.1", "r": False, "t": {"limit": {"tif": "Ioc"}}}
        answer = await self.act("order", orders=[{**usual, **wire}], grouping=grouping)
        assert answer.value["status"] == "ok", answer
        return answer.value["response"]["data"]["statuses"][0]

    async def isolate(self, leverage: int = 10) -> None:
        answer = await self.act("updateLeverage", asset=0, isCross=False, leverage=leverage)
        assert answer.value == {"status": "ok", "response": {"type": "default"}}

    async def enter(self) -> None:
        await self.isolate()
        assert "filled" in await self.order()

    def price(self, mark: float) -> None:
        self.exchange.apply(MarkPrice(self.exchange.market_ms + 1_000, BTC, mark, mark))


@pytest.fixture
def api() -> Api:
    terms = {symbol: as_hyperliquid(instrument_for(symbol)) for symbol in (BTC, ETH)}
    venue = SimulatedVenue(terms, HYPERLIQUID, VenueConfig(0.0, 0.0, dict.fromkeys(terms, 1e9)), 10_000.0)
    market = SyntheticMarket(7, tuple(terms), MINUTE_MS)
    exchange = EmbeddedExchange(venue, market, StateFile(None, {}), MINUTE_MS, 10_000.0)
    exchange.open()
    clock = VirtualClock(WALL_MS)
    keys = (ApiKey(PAPER_WALLET, PAPER_AGENT_KEY),)
    return Api(HyperliquidServer(exchange, clock, keys, Faults(), 1_000_000), exchange, clock)


def trigger(price: str, kind: str = "sl") -> Any:
    return {"trigger": {"isMarket": True, "triggerPx": price, "tpsl": kind}}


STOP: Any = {"b": False, "p": "45000", "s": "0", "r": True, "t": trigger("50000")}


# --- what is asked and done -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["userRole", "spotMeta", "nonsense"])
async def test_a_question_that_is_not_known_is_refused_loudly(api: Api, kind: str) -> None:
    answer = await api.post("/info", {"type": kind, "user": PAPER_WALLET})
    assert (answer.status, kind in answer.value) == (422, True)


@pytest.mark.parametrize("kind", ["withdraw3", "usdSend", "approveAgent", "twapOrder"])
async def test_an_action_that_is_not_known_is_refused_loudly(api: Api, kind: str) -> None:
    answer = await api.act(kind)
    assert (answer.status, kind in answer.value) == (422, True)


async def test_another_address_has_nothing_here(api: Api) -> None:
    await api.enter()
    other = "0x" + "99" * 20
    state = await api.info("clearinghouseState", user=other)
    assert (state["withdrawable"], state["assetPositions"]) == ("0.0", [])
    assert await api.info("userFillsByTime", user=other, startTime=0) == []
    assert await api.info("frontendOpenOrders", user=other) == []


# --- nonces and signatures ------------------------------------------------------------------------


async def test_an_action_comes_once(api: Api) -> None:
    body = {
        "action": {"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 5},
        "nonce": WALL_MS,
        "signature": SIGNED,
    }
    assert (await api.post("/exchange", body)).value["status"] == "ok"
    assert "was used" in (await api.post("/exchange", body)).value["response"]


@pytest.mark.parametrize("away_ms", [-2 * DAY_MS, DAY_MS])
async def test_a_nonce_out_of_the_window_is_refused(api: Api, away_ms: int) -> None:
    api.nonce = WALL_MS + away_ms - (1 if away_ms < 0 else 0)
    assert "window" in await api.refused("updateLeverage", asset=0, isCross=False, leverage=5)


async def test_a_nonce_below_the_hundred_highest_is_refused(api: Api) -> None:
    for _ in range(100):
        await api.isolate()
    api.nonce = WALL_MS - 1_000
    assert "was used" in await api.refused("updateLeverage", asset=0, isCross=False, leverage=5)


async def test_an_action_that_has_expired_is_not_carried_out(api: Api) -> None:
    action = {"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 5}
    body = {"action": action, "nonce": WALL_MS, "signature": SIGNED, "expiresAfter": WALL_MS - 1}
    assert "expired" in (await api.post("/exchange", body)).value["response"]
    assert api.exchange.state.leverage[BTC] == 20


@pytest.mark.parametrize("signature", [{}, {"r": "1", "s": "0x2", "v": 27}, {**SIGNED, "v": 1}])
async def test_a_signature_of_another_form_is_refused(api: Api, signature: Any) -> None:
    action = {"type": "updateLeverage", "asset": 0, "isCross": False, "leverage": 5}
    answer = await api.post("/exchange", {"action": action, "nonce": WALL_MS, "signature": signature})
    assert answer.status == 422


async def test_a_signer_that_was_taken_back_does_not_exist_and_reads_go_on(api: Api) -> None:
    api.server.revoke_key(is_revoked=True)
    assert "does not exist" in await api.refused("updateLeverage", asset=0, isCross=False, leverage=5)
    assert (await api.account())["withdrawable"] == "10000.0"


# --- orders ---------------------------------------------------------------------------------------


async def test_a_refusal_stands_in_a_good_reply(api: Api) -> None:
    await api.isolate()
    assert await api.order(s="20") == {"error": "Insufficient margin to place order. asset=0"}


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        ({"s": "20"}, "perpMarginRejected"),
        ({"p": "1000"}, "iocCancelRejected"),
        ({"t": {"limit": {"tif": "Alo"}}}, "badAloPxRejected"),
        ({"r": True}, "reduceOnlyRejected"),
    ],
)
async def test_an_order_that_was_refused_is_found_under_its_id(api: Api, wire: Any, status: str) -> None:
    await api.isolate()
    assert "error" in await api.order(c=CLOID, **wire)
    assert (await api.status_of(CLOID))["order"]["status"] == status
    assert api.exchange.state.positions == {}


async def test_a_price_of_six_figures_is_refused_and_no_order(api: Api) -> None:
    await api.isolate()
    assert "tick size" in (await api.order(p="64000.5", c=CLOID))["error"]
    assert await api.status_of(CLOID) == {"status": "unknownOid"}


@pytest.mark.parametrize(
    ("text", "is_right"),
    [("64000", True), ("64000.1", False), ("123456", True), ("1234.5", True), ("0.0012", False)],
)
def test_prices_have_five_figures_and_the_decimals_that_sizes_leave(text: str, is_right: bool) -> None:
    assert is_price(text, 0.001) is is_right


async def test_an_id_may_be_used_again_when_its_order_is_closed(api: Api) -> None:
    await api.isolate()
    assert "filled" in await api.order(c=CLOID)
    assert "filled" in await api.order(c=CLOID)
    resting = {"p": "40000", "t": {"limit": {"tif": "Gtc"}}}
    assert "resting" in await api.order(c=CLOID, **resting)
    assert "error" in await api.order(c=CLOID, **resting)


async def test_a_stop_over_the_position_answers_with_a_word_and_one_over_a_part_with_a_number(
    api: Api,
) -> None:
    await api.enter()
    assert await api.order("positionTpsl", **STOP, c=CLOID) == "waitingForTrigger"
    assert "resting" in await api.order(**{**STOP, "s": "0.05"})
    row, part = sorted(
        await api.info("frontendOpenOrders", user=PAPER_WALLET), key=lambda each: each["isPositionTpsl"]
    )[::-1]
    assert (row["sz"], row["isTrigger"], row["orderType"], row["cloid"]) == (
        "0.0",
        True,
        "Stop Market",
        CLOID,
    )
    assert (part["sz"], part["isPositionTpsl"], part["cloid"]) == ("0.05", False, None)


async def test_a_stop_that_fires_keeps_its_number_and_its_id(api: Api) -> None:
    await api.enter()
    await api.order("positionTpsl", **STOP, c=CLOID)
    oid = (await api.status_of(CLOID))["order"]["order"]["oid"]
    api.price(49_500.0)
    found = (await api.status_of(CLOID))["order"]
    assert (found["status"], found["order"]["oid"]) == ("filled", oid)
    fill = (await api.info("userFillsByTime", user=PAPER_WALLET, startTime=0))[-1]
    assert (fill["oid"], fill["cloid"], fill["dir"], fill["startPosition"]) == (
        oid,
        CLOID,
        "Close Long",
        "0.1",
    )
    assert "liquidation" not in fill


async def test_a_stop_whose_price_is_reached_is_refused(api: Api) -> None:
    await api.enter()
    refused = await api.order("positionTpsl", **{**STOP, "t": trigger("69000")})
    assert "Invalid TP/SL price" in refused["error"]


async def test_cancels_have_a_status_each(api: Api) -> None:
    await api.enter()
    await api.order("positionTpsl", **STOP, c=CLOID)
    wanted = [{"asset": 0, "cloid": CLOID}, {"asset": 0, "cloid": "0x" + "01" * 16}]
    answer = await api.act("cancelByCloid", cancels=wanted)
    first, second = answer.value["response"]["data"]["statuses"]
    assert (first, "never placed" in second["error"]) == ("success", True)
    assert (await api.status_of(CLOID))["order"]["status"] == "canceled"


# --- leverage and margin --------------------------------------------------------------------------


async def test_an_account_begins_with_cross_margin_in_which_nothing_is_traded(api: Api) -> None:
    asked = await api.info("activeAssetData", user=PAPER_WALLET, coin="BTC")
    assert asked["leverage"] == {"type": "cross", "value": 20}
    assert "cross margin" in await api.refused(
        "order",
        orders=[{"a": 0, "b": True, "p": "70000", "s": "0.1", "r": False, "t": {"limit": {"tif": "Ioc"}}}],
        grouping="na",
    )


async def test_margin_is_what_was_paid_in_less_what_the_position_cost(api: Api) -> None:
    await api.enter()
    (row,) = (each["position"] for each in (await api.account())["assetPositions"])
    held = api.exchange.state.positions[BTC]
    raw, entry = float(row["leverage"]["rawUsd"]), float(row["entryPx"])
    assert raw + float(row["szi"]) * entry == pytest.approx(held.isolated_wallet)
    assert float(row["marginUsed"]) == pytest.approx(held.isolated_wallet + float(row["unrealizedPnl"]))


async def test_ntli_is_signed_in_millionths_and_nothing_below_initial_margin_comes_out(api: Api) -> None:
    await api.enter()
    before = api.exchange.state.positions[BTC].isolated_wallet
    move = {"asset": 0, "isBuy": True}
    assert (await api.act("updateIsolatedMargin", **move, ntli=25_500_001)).value["status"] == "ok"
    assert api.exchange.state.positions[BTC].isolated_wallet == pytest.approx(before + 25.500001, abs=1e-9)
    assert (await api.act("updateIsolatedMargin", **move, ntli=-20_000_000)).value["status"] == "ok"
    assert "initial margin" in await api.refused("updateIsolatedMargin", **move, ntli=-600_000_000)
    assert "initial margin" in await api.refused("updateIsolatedMargin", **move, ntli=-300_000_000)
    assert "Insufficient" in await api.refused("updateIsolatedMargin", **move, ntli=10**11)


async def test_a_strictly_isolated_coin_lets_no_margin_out(api: Api) -> None:
    api.server.desk.keepers = frozenset({BTC})
    assert (await api.info("meta"))["universe"][0]["marginMode"] == "strictIsolated"
    await api.enter()
    move = {"asset": 0, "isBuy": True}
    assert (await api.act("updateIsolatedMargin", **move, ntli=25_000_000)).value["status"] == "ok"
    assert "cannot be removed" in await api.refused("updateIsolatedMargin", **move, ntli=-1_000_000)


async def test_leverage_under_a_position_only_rises_and_its_mode_stays(api: Api) -> None:
    await api.enter()
    assert "decrease" in await api.refused("updateLeverage", asset=0, isCross=False, leverage=9)
    assert "type" in await api.refused("updateLeverage", asset=0, isCross=True, leverage=10)
    await api.isolate(12)


def test_maintenance_is_half_the_initial_margin_of_each_tier() -> None:
    tiers = as_hyperliquid(instrument_for(BTC)).tiers
    assert (tiers.maintenance_margin_rate * tiers.max_leverage).tolist() == pytest.approx([0.5] * 12)


# --- limits and outages ---------------------------------------------------------------------------


async def test_weight_is_counted_by_the_minute_and_too_much_is_429(api: Api) -> None:
    api.server = HyperliquidServer(api.exchange, api.clock, (ApiKey(PAPER_WALLET, ""),), Faults(), 41)
    asked = {"type": "frontendOpenOrders", "user": PAPER_WALLET}
    assert [(await api.post("/info", asked)).status for _ in range(3)] == [200, 200, 429]


async def test_maintenance_and_other_paths_are_words(api: Api) -> None:
    assert (await api.post("/fapi/v1/time", {})) == Answer(404, "no such path in Hyperliquid's dialect")
    api.server.faults.is_in_maintenance = True
    assert (await api.post("/info", {"type": "meta"})) == Answer(503, "in maintenance")
