"""How the API answers: JSON by orjson, and errors that say what is wrong and what to do next."""

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from bot.commands.order import OrderFault, Reason
from bot.errors import RingfenceError, UserError
from bot.redaction import without_secrets

_OPTIONS: Final = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
_TITLES: Final = {
    400: "Bad request",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Not JSON",
    421: "Unknown host name",
    422: "Not usable",
    429: "Too many attempts",
    500: "Internal error",
    503: "Not ready",
}
_OF_ORDERS: Final[dict[Reason, int]] = {"conflict": 409, "unknown": 404, "unusable": 422, "busy": 503}
_NEXT: Final = {
    400: "Correct the request.",
    401: "Log in, or send a bearer token.",
    403: "Use a token or a session that may do this, from the bot's own pages.",
    404: "Look up what there is.",
    405: "Use one of the methods of the Allow header.",
    413: "Send less.",
    415: "Send JSON with Content-Type: application/json.",
    421: "Open the address that the bot printed at its start.",
    422: "Correct the named field.",
    429: "Wait as long as Retry-After says.",
    500: "Look into the bot's log; trading goes on.",
    503: "Try again in a second.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong: `title` names the kind, `detail` the fact, `next_step` what to do."""

    title: str
    detail: str
    next_step: str


class Failure(HTTPException):
    """An answer that is an error, raised where it is found."""

    def __init__(
        self, status: int, detail: str, next_step: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)
        self.next_step = next_step


class Json(Response):
    """A JSON answer of plain values, dataclasses and NamedTuples; infinities and NaN are null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the bytes of the body."""
        return content if isinstance(content, bytes) else json_bytes(content)


def json_bytes(content: Any) -> bytes:
    """Return plain values, dataclasses and NamedTuples as JSON."""
    return orjson.dumps(content, default=_plain, option=_OPTIONS)


def problem(status: int, detail: str, next_step: str = "", headers: dict[str, str] | None = None) -> Response:
    """Return an answer that is an error."""
    title = _TITLES.get(status, "Error")
    body = Problem(title, without_secrets(detail), next_step or _NEXT.get(status, "Correct the request."))
    return Response(json_bytes(asdict(body)), status, headers=headers, media_type="application/problem+json")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of these errors."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _TITLES[status], "content": content} for status in statuses}


def answer_errors(app: Starlette) -> None:
    """Let every error of the application be told as a Problem, none with a traceback."""
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_input)
    app.add_exception_handler(OrderFault, _of_order)
    app.add_exception_handler(UserError, _of_user)
    app.add_exception_handler(RingfenceError, _of_bot)
    app.add_exception_handler(Exception, _of_defect)


async def _of_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    return problem(error.status_code, str(error.detail), getattr(error, "next_step", ""), headers)


async def _of_input(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    told = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5]]
    return problem(422, "; ".join(told))


async def _of_order(_request: Request, error: Exception) -> Response:
    assert isinstance(error, OrderFault)
    return problem(_OF_ORDERS[error.reason], str(error), error.next_step)


async def _of_user(_request: Request, error: Exception) -> Response:
    return problem(422, str(error))


async def _of_bot(_request: Request, error: Exception) -> Response:
    return problem(503, str(error))


async def _of_defect(_request: Request, error: Exception) -> Response:
    return problem(500, f"The bot could not answer this ({type(error).__name__}).")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if hasattr(value, "_asdict"):  # orjson takes no NamedTuple
        return value._asdict()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
