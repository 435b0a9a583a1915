"""The embedded exchange in OKX's dialect: keys, times, rates, row errors, socket manners, exact numbers."""

import base64
import hmac
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from bot.core.margin import equity, maintenance_margin
from bot.sim.server.auth import PAPER_KEY, PAPER_PASSPHRASE, PAPER_SECRET
from bot.sim.server.okx.application import Conversation
from bot.sim.server.okx.desk import Desk
from bot.sim.server.okx.terms import contract_value
from tests.contract.okx_world import ServedOkx
from tests.contract.venue_worlds import BTC

NAME = "BTC-USDT-SWAP"
ISOLATED = {"instId": NAME, "tdMode": "isolated"}


class Caller:
    """Signs as the venue wants it, or as a test spoils it."""

    def __init__(self, world: ServedOkx) -> None:
        self.world = world
        self.key, self.secret, self.passphrase = PAPER_KEY, PAPER_SECRET, PAPER_PASSPHRASE
        self.late_ms = 0

    async def ask(self, method: str, path: str, params: Any = None) -> tuple[int, dict[str, Any]]:
        query = urlencode(params or {}) if method == "GET" else ""
        body = b"" if method == "GET" or params is None else orjson.dumps(params)
        full = f"/api/v5/{path}" + (f"?{query}" if query else "")
        stamp = self.world.connection.link.client.iso8601(self.world.clock.now_ms() - self.late_ms)
        headers = {
            "OK-ACCESS-KEY": self.key,
            "OK-ACCESS-PASSPHRASE": self.passphrase,
            "OK-ACCESS-TIMESTAMP": stamp,
            "OK-ACCESS-SIGN": signed(f"{stamp}{method}{full}".encode() + body, self.secret),
        }
        asked = self.world.asked(method, f"/api/v5/{path}", query.encode(), body, headers)
        reply = await self.world.server.door.answer(asked)
        return reply.status, orjson.loads(reply.body)

    async def rows(self, method: str, path: str, params: Any = None) -> list[Any]:
        status, reply = await self.ask(method, path, params)
        assert (status, reply["code"]) == (200, "0"), reply
        return reply["data"]

    async def open(self, contracts: str = "10", side: str = "buy") -> None:
        leverage = {"instId": NAME, "lever": "10", "mgnMode": "isolated", "posSide": "net"}
        await self.rows("POST", "account/set-leverage", leverage)
        order = {**ISOLATED, "side": side, "ordType": "market", "sz": contracts}
        await self.rows("POST", "trade/order", order)


def signed(payload: bytes, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), payload, "sha256")).decode()


@pytest.fixture
def caller() -> Caller:
    return Caller(ServedOkx())


@pytest.mark.parametrize(
    ("spoiled", "value", "code"),
    [
        ("key", "another", "50111"),
        ("secret", "another", "50113"),
        ("passphrase", "another", "50105"),
        ("passphrase", "", "50104"),
        ("late_ms", 31_000, "50102"),
        ("late_ms", -31_000, "50102"),
    ],
)
async def test_a_request_that_is_not_rightly_signed_is_refused(
    spoiled: str, value: Any, code: str, caller: Caller
) -> None:
    assert (await caller.ask("GET", "account/balance"))[0] == 200
    setattr(caller, spoiled, value)
    status, reply = await caller.ask("GET", "account/balance")
    assert (status, reply["code"]) == (401, code)


async def test_a_read_only_key_may_not_trade(caller: Caller) -> None:
    caller.world.server.set_permissions(may_trade=False, may_withdraw=False)
    (row,) = await caller.rows("GET", "account/config")
    assert row["perm"] == "read_only"
    status, reply = await caller.ask("POST", "trade/order", {**ISOLATED, "side": "buy"})
    assert (status, reply["code"]) == (401, "50114")


class Hurried(ServedOkx):
    allowance = 1.0


async def test_each_endpoint_has_a_rate_of_its_own() -> None:
    caller = Caller(Hurried())
    answers = [(await caller.ask("GET", "public/time"))[1]["code"] for _ in range(11)]
    assert answers == ["0"] * 10 + ["50011"]
    assert (await caller.ask("GET", "public/mark-price", {"instType": "SWAP"}))[0] == 200


async def test_a_refused_order_is_a_row_and_a_batch_may_be_done_in_part(caller: Caller) -> None:
    await caller.open()
    good = {**ISOLATED, "side": "buy", "ordType": "limit", "px": "40000", "sz": "1", "clOrdId": "a1"}
    status, reply = await caller.ask("POST", "trade/order", {**good, "tdMode": "cross"})
    assert (status, reply["code"], reply["data"][0]["sCode"]) == (200, "1", "51010")
    status, reply = await caller.ask("POST", "trade/batch-orders", [good, {**good, "sz": "0"}, good])
    assert reply["code"] == "2"
    assert [row["sCode"] for row in reply["data"]] == ["0", "51000", "51016"]


async def test_an_order_is_amended_and_cancelled_in_contracts(caller: Caller) -> None:
    await caller.open()
    order = {**ISOLATED, "side": "buy", "ordType": "limit", "px": "40000", "sz": "1", "clOrdId": "a1"}
    await caller.rows("POST", "trade/order", order)
    await caller.rows("POST", "trade/amend-order", {"instId": NAME, "clOrdId": "a1", "newSz": "2.5"})
    (row,) = await caller.rows("GET", "trade/orders-pending", {"instType": "SWAP"})
    assert (row["sz"], row["state"], row["px"]) == ("2.5", "live", "40000.0")
    await caller.rows("POST", "trade/cancel-order", {"instId": NAME, "clOrdId": "a1"})
    _, reply = await caller.ask("POST", "trade/cancel-order", {"instId": NAME, "clOrdId": "a1"})
    assert reply["data"][0]["sCode"] == "51400"
    (done,) = await caller.rows("GET", "trade/orders-history", {"instType": "SWAP", "limit": "1"})
    assert done["state"] == "canceled"


async def test_one_stop_may_close_the_entire_position_and_only_if_it_reduces(caller: Caller) -> None:
    await caller.open()
    whole = {**ISOLATED, "side": "sell", "ordType": "conditional", "closeFraction": "1", "slOrdPx": "-1"}
    whole |= {"slTriggerPx": "49000", "slTriggerPxType": "mark"}
    _, reply = await caller.ask("POST", "trade/order-algo", whole)
    assert reply["data"][0]["sCode"] == "51328"
    await caller.rows("POST", "trade/order-algo", {**whole, "reduceOnly": True})
    _, reply = await caller.ask("POST", "trade/order-algo", {**whole, "reduceOnly": True})
    assert reply["data"][0]["sCode"] == "51088"
    assert await caller.rows("GET", "trade/orders-algo-pending", {"ordType": "trigger"}) == []
    (row,) = await caller.rows("GET", "trade/orders-algo-pending", {"ordType": "conditional,oco"})
    assert (row["closeFraction"], row["sz"], row["slTriggerPxType"]) == ("1", "", "mark")
    status, reply = await caller.ask("GET", "trade/orders-algo-pending")
    assert (status, reply["code"]) == (200, "50014")


async def test_a_position_is_in_contracts_with_the_inverse_ratio_and_an_early_liquidation(
    caller: Caller,
) -> None:
    await caller.open(side="sell")
    (row,) = await caller.rows("GET", "account/positions")
    state = caller.world.embedded.state
    held, rules = state.positions[BTC], state.rules[BTC]
    assert (row["pos"], float(row["margin"])) == ("-10", held.isolated_wallet)
    ratio = equity(held, 50_000.0, rules) / maintenance_margin(held, 50_000.0, rules)
    assert float(row["mgnRatio"]) == ratio
    exact = (held.isolated_wallet + 0.1 * held.entry_price) / (0.1 * (1.0 + 0.004 + 0.0005))
    assert float(row["liqPx"]) == pytest.approx(exact - 0.1)


async def test_equity_less_pnl_is_the_wallet_to_the_last_digit(caller: Caller) -> None:
    await caller.open()
    await caller.world.tick(50_123.4)
    (row,) = (await caller.rows("GET", "account/balance", {"ccy": "USDT"}))[0]["details"]
    assert (
        float(Decimal(row["eq"]) - Decimal(row["upl"])) == caller.world.embedded.state.ledger.trader_quote()
    )
    assert float(row["availEq"]) == caller.world.embedded.state.free_quote


async def test_contracts_and_base_units_are_each_others_inverse(caller: Caller) -> None:
    desk: Desk = caller.world.server.desk
    for steps in (1, 3, 7, 29, 1_001):
        quantity = steps / 1000
        assert desk.quantity(BTC, float(desk.contracts(BTC, quantity))) == quantity
    assert contract_value(BTC) == Decimal("0.01")


class Heard:
    """A connection that keeps what is put into it."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.names: set[str] = set()

    def put(self, text: str) -> None:
        self.said.append(orjson.loads(text) if text.startswith("{") else text)


def talk(world: ServedOkx, kind: str) -> tuple[Conversation, Heard]:
    heard: Any = Heard()
    server = world.server
    return Conversation(server.desk, server.door, server.hub, heard, kind), heard


def login(world: ServedOkx, secret: str = PAPER_SECRET) -> str:
    stamp = str(world.clock.now_ms() // 1000)
    sign = signed(f"{stamp}GET/users/self/verify".encode(), secret)
    arg = {"apiKey": PAPER_KEY, "passphrase": PAPER_PASSPHRASE, "timestamp": stamp, "sign": sign}
    return orjson.dumps({"op": "login", "args": [arg]}).decode()


def subscribe(channel: str, **more: str) -> str:
    return orjson.dumps({"op": "subscribe", "args": [{"channel": channel, **more}]}).decode()


def test_a_private_channel_needs_a_login_that_is_rightly_signed(caller: Caller) -> None:
    conversation, heard = talk(caller.world, "private")
    conversation.hear(subscribe("account"))
    conversation.hear(login(caller.world, "another"))
    conversation.hear(login(caller.world))
    conversation.hear(subscribe("account"))
    codes = [message.get("code") for message in heard.said if message.get("event") in ("error", "login")]
    assert codes == ["60011", "60007", "0"]
    assert heard.said[-1]["data"][0]["details"][0]["ccy"] == "USDT"


@pytest.mark.parametrize(
    ("kind", "text", "answer"),
    [
        ("public", "ping", "pong"),
        ("public", "no json", "60012"),
        ("public", subscribe("candle1m", instId=NAME), "60018"),
        ("business", subscribe("candle7x", instId=NAME), "60018"),
        ("public", subscribe("mark-price", instId="NOPE-USDT-SWAP"), "60018"),
        ("business", subscribe("orders-algo", instType="SWAP"), "60011"),
    ],
)
def test_manners_on_a_socket(kind: str, text: str, answer: str, caller: Caller) -> None:
    conversation, heard = talk(caller.world, kind)
    conversation.hear(text)
    (said,) = heard.said
    assert (said if isinstance(said, str) else said["code"]) == answer


def test_a_subscription_is_echoed_and_says_how_things_stand(caller: Caller) -> None:
    conversation, heard = talk(caller.world, "public")
    conversation.hear(subscribe("mark-price", instId=NAME))
    assert heard.said[0]["event"] == "subscribe"
    assert heard.said[1]["data"][0]["markPx"] == "50000.0"
