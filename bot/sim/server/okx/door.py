"""The door of the REST API: rates, keys, signatures and faults before anything is answered."""

import base64
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson

from bot.sim.server.asgi import Reply
from bot.sim.server.auth import ApiKey
from bot.sim.server.faults import Fault, Faults, answer_with_fault
from bot.sim.server.limits import Counter, Window
from bot.sim.server.okx.desk import Desk
from bot.sim.server.okx.errors import (
    BAD_KEY,
    BAD_PASSPHRASE,
    BAD_SIGN,
    BAD_TIMESTAMP,
    EXPIRED,
    KEY_GONE,
    MAINTENANCE,
    NO_KEY,
    NO_PASSPHRASE,
    NO_SIGN,
    NO_TIMESTAMP,
    NOT_THIS_KEY,
    TOO_MANY,
    ApiError,
    Code,
)
from bot.sim.server.okx.routes import Endpoint
from bot.sim.server.okx.wire import Params, asked_for

VALID_MS: Final = 30_000
_RATE_MS: Final = 2_000
_FAILED, _PARTLY = "1", "2"


class Asked(NamedTuple):
    """A request as received; headers in small letters."""

    method: str
    path: str
    query: bytes
    body: bytes
    headers: dict[str, str]


class Door:
    """Answers one request at a time; only faults wait. `allowance` multiplies the documented rates."""

    def __init__(
        self,
        desk: Desk,
        endpoints: dict[tuple[str, str], Endpoint],
        keys: Sequence[ApiKey],
        allowance: float,
        faults: Faults,
    ) -> None:
        self._desk, self._endpoints, self._faults = desk, endpoints, faults
        self._keys = {key.key: key for key in keys}
        self._counters = {
            name: Counter(Window(_RATE_MS, max(int(endpoint.most * allowance), 1)))
            for name, endpoint in endpoints.items()
        }

    async def answer(self, asked: Asked) -> Reply | None:
        """Return the reply, or None when the connection is to be cut."""
        fault = self._faults.take(asked.method, asked.path)
        if fault is None:
            return self.answer_now(asked)
        return await answer_with_fault(
            fault, self._faults, self._desk.clock, lambda: self.answer_now(asked), lambda: _refused(fault)
        )

    def answer_now(self, asked: Asked) -> Reply:
        """Return the reply of a request without a fault."""
        try:
            return _reply(200, self._answer(asked))
        except ApiError as error:
            return _reply(error.status, error.body())

    def _answer(self, asked: Asked) -> dict[str, Any]:
        if self._faults.is_in_maintenance:
            raise ApiError(MAINTENANCE, 503)
        name = (asked.method, asked.path)
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            raise ApiError(Code("50404", "Not Found"), 404)
        if not self._counters[name].add(1, self._desk.clock.now_ms()):
            raise ApiError(TOO_MANY, 429)
        if endpoint.is_signed:
            self._desk.exchange.asked_ms = self._desk.clock.now_ms()
            self._check_signed(endpoint, asked)
        parts = asked_for(asked.query, asked.body)
        if not endpoint.is_change:
            return _enveloped(endpoint.answer(self._desk, parts[0]))
        try:
            return self._changed(endpoint, parts)
        finally:
            self._desk.exchange.commit()

    def _changed(self, endpoint: Endpoint, parts: list[Params]) -> dict[str, Any]:
        if not endpoint.is_row:
            return _enveloped(endpoint.answer(self._desk, parts[0]))
        rows = [self._row(endpoint, part) for part in parts]
        failed = sum(row["sCode"] != "0" for row in rows)
        if not failed:
            return _enveloped(rows)
        code = _FAILED if failed == len(rows) else _PARTLY
        return {"code": code, "msg": "All operations failed" if code == _FAILED else "", "data": rows}

    def _row(self, endpoint: Endpoint, params: Params) -> dict[str, Any]:
        try:
            return endpoint.answer(self._desk, params)
        except ApiError as error:
            ids = {name: params.get(name, "") for name in ("ordId", "clOrdId", "algoId", "algoClOrdId")}
            return {**ids, "tag": "", "sCode": error.number, "sMsg": error.message}

    # --- keys -------------------------------------------------------------------------------------

    def _check_signed(self, endpoint: Endpoint, asked: Asked) -> None:
        headers = asked.headers
        for name, missing in HEADERS.items():
            if not headers.get(name):
                raise ApiError(missing, 401)
        stamp = headers["ok-access-timestamp"]
        self._check_time(stamp)
        query = f"?{asked.query.decode('latin-1')}" if asked.query else ""
        payload = f"{stamp}{asked.method}{asked.path}{query}".encode() + asked.body
        key = self.checked_key(headers["ok-access-key"], headers["ok-access-passphrase"])
        if not is_signed(payload, headers["ok-access-sign"], key.secret):
            raise ApiError(BAD_SIGN, 401)
        if endpoint.is_change and not self._desk.may_trade:
            raise ApiError(NOT_THIS_KEY, 401)

    def checked_key(self, name: str, passphrase: str) -> ApiKey:
        """Return the key of this name. ApiError: there is none, or its passphrase is another."""
        key = self._keys.get(name)
        if key is None:
            raise ApiError(BAD_KEY, 401)
        if self._desk.is_key_revoked:
            raise ApiError(KEY_GONE, 401)
        if not hmac.compare_digest(passphrase, key.passphrase):
            raise ApiError(BAD_PASSPHRASE, 401)
        return key

    def _check_time(self, stamp: str) -> None:
        try:
            sent_ms = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp() * 1000
        except ValueError:
            raise ApiError(BAD_TIMESTAMP, 401) from None
        if abs(self._desk.clock.now_ms() - sent_ms) > VALID_MS:
            raise ApiError(EXPIRED, 401)


HEADERS: Final = {
    "ok-access-key": NO_KEY,
    "ok-access-passphrase": NO_PASSPHRASE,
    "ok-access-sign": NO_SIGN,
    "ok-access-timestamp": NO_TIMESTAMP,
}


def is_signed(payload: bytes, signature: str, secret: str) -> bool:
    """Return whether `signature` is the base64 HMAC-SHA256 of `payload`, in constant time."""
    expected = base64.b64encode(hmac.digest(secret.encode(), payload, "sha256"))
    return hmac.compare_digest(expected, signature.encode())


def _enveloped(data: Any) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": data}


def _refused(fault: Fault) -> Reply:
    if fault.kind in {"rate_limited", "banned"}:
        return _reply(429, ApiError(TOO_MANY).body())
    code = "50004" if fault.code == _USUAL_CODE else str(abs(fault.code))
    return _reply(fault.status, {"code": code, "msg": "Endpoint request timeout", "data": []})


_USUAL_CODE: Final = Fault("error").code


def _reply(status: int, value: dict[str, Any]) -> Reply:
    return Reply(status, orjson.dumps(value), [(b"content-type", b"application/json")])
