"""A real ccxt client whose requests are written down instead of sent, and answered from a script."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from bot.clock import VirtualClock
from bot.exchange.connect import DIALECTS, Credentials, link_to, venue_of
from bot.exchange.dialect import AccountDialect
from bot.exchange.hosts import Access
from bot.exchange.link import Link

CANARY = Credentials("CANARYKEY01", "CANARYSECRET01", "CANARYPASS01", "0x" + "11" * 20, "0x" + "ab" * 32)
START_MS = 1_700_000_000_000


class Sent(NamedTuple):
    """A request: `query` and `body` as the venue reads them."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


class Recorder:
    """`answers` by "METHOD /path"; whatever is not there is answered with nothing said."""

    def __init__(self, venue_id: str, market: Mapping[str, Any], answers: Mapping[str, Any]) -> None:
        access = Access("loopback", "http://127.0.0.1:1")
        self.link: Link
        self.link, self.lane = link_to(venue_of(venue_id), access, CANARY, VirtualClock(START_MS))
        self.dialect: AccountDialect = DIALECTS[venue_id]()
        self.client = self.link.client
        self.client.set_markets([market_row(self.client, market)])
        self.client.fetch = self._fetch
        self.answers, self.sent, self.raw = dict(answers), list[Sent](), list[str]()

    async def _fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        parts = urlsplit(url)
        self.raw.append(f"{url} {body}")
        said = json.loads(body) if body else None
        self.sent.append(Sent(method, parts.path, dict(parse_qsl(parts.query)), said))
        answer = self.answers[f"{method} {parts.path}"]
        answer = answer(said) if callable(answer) else answer
        text = json.dumps(answer)
        self.client.handle_errors(200, "", url, method, {}, text, answer, headers, body)
        return answer

    @property
    def trading(self) -> Any:
        """Return the dialect of a venue that is traded on: it does more than every account's."""
        return self.dialect

    def take(self) -> list[Sent]:
        """Return what was sent since the last time."""
        found, self.sent[:] = list(self.sent), []
        return found

    def take_changes(self) -> list[Sent]:
        """Return what was sent to change something since the last time."""
        return [each for each in self.take() if each.method != "GET"]


def market_row(client: Any, market: Mapping[str, Any]) -> dict[str, Any]:
    """Return a linear perpetual as ccxt keeps it; what is special is given."""
    settle = market.get("settle", "USDT")
    return {
        **client.safe_market_structure(),
        "symbol": f"BTC/{settle}:{settle}",
        "base": "BTC",
        "quote": settle,
        "settle": settle,
        "baseId": "BTC",
        "baseName": "BTC",
        "quoteId": settle,
        "settleId": settle,
        "type": "swap",
        "spot": False,
        "margin": False,
        "swap": True,
        "future": False,
        "option": False,
        "contract": True,
        "linear": True,
        "inverse": False,
        "active": True,
        "contractSize": 1.0,
        "maker": 0.0002,
        "taker": 0.0005,
        "precision": {"amount": 0.001, "price": 0.1},
        "limits": {"amount": {"min": 0.001}, "price": {}, "cost": {"min": 5.0}, "leverage": {"max": 100}},
        "info": {},
        **market,
    }
