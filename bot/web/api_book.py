"""The whole account: exposure, caps, the allocator, stress."""

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from bot.view.portfolio import Book, book_of
from bot.web.access import Bot, reads
from bot.web.answers import Json, documented

router = APIRouter(tags=["portfolio"], dependencies=[Depends(reads)])


@router.get("/api/portfolio", response_model=Book, responses=documented(401, 403))
async def portfolio(bot: Bot) -> Response:
    """Return what is exposed and committed against its caps, the allocator's view, and a stress table."""
    return Json(book_of(bot.watched.engine.desk, bot.now_ms()))
