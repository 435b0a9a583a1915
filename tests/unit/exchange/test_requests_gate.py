"""What leaves for Gate is what its documents ask for, compared whole: a field too many fails too."""

import ccxt
import pytest

from bot.core.position import Position
from bot.errors import UserError
from bot.exchange.rows import Settings
from tests.unit.exchange.documented import BTC, ENTRY, EXIT, FUTURES, PROFIT, STOP, gate, order, posted
from tests.unit.exchange.recorder import Sent


async def test_gate_is_isolated_by_a_leverage_above_zero_also_beyond_100() -> None:
    made = gate()
    for leverage in (10, 125):
        await made.dialect.set_isolated(made.client, BTC, leverage)
        path = f"{FUTURES}/positions/BTC_USDT/leverage"
        assert made.take_changes() == [Sent("POST", path, {"leverage": str(leverage)}, None)]
    await made.dialect.set_one_way(made.client)
    assert made.take() == [Sent("POST", f"{FUTURES}/dual_mode", {"dual_mode": "false"}, None)]


async def test_gate_orders_are_signed_whole_contracts() -> None:
    made = gate()
    await made.dialect.create(made.client, order("market", 1, 0.01))
    common = {"contract": "BTC_USDT", "price": "0", "tif": "ioc"}
    assert made.take() == posted(f"{FUTURES}/orders", **common, size=100, text=f"t-{ENTRY}")
    await made.dialect.create(made.client, order("market", -1, 0.01, is_reduce_only=True))
    assert made.take() == posted(f"{FUTURES}/orders", **common, size=-100, text=f"t-{EXIT}", reduce_only=True)


@pytest.mark.parametrize(
    ("kind", "side", "rule"),
    [("stop", -1, 2), ("stop", 1, 1), ("take_profit", -1, 1), ("take_profit", 1, 2)],
)
@pytest.mark.parametrize("quantity", [0.0, 0.01])
async def test_gate_stops_trigger_on_the_mark_and_close_inside_initial(
    kind: str, side: int, rule: int, quantity: float
) -> None:
    made = gate()
    await made.dialect.create(made.client, order(kind, side, quantity, trigger_price=49_000.0))
    size = side * 100 if quantity else 0
    close = {} if quantity else {"close": True}
    name = {"stop": STOP, "take_profit": PROFIT}[kind]
    assert made.take() == posted(
        f"{FUTURES}/price_orders",
        initial={
            "contract": "BTC_USDT",
            "size": size,
            "price": "0",
            "tif": "ioc",
            "text": f"t-{name}",
            "reduce_only": True,
            **close,
        },
        trigger={"strategy_type": 0, "price_type": 1, "price": "49000", "rule": rule},
    )


async def test_ccxt_itself_would_put_gates_close_where_it_is_not_looked_for() -> None:
    made = gate()
    await made.client.create_order(BTC, "market", "sell", 0, None, {"stopLossPrice": 49_000, "close": True})
    body = made.take()[0].body
    assert "close" not in body["initial"]
    assert body["trigger"]["price_type"] == 0, "and it triggers on the last price unless told otherwise"


async def test_gate_cancels_by_our_id_or_by_the_one_a_stop_got() -> None:
    made = gate()
    await made.dialect.cancel(made.client, BTC, ENTRY, False)
    contract = {"contract": "BTC_USDT"}
    assert made.take() == [Sent("DELETE", f"{FUTURES}/orders/t-{ENTRY}", contract, None)]
    made.answers[f"GET {FUTURES}/price_orders"] = []
    with pytest.raises(ccxt.OrderNotFound):
        await made.dialect.cancel(made.client, BTC, STOP, True)
    await made.dialect.create(made.client, order("stop", -1, 0.0, trigger_price=49_000.0))
    made.take()
    await made.dialect.cancel(made.client, BTC, STOP, True)
    assert made.take() == [Sent("DELETE", f"{FUTURES}/price_orders/71", contract, None)]


async def test_gate_margin_is_one_signed_change() -> None:
    made = gate()
    for amount, text in ((10.12345678, "10.12345678"), (-0.00000123, "-0.00000123")):
        await made.dialect.move_margin(made.client, BTC, 1, amount)
        assert made.take() == [Sent("POST", f"{FUTURES}/positions/BTC_USDT/margin", {"change": text}, None)]


async def test_a_gate_position_counts_contracts_and_leverage_zero_is_cross() -> None:
    made = gate()
    row = {"contract": "BTC_USDT", "size": -300, "leverage": "10", "margin": "12.5", "entry_price": "50000",
           "mode": "single", "open_time": 1_700_000_000}  # fmt: skip
    made.answers[f"GET {FUTURES}/positions"] = [row, {**row, "size": 0}]
    (held,) = await made.dialect.positions(made.client, {})
    assert held._replace(quantity=round(held.quantity, 12)) == Position(
        BTC, -1, 0.03, 50_000.0, 12.5, 10.0, 1_700_000_000_000
    )
    assert made.take() == [Sent("GET", f"{FUTURES}/positions", {"holding": "true"}, None)]
    for more, words in (({"leverage": "0"}, "cross"), ({"mode": "dual_long"}, "hedge")):
        made.answers[f"GET {FUTURES}/positions"] = [{**row, **more}]
        with pytest.raises(UserError, match=words):
            await made.dialect.positions(made.client, {})


@pytest.mark.parametrize(("leverage", "is_isolated"), [("0", False), ("25", True)])
async def test_gate_settings_tell_cross_by_leverage_zero(leverage: str, is_isolated: bool) -> None:
    made = gate()
    made.answers[f"GET {FUTURES}/positions/BTC_USDT"] = {"leverage": leverage, "mode": "single"}
    assert await made.dialect.settings(made.client, BTC) == Settings(int(leverage), is_isolated, True)
