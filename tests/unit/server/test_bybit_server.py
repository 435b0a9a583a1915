"""The embedded exchange in Bybit's dialect, asked without a socket."""

import hmac
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
import pytest

from bot.clock import VirtualClock
from bot.core.profile import bybit
from bot.core.timeframe import MINUTE_MS
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.market import SyntheticMarket
from bot.sim.server.auth import PAPER_KEY, PAPER_SECRET, ApiKey
from bot.sim.server.bybit.application import BybitServer
from bot.sim.server.bybit.door import Asked, Auth, Rates
from bot.sim.server.bybit.terms import as_bybit
from bot.sim.server.control import Control
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.pump import Pump
from bot.sim.server.state import StateFile
from bot.sim.server.streams import Connection
from bot.sim.venue import SimulatedVenue

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
WALL_MS = 1_800_000_000_000
OF_BTC = {"category": "linear", "symbol": "BTCUSDT"}


class Answer(NamedTuple):
    status: int
    code: int
    result: Any
    headers: dict[str, str]


class Api:
    """A client that signs as the venue wants it."""

    def __init__(self, server: BybitServer, clock: VirtualClock) -> None:
        self._server, self.clock = server, clock
        self.secret, self.late_ms = PAPER_SECRET, 0

    async def ask(self, method: str, path: str, params: dict[str, Any]) -> Answer:
        query = "" if method == "POST" else urlencode(params)
        body = orjson.dumps(params).decode() if method == "POST" else ""
        stamp = str(self.clock.now_ms() - self.late_ms)
        payload = f"{stamp}{PAPER_KEY}5000{query or body}"
        signature = hmac.digest(self.secret.encode(), payload.encode(), "sha256").hex()
        auth = Auth(PAPER_KEY, stamp, "5000", signature)
        asked = Asked(method, f"/v5/{path}", query.encode(), body.encode(), auth)
        reply = await self._server.door.answer(asked)
        assert reply is not None
        value = orjson.loads(reply.body)
        headers = {name.decode(): text.decode() for name, text in reply.headers}
        return Answer(reply.status, value["retCode"], value["result"], headers)

    async def get(self, path: str, **params: Any) -> Any:
        """Return the result of a read that must succeed."""
        answer = await self.ask("GET", path, params)
        assert answer.code == 0, answer
        return answer.result

    async def post(self, path: str, **params: Any) -> Any:
        """Return the result of a change that must succeed."""
        answer = await self.ask("POST", path, params)
        assert answer.code == 0, answer
        return answer.result

    async def refused(self, path: str, **params: Any) -> int:
        """Return the code of a change that must be refused."""
        answer = await self.ask("POST", path, params)
        assert answer.code != 0, answer
        return answer.code


class World(NamedTuple):
    exchange: EmbeddedExchange
    server: BybitServer
    control: Control
    clock: VirtualClock
    api: Api

    async def trade(self, quantity: str = "0.01") -> Any:
        """Open a BTC long at isolated margin and 10x."""
        await self.api.post("account/set-margin-mode", setMarginMode="ISOLATED_MARGIN")
        await self.api.post("position/set-leverage", **OF_BTC, buyLeverage="10", sellLeverage="10")
        order = {"side": "Buy", "orderType": "Market", "qty": quantity}
        return await self.api.post("order/create", **OF_BTC, **order)

    async def position(self) -> dict[str, Any]:
        """Return BTC's row."""
        return (await self.api.get("position/list", **OF_BTC))["list"][0]

    @property
    def mark(self) -> float:
        return self.exchange.prices.of(BTC).mark


def new_world(rates: Rates | None = None) -> World:
    clock, faults = VirtualClock(WALL_MS), Faults()
    instruments = {symbol: as_bybit(instrument_for(symbol)) for symbol in (BTC, ETH)}
    config = VenueConfig(0.0001, 0.0002, dict.fromkeys(instruments, 500_000.0), seed=7)
    venue = SimulatedVenue(instruments, bybit(instruments[BTC].taker_fee_rate), config, 10_000.0)
    source = SyntheticMarket(7, (BTC, ETH), MINUTE_MS)
    exchange = EmbeddedExchange(venue, source, StateFile(None, {}), MINUTE_MS, 10_000.0)
    exchange.open()
    rates = rates or Rates(1_000_000, 100_000, 100_000)
    server = BybitServer(exchange, clock, (ApiKey(PAPER_KEY, PAPER_SECRET),), rates, faults)
    control = Control(exchange, Pump(exchange, clock, 1.0), faults, server)
    return World(exchange, server, control, clock, Api(server, clock))


@pytest.fixture
def world() -> World:
    return new_world()


# --- the door -----------------------------------------------------------------------------------------


async def test_a_signature_of_another_secret_is_refused_with_http_200(world: World) -> None:
    world.api.secret = "other"
    answer = await world.api.ask("GET", "account/info", {})
    assert (answer.status, answer.code) == (200, 10004)


@pytest.mark.parametrize("late_ms", [5_001, -1_000])
async def test_a_request_of_another_time_is_refused(world: World, late_ms: int) -> None:
    world.api.late_ms = late_ms
    assert (await world.api.ask("GET", "account/info", {})).code == 10002


async def test_a_read_only_key_reads_and_changes_nothing(world: World) -> None:
    world.control.run("permissions", {"may_trade": False})
    assert (await world.api.get("user/query-api"))["readOnly"] == 1
    assert await world.api.refused("account/set-margin-mode", setMarginMode="ISOLATED_MARGIN") == 10005


async def test_an_endpoint_has_a_rate_of_its_own_and_says_what_is_left() -> None:
    world = new_world(Rates(1_000, 2, 2))
    for left in ("1", "0"):
        answer = await world.api.ask("GET", "account/info", {})
        assert (answer.code, answer.headers["x-bapi-limit-status"]) == (0, left)
    assert (await world.api.ask("GET", "account/info", {})).code == 10006
    assert (await world.api.ask("GET", "position/list", OF_BTC)).code == 0
    world.clock.advance(1_000)
    assert (await world.api.ask("GET", "account/info", {})).code == 0


async def test_an_address_that_asks_too_much_is_shut_out_for_ten_minutes() -> None:
    world = new_world(Rates(3, 100, 100))
    for _ in range(3):
        await world.api.get("account/info")
    assert (await world.api.ask("GET", "account/info", {})).status == 403
    world.clock.advance(599_000)
    assert (await world.api.ask("GET", "account/info", {})).status == 403
    world.clock.advance(1_000)
    assert (await world.api.ask("GET", "account/info", {})).status == 200


# --- settings -----------------------------------------------------------------------------------------


async def test_margin_mode_is_the_accounts_and_an_open_position_holds_it(world: World) -> None:
    await world.trade()
    answer = await world.api.ask("POST", "account/set-margin-mode", {"setMarginMode": "REGULAR_MARGIN"})
    assert (answer.code, len(answer.result["reasons"])) == (3_400_045, 1)
    assert (await world.api.get("account/info"))["marginMode"] == "ISOLATED_MARGIN"


async def test_an_account_begins_in_cross_mode_in_which_nothing_is_traded(world: World) -> None:
    order = {"side": "Buy", "orderType": "Market", "qty": "0.01"}
    assert (await world.api.get("account/info"))["marginMode"] == "REGULAR_MARGIN"
    assert await world.api.refused("order/create", **OF_BTC, **order) == 10001


async def test_leverage_that_is_so_already_is_110043(world: World) -> None:
    await world.trade()
    same = {"buyLeverage": "10", "sellLeverage": "10"}
    assert await world.api.refused("position/set-leverage", **OF_BTC, **same) == 110043


async def test_raising_leverage_of_an_open_position_releases_initial_margin(world: World) -> None:
    await world.trade()
    before = await world.position()
    await world.api.post("position/set-leverage", **OF_BTC, buyLeverage="20", sellLeverage="20")
    after = await world.position()
    released = float(before["positionBalance"]) - float(after["positionBalance"])
    assert 0.045 < released / float(before["positionValue"]) <= 0.05
    assert float(after["liqPrice"]) > float(before["liqPrice"])


# --- margin -------------------------------------------------------------------------------------------


async def test_margin_is_moved_by_signed_amounts_of_four_decimals(world: World) -> None:
    await world.trade()
    before = float((await world.position())["positionBalance"])
    row = await world.api.post("position/add-margin", **OF_BTC, margin="10.1234")
    assert float(row["positionBalance"]) == pytest.approx(before + 10.1234)
    await world.api.post("position/add-margin", **OF_BTC, margin="-3.0001")
    assert float((await world.position())["positionBalance"]) == pytest.approx(before + 7.1233)
    assert await world.api.refused("position/add-margin", **OF_BTC, margin="1.00001") == 10001
    assert await world.api.refused("position/add-margin", **OF_BTC, margin="-5000") == 110011
    assert await world.api.refused("position/add-margin", **OF_BTC, margin="50000") == 110014


async def test_margin_without_a_position_is_110033(world: World) -> None:
    await world.api.post("account/set-margin-mode", setMarginMode="ISOLATED_MARGIN")
    assert await world.api.refused("position/add-margin", **OF_BTC, margin="10") == 110033


# --- orders -------------------------------------------------------------------------------------------


async def test_a_trigger_keeps_its_id_when_it_fires_and_leaves_the_stop_list(world: World) -> None:
    await world.trade()
    stop = {"side": "Sell", "orderType": "Market", "qty": "0", "reduceOnly": True, "closeOnTrigger": True}
    trigger = {"triggerPrice": f"{0.99 * world.mark:.1f}", "triggerDirection": 2, "triggerBy": "MarkPrice"}
    placed = await world.api.post("order/create", **OF_BTC, **stop, **trigger, orderLinkId="stop-1")
    (waiting,) = (await world.api.get("order/realtime", **OF_BTC, orderFilter="StopOrder"))["list"]
    assert (waiting["orderStatus"], waiting["qty"], waiting["orderLinkId"]) == (
        "Untriggered",
        "0.0",
        "stop-1",
    )
    world.control.run("price", {"symbol": BTC, "mark": 0.985 * world.mark})
    assert (await world.api.get("order/realtime", **OF_BTC, orderFilter="StopOrder"))["list"] == []
    (fired,) = (await world.api.get("order/realtime", **OF_BTC, orderLinkId="stop-1"))["list"]
    assert (fired["orderId"], fired["orderStatus"], fired["cumExecQty"]) == (
        placed["orderId"],
        "Filled",
        "0.01",
    )
    rows = (await world.api.get("execution/list", **OF_BTC))["list"]
    assert (rows[0]["orderId"], rows[0]["closedSize"]) == (placed["orderId"], "0.01")


@pytest.mark.parametrize(("direction", "share", "code"), [(1, 0.99, 110092), (2, 1.01, 110093)])
async def test_a_trigger_on_the_wrong_side_is_refused(
    world: World, direction: int, share: float, code: int
) -> None:
    await world.trade()
    order = {"side": "Sell", "orderType": "Market", "qty": "0.01", "reduceOnly": True}
    trigger = {"triggerPrice": f"{share * world.mark:.1f}", "triggerDirection": direction}
    assert await world.api.refused("order/create", **OF_BTC, **order, **trigger) == code


async def test_a_link_id_serves_once_for_ever(world: World) -> None:
    await world.trade()
    order = {"side": "Buy", "orderType": "Market", "qty": "0.01", "orderLinkId": "mine"}
    await world.api.post("order/create", **OF_BTC, **order)
    assert await world.api.refused("order/create", **OF_BTC, **order) == 110072


async def test_a_post_only_order_that_would_take_is_received_and_then_cancelled(world: World) -> None:
    await world.trade()
    price = f"{1.05 * world.mark:.1f}"
    order = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": price, "timeInForce": "PostOnly"}
    placed = await world.api.post("order/create", **OF_BTC, **order)
    (row,) = (await world.api.get("order/history", **OF_BTC, orderId=placed["orderId"]))["list"]
    assert (row["orderStatus"], row["rejectReason"]) == ("Cancelled", "EC_PostOnlyWillTakeLiquidity")


async def test_lists_come_in_pages(world: World) -> None:
    await world.trade()
    for _ in range(4):
        await world.api.post("order/create", **OF_BTC, side="Buy", orderType="Market", qty="0.001")
    first = await world.api.get("execution/list", **OF_BTC, limit=3)
    rest = await world.api.get("execution/list", **OF_BTC, limit=3, cursor=first["nextPageCursor"])
    assert (len(first["list"]), len(rest["list"]), rest["nextPageCursor"]) == (3, 2, "")
    assert len({row["execId"] for row in (*first["list"], *rest["list"])}) == 5


async def test_position_stops_are_set_replaced_and_taken_away(world: World) -> None:
    await world.trade()
    low, lower, high = (f"{share * world.mark:.1f}" for share in (0.98, 0.97, 1.03))
    await world.api.post("position/trading-stop", **OF_BTC, stopLoss=low, takeProfit=high, tpslMode="Full")
    row = await world.position()
    assert (float(row["stopLoss"]), float(row["takeProfit"])) == (float(low), float(high))
    assert await world.api.refused("position/trading-stop", **OF_BTC, stopLoss=low) == 34040
    await world.api.post("position/trading-stop", **OF_BTC, stopLoss=lower)
    assert float((await world.position())["stopLoss"]) == float(lower)
    await world.api.post("position/trading-stop", **OF_BTC, stopLoss="0", takeProfit="0")
    assert (await world.api.get("order/realtime", **OF_BTC))["list"] == []


async def test_stops_that_come_with_an_entry_belong_to_the_position(world: World) -> None:
    await world.trade()
    stop = f"{0.98 * world.mark:.1f}"
    order = {
        "side": "Buy",
        "orderType": "Market",
        "qty": "0.01",
        "stopLoss": stop,
        "slTriggerBy": "MarkPrice",
    }
    await world.api.post("order/create", **OF_BTC, **order)
    (row,) = (await world.api.get("order/realtime", **OF_BTC))["list"]
    assert (row["stopOrderType"], row["orderLinkId"], row["triggerBy"]) == ("StopLoss", "", "MarkPrice")


async def test_the_transaction_log_adds_up_to_the_balance(world: World) -> None:
    await world.trade("0.02")
    order = {"side": "Sell", "orderType": "Market", "qty": "0.01", "reduceOnly": True}
    await world.api.post("order/create", **OF_BTC, **order)
    span = {"startTime": world.exchange.market_ms - 1_000, "endTime": world.exchange.market_ms}
    rows = (await world.api.get("account/transaction-log", **span))["list"]
    (account,) = (await world.api.get("account/wallet-balance", accountType="UNIFIED"))["list"]
    wallet = float(account["coin"][0]["walletBalance"])
    assert 10_000.0 + sum(float(row["change"]) for row in rows) == pytest.approx(wallet)


async def test_a_liquidation_is_a_bust_trade(world: World) -> None:
    await world.trade()
    world.control.run("price", {"symbol": BTC, "mark": 0.85 * world.mark})
    (bust,) = (await world.api.get("execution/list", **OF_BTC, execType="BustTrade"))["list"]
    assert (bust["createType"], bust["orderLinkId"]) == ("CreateByLiquidate", "")
    trades = (await world.api.get("execution/list", **OF_BTC, execType="Trade"))["list"]
    assert bust["execId"] not in {row["execId"] for row in trades}


# --- streams ------------------------------------------------------------------------------------------


class Ear(Connection):
    """A connection that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(None, is_combined=False)  # pyright: ignore[reportArgumentType]
        self.told: list[dict[str, Any]] = []

    def put(self, text: str) -> None:
        self.told.append(orjson.loads(text))


async def test_a_ticker_begins_with_a_snapshot_and_goes_on_with_what_changed(world: World) -> None:
    ear = Ear()
    world.server.hub.subscribe(ear, "tickers.BTCUSDT")
    world.control.run("price", {"symbol": BTC, "mark": world.mark + 1.0, "last": world.mark})
    world.control.run("price", {"symbol": BTC, "mark": world.mark, "last": world.mark + 2.0})
    assert [message["type"] for message in ear.told] == ["snapshot", "delta", "delta"]
    assert "markPrice" in ear.told[0]["data"]
    assert "markPrice" not in ear.told[2]["data"]
    assert "lastPrice" in ear.told[2]["data"]


async def test_private_topics_want_a_login(world: World) -> None:
    ear = Ear()
    assert not world.server.hub.is_known(ear, "order")
    world.server.hub.private.add(ear)
    for name in ("order", "execution", "position", "wallet"):
        world.server.hub.subscribe(ear, name)
    await world.trade()
    topics = [message["topic"] for message in ear.told]
    assert {"order", "execution", "position", "wallet"} == set(topics)
    (execution,) = [each["data"][0] for each in ear.told if each["topic"] == "execution"]
    assert (execution["execQty"], execution["execPnl"]) == ("0.01", "0.0")
