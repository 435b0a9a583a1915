"""What weighs most is asked for only when its answer can have changed."""

from itertools import count

from bot.clock import VirtualClock
from bot.exchange.lane import Urgency, urgency_now
from tests.unit.exchange.wire import BTC, START_MS, order_row, position_row, trade_row, wired

MODES, PAYMENTS = "/fapi/v1/positionSide/dual", "/fapi/v1/income"
HOUR_MS = 3_600_000


async def test_a_start_reads_the_modes_of_what_is_held_once_and_again_after_five_minutes() -> None:
    clock = VirtualClock(START_MS)
    connection, wire = wired(clock)
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    gateway = connection.gateway
    for _ in range(2):
        await gateway.account()
    await gateway.sweep(BTC)
    await gateway.refresh()
    assert len(wire.sent("GET", MODES)) == 1
    clock.advance(300_000)
    await gateway.refresh()
    assert len(wire.sent("GET", MODES)) == 2


async def test_payments_are_asked_for_once_while_a_wallet_changes_and_none_can_have_been_paid() -> None:
    clock = VirtualClock(START_MS)
    connection, wire = wired(clock)
    gateway, wallets = connection.gateway, count(101)
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    await gateway.account()
    gateway.book.saw(START_MS)
    asked = len(wire.sent("GET", PAYMENTS))
    wire.answers["GET /fapi/v3/positionRisk"] = lambda _: [position_row(wallet=f"{next(wallets)}.0")]
    await gateway.sweep(BTC)
    assert len(wire.sent("GET", PAYMENTS)) == asked + 1
    gateway.book.saw(START_MS - START_MS % HOUR_MS + HOUR_MS)
    await gateway.sweep(BTC)
    assert len(wire.sent("GET", PAYMENTS)) > asked + 1, "an hour has turned"


async def test_payments_that_a_sweep_asks_for_are_as_urgent_as_it_is() -> None:
    connection, wire = wired(VirtualClock(START_MS))
    gateway, wallets, urgencies = connection.gateway, count(101), list[Urgency]()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    await gateway.account()
    wire.answers["GET /fapi/v3/positionRisk"] = lambda _: [position_row(wallet=f"{next(wallets)}.0")]
    wire.answers["GET /fapi/v1/income"] = lambda _: urgencies.append(urgency_now.get()) or []
    await gateway.sweeper.sweep(BTC, Urgency.URGENT)
    assert set(urgencies) == {Urgency.URGENT}


async def test_a_proof_leaves_payments_to_other_readings_while_the_wallet_stands_still() -> None:
    clock = VirtualClock(START_MS)
    connection, wire = wired(clock)
    gateway = connection.gateway
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    await gateway.account()
    gateway.book.settled(BTC, START_MS + HOUR_MS, clock.now_ms())
    asked = len(wire.sent("GET", PAYMENTS))
    await gateway.sweep_behind(BTC, Urgency.PROOF)
    assert len(wire.sent("GET", PAYMENTS)) == asked
    await gateway.sweep_behind(BTC, Urgency.POLL)
    assert len(wire.sent("GET", PAYMENTS)) == asked + 1
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row(wallet="117.0")]
    await gateway.sweep_behind(BTC, Urgency.PROOF)
    assert len(wire.sent("GET", PAYMENTS)) > asked + 1


async def test_a_poll_that_finds_a_fill_goes_on_as_news() -> None:
    connection, wire = wired(VirtualClock(START_MS))
    gateway, urgencies = connection.gateway, list[Urgency]()
    wire.answers["GET /fapi/v3/positionRisk"] = [position_row()]
    await gateway.account()
    wire.answers["GET /fapi/v3/positionRisk"] = lambda _: (
        urgencies.append(urgency_now.get()) or [position_row()]
    )
    wire.answers["GET /fapi/v1/userTrades"] = [trade_row(5, 77)]
    wire.answers["GET /fapi/v1/order"] = order_row("RFT0000001E")
    await gateway.sweep_behind(BTC, Urgency.POLL)
    assert len(urgencies) > 1
    assert (urgencies[0], {*urgencies[1:]}) == (Urgency.POLL, {Urgency.NORMAL})
