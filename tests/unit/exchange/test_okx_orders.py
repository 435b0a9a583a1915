"""What ccxt or OKX does to orders that would cost money if believed. Each fails without its fix."""

import pytest

from bot.core.event import (
    OrderAccepted,
    OrderCancelled,
    Refused,
)
from bot.core.intent import (
    AddMargin,
    CancelOrder,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
)
from bot.errors import Fatal, OutcomeUnknown
from tests.unit.exchange.okx_wire import (
    BTC,
    ENTRY,
    NAME,
    STOP,
    Purse,
    algo_row,
    intent,
    order_row,
    position_row,
    refused,
    row_refused,
    takes,
    wired,
)

# --- orders ---------------------------------------------------------------------------------------


async def test_every_order_says_isolated_because_ccxt_would_say_cross() -> None:
    connection, wire = wired()
    takes(wire)
    gateway, client = connection.gateway, connection.link.client
    await gateway.instruments()
    assert client.create_order_request(BTC, "market", "buy", 1.0)["tdMode"] == "cross"
    wire.answers["GET trade/order"] = [order_row(ENTRY, state="live", accFillSz="0", ordType="limit")]
    await gateway.execute(intent(OpenPosition(BTC, 1, 0.1, "limit", 49_000.0), ENTRY))
    wire.answers["GET account/positions"] = [position_row()]
    await gateway.account()
    await gateway.execute(intent(PlaceStop(BTC, 1, 49_500.0)))
    await gateway.execute(intent(PlaceTakeProfit(BTC, 1, 0.04, 51_000.0), "TRAP0000002T"))
    await gateway.execute(intent(PlaceTrailingStop(BTC, 1, 0.0, 0.01), "TRAP0000003W"))
    bodies = wire.sent("POST", "trade/order") + wire.sent("POST", "trade/order-algo")
    assert [(body["tdMode"], body["posSide"]) for body in bodies] == [("isolated", "net")] * 4
    assert [body.get("sz") for body in bodies] == ["10", None, "4", "10"]
    assert bodies[0] == {
        "instId": NAME,
        "tdMode": "isolated",
        "side": "buy",
        "posSide": "net",
        "clOrdId": ENTRY,
        "ordType": "limit",
        "sz": "10",
        "px": "49000",
    }


async def test_a_stop_is_on_the_mark_for_the_whole_position_under_an_algo_id_of_ours() -> None:
    """The venue's default is the last price; ccxt would send our id as clOrdId, which is another's."""
    connection, wire = wired()
    takes(wire)
    wire.answers["GET account/positions"] = [position_row()]
    events = await connection.gateway.execute(intent(PlaceStop(BTC, 1, 49_500.0)))
    assert [type(event) for event in events] == [OrderAccepted]
    assert wire.sent("POST", "trade/order-algo") == [
        {
            "instId": NAME,
            "tdMode": "isolated",
            "side": "sell",
            "posSide": "net",
            "algoClOrdId": STOP,
            "reduceOnly": True,
            "closeFraction": "1",
            "ordType": "conditional",
            "cxlOnClosePos": True,
            "slTriggerPx": "49500",
            "slTriggerPxType": "mark",
            "slOrdPx": "-1",
        }
    ]


async def test_a_second_stop_for_the_entire_position_is_sent_for_the_quantity_held() -> None:
    connection, wire = wired()
    takes(wire)
    accept = wire.answers["POST trade/order-algo"]
    wire.answers["GET account/positions"] = [position_row()]
    wire.answers["POST trade/order-algo"] = lambda body: (
        row_refused("51088") if body.get("closeFraction") else accept(body)
    )
    events = await connection.gateway.execute(intent(PlaceStop(BTC, 1, 49_500.0)))
    assert [type(event) for event in events] == [OrderAccepted]
    sizes = [(each.get("closeFraction"), each.get("sz")) for each in wire.sent("POST", "trade/order-algo")]
    assert sizes == [("1", None), (None, "10")]
    (accepted,) = events
    assert isinstance(accepted, OrderAccepted)
    assert accepted.quantity == 0.1


async def test_every_type_of_algo_order_is_listed() -> None:
    """A list holds one type; the one that ccxt asks for by default holds none of ours."""
    connection, wire = wired()
    lists = {
        "conditional,oco": [
            algo_row(STOP),
            algo_row("TRAP0000002T", "89", slTriggerPx="", tpTriggerPx="51000"),
        ],
        "move_order_stop": [
            algo_row(
                "TRAP0000003W", "90", ordType="move_order_stop", slTriggerPx="", closeFraction="", sz="4"
            )
        ],
        "trigger": [],
    }
    wire.answers["GET trade/orders-algo-pending"] = lambda asked: lists[asked["ordType"]]
    orders = {each.client_id: each for each in (await connection.gateway.account()).orders}
    legs = {name: (each.leg, each.quantity) for name, each in orders.items()}
    assert legs == {
        STOP: ("stop", 0.0),
        "TRAP0000002T": ("take_profit", 0.0),
        "TRAP0000003W": ("trailing", 0.04),
    }
    assert (orders[STOP].trigger_price, orders[STOP].trigger_on) == (49_500.0, "mark")


async def test_orders_of_somebody_else_keep_ids_of_their_own_and_can_be_cancelled() -> None:
    """Orders made in the app have no client id: under "" they would be one."""
    connection, wire = wired()
    made = [order_row("", str(number), state="live", accFillSz="0", ordType="limit") for number in (5, 6)]
    wire.answers["GET trade/orders-pending"] = made
    account = await connection.gateway.account()
    assert [each.client_id for each in account.orders] == ["okx-5", "okx-6"]

    def cancelled(_asked: object) -> object:
        wire.answers["GET trade/orders-pending"] = made[1:]
        return [{"ordId": "5", "clOrdId": "", "sCode": "0", "sMsg": ""}]

    wire.answers["POST trade/cancel-order"] = cancelled
    await connection.gateway.execute(intent(CancelOrder(BTC, "okx-5"), "TRAP0000004C"))
    assert wire.sent("POST", "trade/cancel-order") == [{"instId": NAME, "ordId": "5"}]


async def test_an_effective_stop_whose_order_was_cancelled_protects_nothing() -> None:
    connection, wire = wired()
    wire.answers["GET account/positions"] = [position_row()]
    wire.answers["GET trade/orders-algo-pending"] = lambda asked: (
        [algo_row(STOP)] if "conditional" in asked["ordType"] else []
    )
    await connection.gateway.account()
    wire.answers["GET trade/orders-algo-pending"] = []
    wire.answers["GET trade/order-algo"] = [algo_row(STOP, state="effective", ordIdList=["99"])]
    wire.answers["GET trade/order"] = [
        order_row("", "99", algoClOrdId=STOP, state="canceled", accFillSz="0", side="sell")
    ]
    events = await connection.gateway.sweep(BTC)
    assert [event.client_id for event in events if isinstance(event, OrderCancelled)] == [STOP]
    assert len(events) == 1


@pytest.mark.parametrize("state", ["order_failed", "partially_failed", "canceled"])
async def test_an_algo_order_that_failed_is_gone(state: str) -> None:
    connection, wire = wired()
    wire.answers["GET account/positions"] = [position_row()]
    wire.answers["GET trade/orders-algo-pending"] = lambda asked: (
        [algo_row(STOP)] if "conditional" in asked["ordType"] else []
    )
    await connection.gateway.account()
    wire.answers["GET trade/orders-algo-pending"] = []
    wire.answers["GET trade/order-algo"] = [algo_row(STOP, state=state)]
    assert [type(event) for event in await connection.gateway.sweep(BTC)] == [OrderCancelled]


async def test_an_order_that_was_taken_stays_taken_when_the_next_read_finds_nothing() -> None:
    """Its row appears a moment later: "does not exist" is no refusal of what was acknowledged."""
    connection, wire = wired()
    takes(wire)
    events = await connection.gateway.execute(intent(OpenPosition(BTC, 1, 0.1), ENTRY))
    assert [type(event) for event in events] == [OrderAccepted]


async def test_a_refusal_in_the_row_of_a_reply_that_says_done_is_a_refusal() -> None:
    """Code 2 (and 0) with an sCode in the row: ccxt looks at rows only when the whole failed."""
    connection, wire = wired()
    wire.answers["POST trade/order"] = row_refused("51008", top="2")
    events = await connection.gateway.execute(intent(OpenPosition(BTC, 1, 0.1), ENTRY))
    assert [event.code for event in events if isinstance(event, Refused)] == ["insufficient_balance"]


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("51008", "insufficient_balance"),
        ("51131", "insufficient_balance"),
        ("51020", "below_minimum"),
        ("51004", "position_limit"),
        ("51169", "no_position"),
        ("51000", "precision"),
        ("51001", "unknown_symbol"),
        ("50020", "in_liquidation"),
    ],
)
async def test_order_codes_are_refusals(code: str, refusal: str) -> None:
    connection, wire = wired()
    wire.answers["POST trade/order"] = row_refused(code)
    events = await connection.gateway.execute(intent(OpenPosition(BTC, 1, 0.1), ENTRY))
    assert [event.code for event in events if isinstance(event, Refused)] == [refusal]


@pytest.mark.parametrize("code", ["51277", "51278", "51279", "51280"])
async def test_a_trigger_on_the_wrong_side_is_refused_as_such(code: str) -> None:
    connection, wire = wired()
    wire.answers["GET account/positions"] = [position_row()]
    wire.answers["POST trade/order-algo"] = row_refused(code)
    events = await connection.gateway.execute(intent(PlaceStop(BTC, 1, 50_500.0)))
    assert [event.code for event in events if isinstance(event, Refused)] == ["would_trigger_immediately"]


@pytest.mark.parametrize(
    ("code", "refusal"),
    [("59301", "beyond_removable"), ("59200", "insufficient_balance"), ("59300", "no_position")],
)
async def test_margin_codes_are_refusals_although_ccxt_has_a_bare_error(code: str, refusal: str) -> None:
    connection, wire = wired()
    Purse(wire)
    wire.answers["POST account/position/margin-balance"] = refused(code)
    events = await connection.gateway.execute(intent(AddMargin(BTC, 110.0)))
    assert [event.code for event in events if isinstance(event, Refused)] == [refusal]


async def test_an_entry_that_the_account_mode_forbids_is_refused_in_words_and_ends_nothing() -> None:
    """A position that somebody else opened is enough: an order against it would turn it."""
    connection, wire = wired()
    wire.answers["POST trade/order"] = row_refused("51010")
    (refusal,) = await connection.gateway.execute(intent(OpenPosition(BTC, 1, 0.1), ENTRY))
    assert isinstance(refusal, Refused)
    assert refusal.code == "margin_mode_refused"
    assert "Look at the account mode and the symbol's positions" in refusal.message


async def test_an_account_whose_mode_trades_no_swaps_is_told_in_words_at_the_start() -> None:
    connection, wire = wired()
    wire.answers["GET account/leverage-info"] = refused("51010")
    with pytest.raises(Fatal, match="need an account mode that trades them"):
        await connection.gateway.account()


@pytest.mark.parametrize("code", ["50004", "50013", "50026"])
async def test_codes_that_prove_nothing_leave_the_fate_open(code: str) -> None:
    connection, wire = wired()
    wire.answers["POST trade/order"] = refused(code)
    with pytest.raises(OutcomeUnknown):
        await connection.gateway.execute(intent(OpenPosition(BTC, 1, 0.1), ENTRY))


@pytest.mark.parametrize("code", ["50011", "50102", "51030"])
async def test_what_was_thrown_away_unread_is_sent_again(code: str) -> None:
    """51030, funding is being settled, is over in a moment; ccxt calls it a symbol that is not traded."""
    connection, wire = wired()
    Purse(wire)
    takes(wire)
    accept, replies = wire.answers["POST trade/order-algo"], [refused(code)]
    wire.answers["POST trade/order-algo"] = lambda body: replies.pop() if replies else accept(body)
    events = await connection.gateway.execute(intent(PlaceStop(BTC, 1, 49_500.0)))
    assert [type(event) for event in events] == [OrderAccepted]


async def test_nothing_is_entered_where_the_venue_has_ended_trading() -> None:
    connection, wire = wired()
    takes(wire)
    (listed,) = wire.answers["GET public/instruments"]
    wire.answers["GET public/instruments"] = [{**listed, "state": "suspend"}]
    await connection.gateway.instruments()
    (refused,) = await connection.gateway.execute(intent(OpenPosition(BTC, 1, 0.1)))
    assert isinstance(refused, Refused)
    assert refused.code == "unknown_symbol"
    assert wire.sent("POST", "trade/order") == []
