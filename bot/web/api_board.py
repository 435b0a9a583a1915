"""The board, the stream of its changes, and whether the bot is well."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header
from fastapi.responses import Response
from pydantic import BaseModel

from bot.view.risk_board import RiskBoard
from bot.web.access import Bot, reads
from bot.web.answers import Json, documented
from bot.web.caller import Caller
from bot.web.stream import EventStream

router = APIRouter(tags=["board"])


class Health(BaseModel):
    """Whether the bot trades, and how late its loop runs."""

    as_of_ms: int
    status: Literal["ok", "halted", "troubled"]
    words: str
    loop_lag_ms: float


@router.get("/api/board", response_model=RiskBoard, responses=documented(401, 403))
async def board(bot: Bot, _caller: Annotated[Caller, Depends(reads)]) -> Response:
    """Return the whole risk board, at most a tenth of a second old."""
    return Json(bot.boards.current())


@router.get(
    "/api/stream",
    response_class=EventStream,
    status_code=200,
    responses={
        200: {"description": "Events board, moved, alert and halt.", "content": {"text/event-stream": {}}},
        **documented(401, 403),
    },
)
async def stream(
    bot: Bot,
    caller: Annotated[Caller, Depends(reads)],
    last_event_id: Annotated[str, Header(max_length=64)] = "",
) -> Response:
    """Send the board as it changes (at most ten times a second, at least once) and what happens.

    With Last-Event-ID what happened since is told first, where it is still kept.
    """
    return EventStream(bot.broadcast, last_event_id, caller.is_valid)


@router.get("/health", response_model=Health)
async def health(bot: Bot) -> Any:
    """Return whether the bot trades; no secrets and no positions."""
    outage, state = bot.watched.session.outage, bot.watched.engine.state
    words = outage.words if outage is not None else ""
    status = "troubled" if words else "halted" if state.halts else "ok"
    lag = round(bot.lag.newest_ms(), 1)
    return Json({"as_of_ms": bot.now_ms(), "status": status, "words": words, "loop_lag_ms": lag})
