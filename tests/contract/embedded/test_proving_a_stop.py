"""`ringfence doctor --prove-stop`: a far stop rests and goes on a new, flat account of each dialect."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.cli.venue_doctor import lines_of, proving
from bot.core.event import MarkPrice
from bot.exchange.examination import Line, Proof
from tests.contract.embedded.dialect_worlds import KEYS, VENUES, Spoken, serving

PROOF = Proof(True, "")


@pytest.fixture(params=VENUES)
async def spoken(request: Any) -> AsyncIterator[Spoken]:
    async with serving(request.param) as made:
        yield made


async def proved(spoken: Spoken) -> list[Line]:
    return await lines_of(spoken.ccxt_id, spoken.access, KEYS, (spoken.symbol,), PROOF)


async def test_on_a_new_account_a_far_stop_is_seen_to_rest_and_to_go(spoken: Spoken) -> None:
    lines = await proved(spoken)
    assert all(line.verdict == "ok" for line in lines if line.check == "stop"), lines[-1]
    assert "rested on the mark and was cancelled" in lines[-1].fact
    assert "not reduce-only" in lines[-1].fact
    (order,) = spoken.exchange.books.conditionals.values()
    quote = spoken.exchange.prices.of(spoken.symbol)
    instrument = spoken.exchange.state.instruments[spoken.symbol]
    assert (order.status, order.is_reduce_only, order.side) == ("cancelled", False, -1)
    assert order.trigger_price < 0.6 * quote.mark
    assert order.quantity * order.trigger_price < 2.0 * max(
        instrument.min_notional_quote, instrument.min_quantity * order.trigger_price
    )
    assert not list(spoken.exchange.state.orders)
    assert not spoken.exchange.state.positions


async def test_the_modes_that_were_set_are_said_and_the_next_doctor_finds_them(spoken: Spoken) -> None:
    before = await lines_of(spoken.ccxt_id, spoken.access, KEYS, (spoken.symbol,))
    was_unfit = any("cross" in line.fact for line in before if line.check == "modes")
    lines = await proved(spoken)
    said = [line.fact for line in lines if line.check == "modes" and "was set" in line.fact]
    assert len(said) == was_unfit
    after = await lines_of(spoken.ccxt_id, spoken.access, KEYS, (spoken.symbol,))
    assert next(line for line in after if line.check == "modes").fact.startswith(
        f"{spoken.symbol}: isolated, one-way"
    )


@pytest.mark.parametrize("kind", ["error_accepted", "lost"])
async def test_a_cancel_without_an_answer_leaves_nothing_that_could_open(kind: str) -> None:
    async with serving("binance") as spoken:
        fault = {"kind": kind, "method": "DELETE", "path": "/fapi/v1/algoOrder", "times": 1}
        spoken.control.run("fault", fault)
        assert (await proved(spoken))[-1].verdict == "wrong"
        assert not list(spoken.exchange.state.orders)


async def test_a_conditional_order_that_opens_does_so_when_its_price_comes(spoken: Spoken) -> None:
    """What the doctor cancels is a real order: had it triggered, it would have opened a short."""
    connection = spoken.connect()
    dialect, client = connection.gateway.dialect, connection.link.client
    try:
        await connection.gateway.instruments()
        await dialect.set_isolated(client, spoken.symbol, 5)
        instrument = spoken.exchange.state.instruments[spoken.symbol]
        quote = spoken.exchange.prices.of(spoken.symbol)
        trigger = round(quote.mark * 0.9 / instrument.tick_size) * instrument.tick_size
        order = entry(spoken.symbol, max(0.01, instrument.min_quantity), round(trigger))
        await dialect.create(client, order)
    finally:
        await client.close()
    low = order.trigger_price * 0.999
    spoken.exchange.apply(MarkPrice(spoken.exchange.market_ms + 1, spoken.symbol, low, low))
    held = spoken.exchange.state.positions[spoken.symbol]
    assert (held.side, held.quantity) == (-1, order.quantity)
    (child,) = [each for each in spoken.exchange.books.orders.values() if each.algo_id]
    assert (child.is_reduce_only, child.status) == (False, "filled")


def entry(symbol: str, quantity: float, trigger_price: float) -> Any:
    from bot.exchange.rows import NewOrder

    return NewOrder("RFtest0E", symbol, "stop", -1, quantity, False, trigger_price=trigger_price)


def test_the_next_step_is_the_command_that_was_given_and_the_flag() -> None:
    told = proving("okx", False, "http://127.0.0.1:8770", "ETH/USDT:USDT", None)
    base = "--base-url http://127.0.0.1:8770 --symbols ETH/USDT:USDT"
    assert told == f"ringfence doctor --venue okx {base} --prove-stop"
    assert proving("bybit", True, None, None, None) == "ringfence doctor --venue bybit --testnet --prove-stop"
