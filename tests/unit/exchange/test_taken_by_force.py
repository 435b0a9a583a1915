"""What Bybit took by force and is no liquidation of the whole position: its executions alone tell."""

import pytest

from bot.core.event import OrderFilled
from tests.unit.exchange.bybit_wire import execution_row, position_row, wired
from tests.unit.exchange.wire import BTC


@pytest.mark.parametrize(
    ("kind", "left", "name"), [("AdlTrade", "0", "adl-forced-1"), ("BustTrade", "0.05", "BustTrade-forced-1")]
)
async def test_what_the_venue_took_by_force_and_is_no_whole_liquidation_is_a_fill_that_says_so(
    kind: str, left: str, name: str
) -> None:
    connection, wire = wired()
    wire.holds(position_row())
    await connection.gateway.account()
    wire.holds(position_row(left))
    quantity = f"{0.1 - float(left):g}"
    taken = execution_row(5, "forced-1", side="Sell", execType=kind, execQty=quantity, execPnl="1")
    wire.lists("execution/list", taken)
    (fill,) = await connection.gateway.sweep(BTC)
    assert isinstance(fill, OrderFilled)
    assert (fill.leg, fill.client_id, fill.quantity) == ("exit", name, float(quantity))
