"""A message that ccxt cannot read: its reading must not end for ever with nobody told."""

from typing import Any

import ccxt

from bot.clock import VirtualClock
from bot.exchange.connect import connect
from bot.exchange.hosts import Access
from bot.exchange.streams import Streams
from tests.unit.exchange.recorder import CANARY, START_MS

LOGIN = {"event": "login", "code": "0", "msg": "", "connId": "a"}


class Socket:
    """An OKX connection on which a login was answered already: ccxt waits for no other answer."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.futures: dict[str, Any] = {}
        self.url = "ws://127.0.0.1:1/ws/v5/private"

    def on_error(self, error: Exception) -> None:
        self.errors.append(error)


def test_a_message_that_ccxt_cannot_read_breaks_the_connection_so_that_it_comes_back() -> None:
    access = Access("loopback", "http://127.0.0.1:1")
    connection = connect("okx", access, CANARY, ("BTC/USDT:USDT",), VirtualClock(START_MS))
    client, socket = connection.link.client, Socket()
    Streams(connection.link, connection.gateway.dialect, lambda _: None, lambda _: None)
    client.handle_message(socket, LOGIN)
    assert [type(error) for error in socket.errors] == [ccxt.NetworkError]
