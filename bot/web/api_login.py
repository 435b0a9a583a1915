"""Logging in and out."""

import math
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Body, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from bot.web.access import Bot
from bot.web.answers import Failure, Json, documented
from bot.web.caller import Caller
from bot.web.guards import session_of

router = APIRouter(tags=["access"])


class Login(BaseModel):
    """The password that the bot showed once, when it was made."""

    password: str = Field(min_length=1, max_length=256)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the caller is let in and what they may; `is_open`: nobody has to log in."""

    as_of_ms: int
    is_let_in: bool
    is_open: bool
    scopes: list[str]


@router.get("/api/session", response_model=Standing, responses=documented(403))
async def standing(bot: Bot, request: Request) -> Response:
    """Return whether the caller is let in."""
    return Json(_standing(bot, request.scope["state"].get("caller")))


@router.post("/api/login", response_model=Standing, responses=documented(400, 401, 403, 413, 415, 422, 429))
async def login(bot: Bot, request: Request, asked: Annotated[Login, Body()]) -> Response:
    """Begin a session: its cookie ends after 15 minutes without use, and after 12 hours."""
    guards = bot.guards
    address = request.client.host if request.client is not None else ""
    wait = guards.attempts.wait_seconds(address)
    if wait > 0.0:
        seconds = str(math.ceil(wait))
        raise Failure(429, f"Try again in {seconds} s.", headers={"Retry-After": seconds})
    guards.attempts.failed(address)  # until it is known to be right: others wait meanwhile
    if not await bot.ask(guards.vault.is_password, asked.password):
        bot.logger.warning("web.login_failed", address=address)
        raise Failure(401, "The password is not right.", "`ringfence web password` makes a new one.")
    guards.attempts.succeeded(address)
    session_id = guards.sessions.begin()
    bot.logger.info("web.login", address=address)
    answer = Json(_standing(bot, Caller("this session", frozenset(("read", "guard", "trade")), lambda: True)))
    answer.headers["Set-Cookie"] = guards.cookie(session_id)
    return answer


@router.post("/api/logout", response_model=Standing, responses=documented(403, 413, 415))
async def logout(bot: Bot, request: Request) -> Response:
    """End the session of the caller, if there is one."""
    bot.guards.sessions.end(session_of(request.headers))
    answer = Json(_standing(bot, None))
    answer.headers["Set-Cookie"] = bot.guards.cookie("")
    return answer


def _standing(bot: Bot, caller: Caller | None) -> Standing:
    is_open = bot.guards.is_open
    scopes = [] if caller is None else sorted(caller.scopes)
    return Standing(bot.now_ms(), is_open or caller is not None, is_open, scopes)
