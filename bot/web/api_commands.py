"""Orders: halt, resume, flatten, acknowledge; and add, release, reduce, close for one position."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Body, Depends, Header, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from bot.commands.order import Order, Proposal, Taken
from bot.commands.proposals import OF_A_POSITION, of_position, outcome
from bot.store.alerts import told_alerts
from bot.store.reader import Reader
from bot.web.access import Bot, known_caller, permitted, reads
from bot.web.answers import Failure, Json, documented
from bot.web.caller import Caller
from bot.web.office import Office

router = APIRouter(tags=["orders"], dependencies=[Depends(known_caller)])

_GUARDING: Final = ("halt", "acknowledge")
_ERRORS: Final = documented(400, 401, 403, 409, 413, 415, 422, 503)

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=128,
        pattern=r"^[!-~]+$",
        description="A new one for each order; the same again gives the same order only once.",
    ),
]


class Ordered(BaseModel):
    """An order. `level`: of a halt. `symbol`, with `amount_quote` (add, release) or `fraction` (reduce): of
    one position. `alert_ids`: of an acknowledgement, all that are open without them."""

    verb: Literal["halt", "resume", "flatten", "acknowledge", "add", "release", "reduce", "close"]
    level: Literal["NO_ENTRY", "REDUCE_ONLY", "DISCONNECTED"] = "NO_ENTRY"
    message: str = Field("", max_length=200)
    symbol: str = Field("", max_length=64)
    amount_quote: float | None = Field(None, gt=0.0, le=1e12, allow_inf_nan=False)
    fraction: float | None = Field(None, gt=0.0, le=1.0, allow_inf_nan=False)
    alert_ids: list[Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]] | None = Field(None, max_length=1_000)
    confirm: str | None = Field(None, max_length=100)


@router.post(
    "/api/commands",
    response_model=Taken,
    status_code=202,
    responses={200: {"model": Proposal, "description": "It is to be confirmed."}, **_ERRORS},
)
async def order(bot: Bot, request: Request, key: Key, asked: Annotated[Ordered, Body()]) -> Response:
    """Give an order; what moves money answers 200 with a proposal, to be confirmed."""
    caller = _permitted(request, asked.verb)
    body = asked.model_dump_json(exclude={"confirm"})
    known = bot.orders.known(caller.name, key, body)
    if known is not None:
        return Json(known, 202)
    wanted = await _checked(bot, asked)
    if _asks(bot, wanted):
        if asked.confirm is None:
            seen = outcome(bot.watched, bot.boards.maker, wanted)
            return Json(bot.orders.propose(caller.name, wanted, seen.before, seen.after, seen.words))
        bot.orders.check_confirmed(caller.name, wanted, asked.confirm)
    taken = await bot.orders.place(caller.name, key, body, wanted, bot.ask)
    bot.logger.info("web.ordered", verb=wanted.verb, by=caller.name, command_id=taken.command_id)
    return Json(taken, 202)


@router.get(
    "/api/commands/{command_id}",
    response_model=Taken,
    responses=documented(401, 403, 404),
    dependencies=[Depends(reads)],
)
async def standing(bot: Bot, command_id: Annotated[str, Path(max_length=64)]) -> Response:
    """Return what became of an order."""
    return Json(bot.orders.standing(command_id))


def _permitted(request: Request, verb: str) -> Caller:
    """Return the caller, who may order this. A trader may also guard."""
    caller = request.scope.get("state", {}).get("caller")
    is_trader = caller is not None and "trade" in caller.scopes
    return permitted(request, "guard" if verb in _GUARDING and not is_trader else "trade")


async def _checked(bot: Office, asked: Ordered) -> Order:
    """Return the order as the bot takes it. OrderFault: it is none."""
    message = asked.message.strip()
    if asked.verb in OF_A_POSITION:
        return of_position(bot.watched, asked.verb, asked.symbol, asked.amount_quote, asked.fraction)
    if asked.verb == "acknowledge":
        return Order(asked.verb, alert_ids=await _meant(bot, asked.alert_ids))
    levels = {"halt": asked.level, "flatten": "FLATTEN", "resume": ""}
    return Order(asked.verb, levels[asked.verb], message)


async def _meant(bot: Office, given: list[str] | None) -> tuple[str, ...]:
    """Return the open alerts that are meant. Failure 422: one of them is not open, or none is."""
    found = await bot.read(_open_ids)
    unknown = [each for each in given or () if each not in found]
    if unknown or not found:
        raise Failure(422, f"The alert {unknown[0]} is not open." if unknown else "No alert is open.")
    return tuple(sorted(set(given))) if given else tuple(sorted(found))


def _open_ids(reader: Reader) -> set[str]:
    return {each.alert_id for each in told_alerts(reader, limit=100_000, only_open=True)}


def _asks(bot: Office, order: Order) -> bool:
    """What moves money asks; going on asks where it is real. Halting and acknowledging never do."""
    is_asked = order.verb in ("flatten", *OF_A_POSITION)
    return is_asked or (order.verb == "resume" and bot.settings.run.mode == "live")
