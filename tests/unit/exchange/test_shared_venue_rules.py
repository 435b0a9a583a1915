"""What the dialects of several venues rely on: PnL that a venue does not say, and whose a socket is."""

from typing import Any

import pytest

from bot.core.position import Position
from bot.exchange.changes import realised_pnl
from bot.exchange.rows import Trade
from bot.exchange.streams import Streams
from tests.unit.exchange.wire import BTC, START_MS, wired

LONG = Position(BTC, 1, 0.1, 50_000.0, 500.0, 10.0, START_MS)


def fill(side: int, quantity: float, said: float | None) -> Trade:
    return Trade(START_MS, BTC, 1, "71", side, 50_500.0, quantity, 1.0, False, said)


@pytest.mark.parametrize(
    ("held", "trade", "expected"),
    [
        (LONG, fill(-1, 0.04, None), 20.0),
        (LONG, fill(-1, 0.2, None), 50.0),
        (LONG._replace(side=-1), fill(1, 0.04, None), -20.0),
        (LONG, fill(1, 0.04, None), 0.0),
        (None, fill(-1, 0.04, None), 0.0),
        (LONG, fill(-1, 0.04, 19.5), 19.5),
    ],
)
def test_what_the_venue_does_not_say_is_worked_out_against_the_entry(
    held: Position | None, trade: Trade, expected: float
) -> None:
    assert realised_pnl(held, trade) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("wss://a/v2/ws/private", "account"),
        ("wss://a/?token=t&privateChannel=true&connectId=privateFutures", "account"),
        ("wss://a/ws?listenKey=k", "account"),
        ("wss://a/?token=t&privateChannel=false&connectId=publicFutures", "marks"),
        ("wss://a/v2/ws/public", "marks"),
    ],
)
def test_a_silent_stream_breaks_its_own_socket_only(url: str, name: str) -> None:
    class Socket:
        broken = 0

        def on_error(self, _error: Exception) -> None:
            self.broken += 1

    connection, _ = wired()
    client: Any = connection.link.client
    socket = Socket()
    client.clients = {url: socket}
    streams = Streams(connection.link, connection.gateway.dialect, lambda _: None, lambda _: None)
    streams.renew("marks" if name == "account" else "account")
    assert socket.broken == 0
    streams.renew(name)
    assert socket.broken == 1
