"""The door of the REST API: limits, keys, signatures and faults before anything is answered."""

from typing import Any, Final, NamedTuple

import orjson

from bot.sim.server.asgi import Reply
from bot.sim.server.auth import ApiKey, is_signed, without_signature
from bot.sim.server.binance.desk import Desk
from bot.sim.server.binance.errors import (
    BAD_KEY,
    BAD_KEY_FORMAT,
    INVALID_SIGNATURE,
    INVALID_TIMESTAMP,
    MISSING,
    SHUTTING_DOWN,
    TOO_MANY_ORDERS,
    TOO_MANY_REQUESTS,
    ApiError,
    Code,
)
from bot.sim.server.binance.routes import Endpoint
from bot.sim.server.binance.wire import Params, parsed, whole, whole_or
from bot.sim.server.faults import Fault, Faults, answer_with_fault
from bot.sim.server.limits import Ban, Counter, Window

_RECV_WINDOW_MS: Final = 5_000
_MOST_RECV_WINDOW_MS: Final = 60_000
_FUTURE_MS: Final = 1_000
_TOLERATED_EXCESS: Final = 20
_BAN_MS: Final = 120_000
_MINUTE_MS: Final = 60_000


class Rates(NamedTuple):
    """Most request weight and orders a minute, and orders in ten seconds."""

    weight_per_minute: int = 2_400
    orders_per_minute: int = 1_200
    orders_per_ten_seconds: int = 300


class Asked(NamedTuple):
    """A request as received."""

    method: str
    path: str
    query: bytes
    body: bytes
    api_key: str


class Door:
    """Answers one request at a time; only faults wait."""

    def __init__(
        self,
        desk: Desk,
        endpoints: dict[tuple[str, str], Endpoint],
        keys: tuple[ApiKey, ...],
        rates: Rates,
        faults: Faults,
    ) -> None:
        self._desk, self._endpoints, self._faults = desk, endpoints, faults
        self._keys = {key.key: key for key in keys}
        self._weight = Counter(Window(_MINUTE_MS, rates.weight_per_minute))
        self._orders_minute = Counter(Window(_MINUTE_MS, rates.orders_per_minute))
        self._orders_short = Counter(Window(10_000, rates.orders_per_ten_seconds))
        self._ban = Ban(desk.clock, _TOLERATED_EXCESS, _BAN_MS)
        desk.rate_limits = _rate_limit_rows(rates)

    async def answer(self, asked: Asked) -> Reply | None:
        """Return the reply, or None when the connection is to be cut."""
        fault = self._faults.take(asked.method, asked.path)
        if fault is None:
            return self.answer_now(asked)
        answer, refuse = lambda: self.answer_now(asked), lambda: self._refuse(asked, fault)
        return await answer_with_fault(fault, self._faults, self._desk.clock, answer, refuse)

    def answer_now(self, asked: Asked) -> Reply:
        """Return the reply of a request without a fault."""
        try:
            return self._reply(200, self._answer(asked), asked)
        except ApiError as error:
            return self._reply(error.status, error.body(), asked, error.retry_after_s)

    def _refuse(self, asked: Asked, fault: Fault) -> Reply:
        if fault.kind in {"rate_limited", "banned"}:
            status = 429 if fault.kind == "rate_limited" else 418
            body = ApiError(
                TOO_MANY_REQUESTS, limit=self._weight.window.most, what="request weight per 1 MINUTE"
            )
            return self._reply(status, body.body(), asked, max(fault.delay_ms // 1000, 1))
        return self._reply(fault.status, {"code": fault.code, "msg": "An unknown error occurred."}, asked)

    def _answer(self, asked: Asked) -> Any:
        if self._faults.is_in_maintenance:
            raise ApiError(SHUTTING_DOWN, status=503)
        endpoint = self._endpoints.get((asked.method, asked.path))
        if endpoint is None:
            raise ApiError(Code(-5000, f"Path {asked.path}, Method {asked.method} is invalid"), status=404)
        params = parsed(asked.query, asked.body)
        self._count(endpoint, params)
        if endpoint.security != "none":
            self._desk.exchange.asked_ms = self._desk.clock.now_ms()
            self._check_key(endpoint, asked, params)
        if not endpoint.is_change:
            return endpoint.answer(self._desk, params)
        try:
            return endpoint.answer(self._desk, params)
        finally:
            self._desk.exchange.commit()

    def _count(self, endpoint: Endpoint, params: Params) -> None:
        now_ms = self._desk.clock.now_ms()
        if self._ban.is_on:
            raise self._banned(now_ms)
        if not self._weight.add(endpoint.cost(params), now_ms):
            if self._ban.note_excess():
                raise self._banned(now_ms)
            limit = self._weight.window.most
            wait_s = self._weight.left_ms(now_ms) // 1000 + 1
            what = "request weight per 1 MINUTE"
            raise ApiError(TOO_MANY_REQUESTS, 429, wait_s, limit=limit, what=what)
        self._ban.note_calm()
        if endpoint.orders:
            self._count_orders(endpoint.orders, now_ms)

    def _count_orders(self, orders: int, now_ms: int) -> None:
        for counter, what in ((self._orders_short, "10 SECONDS"), (self._orders_minute, "1 MINUTE")):
            if not counter.add(orders, now_ms):
                wait_s = counter.left_ms(now_ms) // 1000 + 1
                raise ApiError(TOO_MANY_ORDERS, 429, wait_s, limit=counter.window.most, what=what)

    def _banned(self, now_ms: int) -> ApiError:
        until_ms = self._ban.until_ms
        code = Code(-1003, f"Way too many requests; IP(127.0.0.1) banned until {until_ms}.")
        return ApiError(code, 418, (until_ms - now_ms) // 1000 + 1)

    def _check_key(self, endpoint: Endpoint, asked: Asked, params: Params) -> None:
        if not asked.api_key:
            raise ApiError(BAD_KEY_FORMAT, status=401)
        key = None if self._desk.is_key_revoked else self._keys.get(asked.api_key)
        if key is None or (endpoint.is_change and endpoint.security == "signed" and not self._desk.may_trade):
            raise ApiError(BAD_KEY, status=401)
        if endpoint.security == "key":
            return
        signature = params.get("signature", "")
        if not signature:
            raise ApiError(MISSING, name="signature")
        payload = without_signature(asked.query) + without_signature(asked.body)
        if not is_signed(payload, signature, key.secret):
            raise ApiError(INVALID_SIGNATURE)
        self._check_time(params)

    def _check_time(self, params: Params) -> None:
        sent_ms = whole(params, "timestamp")
        window_ms = whole_or(params, "recvWindow", _RECV_WINDOW_MS)
        now_ms = self._desk.clock.now_ms()
        is_late = now_ms - sent_ms > min(window_ms, _MOST_RECV_WINDOW_MS)
        if is_late or sent_ms >= now_ms + _FUTURE_MS:
            raise ApiError(INVALID_TIMESTAMP)

    def _reply(self, status: int, value: Any, asked: Asked, retry_after_s: int = 0) -> Reply:
        now_ms = self._desk.clock.now_ms()
        headers = [
            (b"content-type", b"application/json;charset=UTF-8"),
            (b"x-mbx-used-weight-1m", str(self._weight.used(now_ms)).encode()),
        ]
        endpoint = self._endpoints.get((asked.method, asked.path))
        if endpoint is not None and endpoint.orders:
            headers.append((b"x-mbx-order-count-10s", str(self._orders_short.used(now_ms)).encode()))
            headers.append((b"x-mbx-order-count-1m", str(self._orders_minute.used(now_ms)).encode()))
        if retry_after_s:
            headers.append((b"retry-after", str(retry_after_s).encode()))
        return Reply(status, orjson.dumps(value), headers)


def _rate_limit_rows(rates: Rates) -> list[dict[str, Any]]:
    rows = (
        ("REQUEST_WEIGHT", "MINUTE", 1, rates.weight_per_minute),
        ("ORDERS", "MINUTE", 1, rates.orders_per_minute),
        ("ORDERS", "SECOND", 10, rates.orders_per_ten_seconds),
    )
    return [
        {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
        for kind, interval, number, limit in rows
    ]
