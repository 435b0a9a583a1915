"""A request on its way, what it is about, and what may happen to it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, NamedTuple

from bot.exchange.dialects.hyperliquid_ids import client_id_of

# Subject of a request by path; the first that matches. Bybit and OKX say the rest in the body.
_SUBJECTS: Final = (
    ("time", r"/(v1/time|market/time|public/time)$"),
    ("listen_key", r"/listenKey$"),
    ("rights", r"/(apiRestrictions|query-api)$"),
    ("margin", r"/(v1/positionMargin|position/add-margin|position/margin-balance)$"),
    ("margin_history", r"/(positionMargin/history|transaction-log|account/bills)"),
    ("leverage", r"/(v1/leverage|position/set-leverage|account/set-leverage)$"),
    ("mode", r"/(marginType|positionSide/dual|set-margin-mode|switch-mode|set-position-mode)$"),
    ("position", r"/(positionRisk|position/list|account/positions)$"),
    ("trades", r"/(userTrades|execution/list|trade/fills|trade/fills-history)$"),
    ("money", r"/(v[23]/account|v[23]/balance|wallet-balance|account/balance)$"),
    ("candles", r"/(klines|market/kline|market/candles|market/history-candles)$"),
    ("stop", r"/(algoOrder|trading-stop|order-algo)$"),
    ("cancel", r"/(order/cancel|cancel-order|cancel-algos)$"),
    ("order", r"/(v1/order|order/create|trade/order)$"),
    ("orders", r"/(openOrders|openAlgoOrders|order/realtime|orders-pending|orders-algo-pending)$"),
    ("metadata", r"/(exchangeInfo|leverageBracket|instruments|instruments-info|risk-limit|position-tiers)$"),
)
_COMPILED: Final = tuple((name, re.compile(pattern)) for name, pattern in _SUBJECTS)
# Hyperliquid has two paths; what a request is about stands in its body.
_QUESTIONS: Final = {
    "exchangeStatus": "time",
    "meta": "metadata",
    "metaAndAssetCtxs": "metadata",
    "candleSnapshot": "candles",
    "clearinghouseState": "position",  # and the money
    "frontendOpenOrders": "orders",
    "orderStatus": "order",
    "userFillsByTime": "trades",
}
_ACTIONS: Final = {
    "cancel": "cancel",
    "cancelByCloid": "cancel",
    "updateLeverage": "leverage",
    "updateIsolatedMargin": "margin",
}
_TYPE: Final = re.compile(r'"type":\s*"(\w+)"')
_CLOID: Final = re.compile(r"0x[0-9a-f]{32}(?![0-9a-f])")
_READ_ONLY: Final = frozenset({"time", "listen_key"})


@dataclass(slots=True)
class Call:
    """One HTTP request. `kind`: entry, exit, stop, cancel, margin, leverage, mode, read:position, ...

    `status` and `wait_s`, what the venue asked to wait: once it is answered.
    """

    number: int
    process: Any
    method: str
    path: str
    query: str
    body: str
    headers: Mapping[str, str]
    kind: str = ""
    sent_ms: int = 0
    status: int = 0
    wait_s: float = 0.0

    @property
    def text(self) -> str:
        """Everything that was said, with our ids as we write them."""
        return readable(f"{self.query}&{self.body}")

    @property
    def is_write(self) -> bool:
        """Whether it changes the account."""
        return not self.kind.startswith("read:")


@dataclass(slots=True)
class Answer:
    """An HTTP reply; `status` 0: the venue cut the connection."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


EffectKind = Literal[
    "no_route",
    "lost",
    "reply_lost",
    "cut",
    "late",
    "slow",
    "twice",
    "answered",
    "answered_after",
    "truncated",
    "changed",
]


class Effect(NamedTuple):
    """What happens to a call.

    no_route: it cannot be sent. lost: it never arrives. reply_lost, cut: it arrives, and no reply or a reset
    comes back. late: the reply takes `delay_s` more; slow: the request does. twice: it arrives twice.
    answered: `answer` instead of the venue's, unread. answered_after: the same after it was carried out.
    truncated: half of the reply. changed: the reply goes through `change`.
    """

    kind: EffectKind
    delay_s: float = 0.0
    answer: Answer | None = None
    change: Callable[[Answer], Answer] | None = None


Disturbance = Callable[[Call], Effect | None]


def kind_of(method: str, path: str, text: str) -> str:
    """Return what a request is about."""
    if path == "/info":
        return f"read:{_QUESTIONS.get(_type(text), 'other')}"
    if path == "/exchange":
        return _ACTIONS.get(_type(text)) or _order_kind(text.replace('"r":', '"reduceOnly":'))
    subject = _subject(path)
    if method == "GET" or subject in _READ_ONLY:
        return f"read:{subject}"
    if method == "DELETE":
        return "cancel"
    if subject == "order":
        return _order_kind(text)
    return subject


def readable(text: str) -> str:
    """Return a text with Hyperliquid's 128 bits as the ids that they stand for."""
    return _CLOID.sub(lambda found: client_id_of(found[0]), text) if "0x" in text else text


def _type(text: str) -> str:
    found = _TYPE.search(text)
    return found[1] if found else ""


@cache
def _subject(path: str) -> str:
    return next((name for name, pattern in _COMPILED if pattern.search(path)), "other")


def _order_kind(text: str) -> str:
    low = text.replace('"', "").replace(" ", "").lower()
    if "trigger" in low.replace("triggerby", "") or "stoporder" in low:
        return "stop"
    return "exit" if re.search(r"reduceonly[=:]true", low) else "entry"
