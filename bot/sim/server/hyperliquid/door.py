"""The door of the REST API: limits, nonces, faults before anything is answered.

An action must carry a signature of the venue's form and a nonce in the venue's window that was not used.
Who signed is NOT checked: that takes the recovery of a public key from an elliptic curve, which nothing in
this exchange does. Whoever reaches the port trades its one account.
"""

import re
from typing import Any, Final, NamedTuple

import orjson

from bot.core.timeframe import DAY_MS, MINUTE_MS
from bot.sim.server.asgi import Reply
from bot.sim.server.faults import Fault, Faults, answer_with_fault
from bot.sim.server.hyperliquid.desk import Desk
from bot.sim.server.hyperliquid.errors import Malformed, Refusal
from bot.sim.server.hyperliquid.routes import DONE, QUESTIONS, STATUSES
from bot.sim.server.hyperliquid.wire import Body, checked, needed, parsed, text, whole, whole_or
from bot.sim.server.limits import Counter, Window

USUAL_WEIGHT: Final = 1_200
_NONCE_PAST_MS: Final = 2 * DAY_MS
_NONCE_FUTURE_MS: Final = DAY_MS
_HEX: Final = re.compile(r"0x[0-9a-f]{1,64}")
_NO_PATH: Final = "no such path in Hyperliquid's dialect"
_SHUT: Final = "in maintenance"
_TOO_MANY: Final = "too many requests"


class Asked(NamedTuple):
    """A request as received."""

    method: str
    path: str
    body: bytes


class Door:
    """Answers one request at a time; only faults wait."""

    def __init__(self, desk: Desk, weight_per_minute: int, faults: Faults) -> None:
        self._desk, self._faults = desk, faults
        self._weight = Counter(Window(MINUTE_MS, weight_per_minute))

    async def answer(self, asked: Asked) -> Reply | None:
        """Return the reply, or None when the connection is to be cut."""
        fault = self._faults.take(asked.method, asked.path)
        if fault is None:
            return self.answer_now(asked)
        answer, refuse = lambda: self.answer_now(asked), lambda: _refused(fault)
        return await answer_with_fault(fault, self._faults, self._desk.clock, answer, refuse)

    def answer_now(self, asked: Asked) -> Reply:
        """Return the reply of a request without a fault."""
        if self._faults.is_in_maintenance:
            return _words(503, _SHUT)
        if asked.method != "POST" or asked.path not in ("/info", "/exchange"):
            return _words(404, _NO_PATH)
        try:
            body = parsed(asked.body)
            if not self._weight.add(_weight(asked.path, body), self._desk.clock.now_ms()):
                return _words(429, _TOO_MANY)
            return _reply(self._info(body) if asked.path == "/info" else self._exchange(body))
        except Malformed as error:
            return _words(422, str(error))

    # --- reads ------------------------------------------------------------------------------------

    def _info(self, body: Body) -> Any:
        kind = text(body, "type")
        if kind not in QUESTIONS:
            raise Malformed(f"Failed to deserialize the JSON body into the target type: {kind}")
        if "user" in body:
            self._desk.exchange.asked_ms = self._desk.clock.now_ms()
        return QUESTIONS[kind].answer(self._desk, body)

    # --- actions ----------------------------------------------------------------------------------

    def _exchange(self, body: Body) -> Any:
        self._desk.exchange.asked_ms = self._desk.clock.now_ms()
        try:
            self._check(body)
            return {"status": "ok", "response": self._done(checked(needed(body, "action")))}
        except Refusal as error:
            return {"status": "err", "response": str(error)}
        finally:
            self._desk.exchange.commit()

    def _done(self, action: Body) -> Any:
        kind = text(action, "type")
        if kind in STATUSES:
            name, do = STATUSES[kind]
            return {"type": name, "data": {"statuses": do(self._desk, action)}}
        if kind not in DONE:
            raise Malformed(f"Failed to deserialize the JSON body into the target type: {kind}")
        DONE[kind](self._desk, action)
        return {"type": "default"}

    def _check(self, body: Body) -> None:
        """Refuse an action that nobody signed, that has expired, or that came before."""
        signature, nonce = checked(needed(body, "signature")), whole(body, "nonce")
        desk, now_ms = self._desk, self._desk.clock.now_ms()
        is_form = all(_HEX.fullmatch(str(signature.get(name))) for name in ("r", "s"))
        if not is_form or signature.get("v") not in (27, 28):
            raise Malformed("Failed to deserialize the JSON body into the target type: field `signature`")
        if desk.is_key_revoked or not desk.may_trade:
            raise Refusal(f"User or API Wallet {desk.wallet} does not exist.")
        if not -_NONCE_PAST_MS < nonce - now_ms < _NONCE_FUTURE_MS:
            raise Refusal(f"Invalid nonce: {nonce} is out of the window")
        if now_ms > whole_or(body, "expiresAfter", 1 << 62):
            raise Refusal("Action has expired")
        if not desk.use_nonce(nonce):
            raise Refusal(f"Invalid nonce: {nonce} was used")


def _weight(path: str, body: Body) -> int:
    if path == "/exchange":
        return 1 + len(body.get("action", {}).get("orders") or ()) // 40
    question = QUESTIONS.get(str(body.get("type")))
    return 20 if question is None else question.weight


def _refused(fault: Fault) -> Reply:
    """The venue has one answer for too much, and none that bans."""
    if fault.kind in {"rate_limited", "banned"}:
        return _words(429, _TOO_MANY)
    return _words(fault.status, "injected")


def _reply(value: Any) -> Reply:
    return Reply(200, orjson.dumps(value), [(b"content-type", b"application/json")])


def _words(status: int, said: str) -> Reply:
    """Return what is said outside the application: words, and no JSON."""
    return Reply(status, said.encode(), [(b"content-type", b"text/plain; charset=utf-8")])
