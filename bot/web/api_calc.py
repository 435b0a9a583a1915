"""The calculators: what each may be asked, and its answer."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path
from fastapi.responses import Response
from pydantic import BaseModel, Field

from bot.view.forms import Form
from bot.web.access import Bot, reads
from bot.web.answers import Failure, Json, documented

router = APIRouter(tags=["calculators"], dependencies=[Depends(reads)])


class Forms(BaseModel):
    """Every calculator with its fields."""

    as_of_ms: int
    forms: list[Form]


class Asked(BaseModel):
    """What the fields hold, by name; what is absent, null or "" is not given."""

    fields: dict[str, str | float | bool | list[str | float] | None] = Field(max_length=50)


class Calculated(BaseModel):
    """The calculator's answer, as `ringfence calc NAME --json` prints it."""

    as_of_ms: int
    name: str
    answer: Any


@router.get("/api/calc", response_model=Forms, responses=documented(401, 403))
async def forms(bot: Bot) -> Response:
    """Return every calculator with its fields."""
    return Json({"as_of_ms": bot.now_ms(), "forms": bot.calculators.forms()})


@router.post(
    "/api/calc/{name}",
    response_model=Calculated,
    responses=documented(400, 401, 403, 404, 413, 415, 422, 503),
)
async def answer(
    bot: Bot, name: Annotated[str, Path(max_length=40)], asked: Annotated[Asked, Body()]
) -> Response:
    """Return what a calculator says; nothing is written, and no position is touched."""
    if name not in {form.name for form in bot.calculators.forms()}:
        raise Failure(404, f"There is no calculator {name}.", "Ask /api/calc for those there are.")
    found = await bot.ask(bot.calculators.answer, name, asked.fields)
    return Json({"as_of_ms": bot.now_ms(), "name": name, "answer": found})
