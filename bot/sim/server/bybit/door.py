"""The door of the REST API: limits, keys, signatures and faults before anything is answered."""

from typing import Any, Final, NamedTuple

import orjson

from bot.sim.server.asgi import Reply
from bot.sim.server.auth import ApiKey, is_signed
from bot.sim.server.bybit.desk import Desk
from bot.sim.server.bybit.errors import (
    BAD_KEY,
    BAD_SIGNATURE,
    INVALID_PARAMETER,
    INVALID_TIME,
    KEY_EXPIRED,
    NO_SUCH_PATH,
    PERMISSION_DENIED,
    SYSTEM_ERROR,
    TOO_MANY_FROM_ADDRESS,
    TOO_MANY_VISITS,
    ApiError,
)
from bot.sim.server.bybit.routes import Endpoint
from bot.sim.server.bybit.wire import parsed
from bot.sim.server.faults import Fault, Faults, answer_with_fault
from bot.sim.server.limits import Ban, Counter, Window

_RECV_WINDOW_MS: Final = 5_000
_MOST_RECV_WINDOW_MS: Final = 60_000
_FUTURE_MS: Final = 1_000
_BAN_MS: Final = 600_000


class Rates(NamedTuple):
    """Most requests of an address in five seconds, and of the account a second per endpoint."""

    requests_per_five_seconds: int = 600
    orders_per_second: int = 20
    others_per_second: int = 50


class Auth(NamedTuple):
    key: str
    timestamp: str
    recv_window: str
    signature: str


class Asked(NamedTuple):
    """A request as received; `auth` are the X-BAPI headers."""

    method: str
    path: str
    query: bytes
    body: bytes
    auth: Auth


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
        self._desk, self._endpoints, self._faults, self._rates = desk, endpoints, faults, rates
        self._keys = {key.key: key for key in keys}
        self._address = Counter(Window(5_000, rates.requests_per_five_seconds))
        self._counters: dict[str, Counter] = {}
        self._ban = Ban(desk.clock, 0, _BAN_MS)

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
            return self._reply(200, 0, "OK", self._answer(asked), asked)
        except ApiError as error:
            return self._reply(error.status, error.number, error.message, error.result, asked)

    def is_key(self, key: str, payload: bytes, signature: str) -> bool:
        """Return whether a stream's login is signed by a known key."""
        known = None if self._desk.is_key_revoked else self._keys.get(key)
        return known is not None and is_signed(payload, signature, known.secret)

    def _refuse(self, asked: Asked, fault: Fault) -> Reply:
        if fault.kind == "rate_limited":
            return self._reply(200, TOO_MANY_VISITS.number, TOO_MANY_VISITS.message, {}, asked)
        if fault.kind == "banned":
            code = TOO_MANY_FROM_ADDRESS
            return self._reply(403, code.number, code.message, {}, asked)
        code = fault.code if fault.code > 0 else SYSTEM_ERROR.number
        return self._reply(fault.status, code, SYSTEM_ERROR.message, {}, asked)

    def _answer(self, asked: Asked) -> Any:
        if self._faults.is_in_maintenance:
            raise ApiError(SYSTEM_ERROR, status=503)
        self._count_address()
        endpoint = self._endpoints.get((asked.method, asked.path))
        if endpoint is None:
            raise ApiError(NO_SUCH_PATH, status=404)
        if endpoint.is_signed:
            self._desk.exchange.asked_ms = self._desk.clock.now_ms()
            self._check_key(endpoint, asked)
            self._count(endpoint, asked.path)
        params = parsed(asked.method, asked.query, asked.body)
        if not endpoint.is_change:
            return endpoint.answer(self._desk, params)
        try:
            return endpoint.answer(self._desk, params)
        finally:
            self._desk.exchange.commit()

    def _count_address(self) -> None:
        now_ms = self._desk.clock.now_ms()
        if self._ban.is_on:
            raise ApiError(TOO_MANY_FROM_ADDRESS, status=403)
        if not self._address.add(1, now_ms):
            self._ban.note_excess()
            raise ApiError(TOO_MANY_FROM_ADDRESS, status=403)

    def _count(self, endpoint: Endpoint, path: str) -> None:
        most = self._rates.orders_per_second if endpoint.is_order else self._rates.others_per_second
        counter = self._counters.setdefault(path, Counter(Window(1_000, most)))
        if not counter.add(1, self._desk.clock.now_ms()):
            raise ApiError(TOO_MANY_VISITS)

    def _check_key(self, endpoint: Endpoint, asked: Asked) -> None:
        auth = asked.auth
        key = self._keys.get(auth.key)
        if key is None:
            raise ApiError(BAD_KEY)
        if self._desk.is_key_revoked:
            raise ApiError(KEY_EXPIRED)
        said = asked.body if asked.method == "POST" else asked.query
        payload = f"{auth.timestamp}{auth.key}{auth.recv_window}".encode() + said
        if not is_signed(payload, auth.signature, key.secret):
            raise ApiError(BAD_SIGNATURE)
        self._check_time(auth)
        if endpoint.is_change and not self._desk.may_trade:
            raise ApiError(PERMISSION_DENIED)

    def _check_time(self, auth: Auth) -> None:
        try:
            sent_ms, window_ms = int(auth.timestamp), int(auth.recv_window or _RECV_WINDOW_MS)
        except ValueError:
            raise ApiError(INVALID_PARAMETER, why="the timestamp is no number") from None
        now_ms = self._desk.clock.now_ms()
        is_late = now_ms - sent_ms > min(window_ms, _MOST_RECV_WINDOW_MS)
        if is_late or sent_ms >= now_ms + _FUTURE_MS:
            raise ApiError(INVALID_TIME)

    def _reply(self, status: int, code: int, message: str, result: Any, asked: Asked) -> Reply:
        now_ms = self._desk.clock.now_ms()
        envelope = {
            "retCode": code,
            "retMsg": message,
            "result": result,
            "retExtInfo": {},
            "time": now_ms,
        }
        headers = [(b"content-type", b"application/json; charset=utf-8")]
        counter = self._counters.get(asked.path)
        if counter is not None:
            headers += _limit_headers(counter, now_ms)
        return Reply(status, orjson.dumps(envelope), headers)


def _limit_headers(counter: Counter, now_ms: int) -> list[tuple[bytes, bytes]]:
    most = counter.window.most
    left = max(most - counter.used(now_ms), 0)
    return [
        (b"x-bapi-limit", str(most).encode()),
        (b"x-bapi-limit-status", str(left).encode()),
        (b"x-bapi-limit-reset-timestamp", str(now_ms + counter.left_ms(now_ms)).encode()),
    ]
