"""The past: margin moves, closed positions, the wallet, the journal, alerts, and whether it helped."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel

from bot.evidence.named import named
from bot.findings import findings_of
from bot.store.alerts import told_alerts
from bot.store.queries import equity as equity_points
from bot.store.queries import journal, margin_history, trades
from bot.view.history import told_alert, told_event, told_trade
from bot.web.access import Bot, reads
from bot.web.answers import Json, documented
from bot.web.paging import Before, Limit, Page, Symbol, page

router = APIRouter(tags=["history"], dependencies=[Depends(reads)])

_ERRORS = documented(401, 403, 422)


class EquityPoints(BaseModel):
    """The wallet over time, oldest first; unrealised PnL is known in the hourly points only."""

    as_of_ms: int
    rows: list[dict[str, Any]]


class Alerts(BaseModel):
    """Alerts, newest first; `state`: "open", "acknowledged", "over" or "told" (nothing to acknowledge)."""

    as_of_ms: int
    rows: list[dict[str, Any]]


class Evidence(BaseModel):
    """Every ended position against the same one whose margin was left alone; null where nothing is known."""

    as_of_ms: int
    evidence: dict[str, Any]


@router.get("/api/ledger", response_model=Page, responses=_ERRORS)
async def ledger(bot: Bot, symbol: Symbol = None, limit: Limit = 50, before: Before = None) -> Response:
    """Return margin moves with their reasons and the risk before and after, newest first."""
    found = await bot.read(margin_history, symbol=symbol, limit=limit, before=before)
    return Json(page(bot.now_ms(), [row._asdict() for row in found], limit, "id"))


@router.get("/api/trades", response_model=Page, responses=_ERRORS)
async def closed(bot: Bot, symbol: Symbol = None, limit: Limit = 50, before: Before = None) -> Response:
    """Return closed positions, the last closed first."""
    found = await bot.read(trades, symbol=symbol, limit=limit, before=before)
    return Json(page(bot.now_ms(), [told_trade(row) for row in found], limit, "id"))


@router.get("/api/equity", response_model=EquityPoints, responses=_ERRORS)
async def equity(bot: Bot, limit: Annotated[int, Query(ge=1, le=10_000)] = 2_000) -> Response:
    """Return the wallet over time, oldest first."""
    found = await bot.read(equity_points, limit=limit)
    return Json({"as_of_ms": bot.now_ms(), "rows": found[::-1]})


@router.get("/api/journal", response_model=Page, responses=_ERRORS)
async def told(bot: Bot, symbol: Symbol = None, limit: Limit = 50, before: Before = None) -> Response:
    """Return what happened, newest first, each row with its words."""
    rows = await bot.read(_events, symbol=symbol, limit=limit, before=before)
    return Json(page(bot.now_ms(), rows, limit, "id"))


@router.get("/api/alerts", response_model=Alerts, responses=_ERRORS)
async def alerts(bot: Bot, limit: Limit = 50, only_open: bool = False) -> Response:
    """Return what was worth telling, newest first, with what became of each message."""
    rows = await bot.read(told_alerts, limit=limit, only_open=only_open)
    return Json({"as_of_ms": bot.now_ms(), "rows": [told_alert(row) for row in rows]})


@router.get("/api/evidence", response_model=Evidence, responses=_ERRORS)
async def evidence(bot: Bot, symbol: Symbol = None) -> Response:
    """Return whether moving margin helped, over all ended positions or those of one symbol."""
    found = await bot.read(findings_of, symbol=symbol)
    return Json({"as_of_ms": bot.now_ms(), "evidence": named(found)})


def _events(reader: Any, **asked: Any) -> list[dict[str, Any]]:
    return told_event(reader, journal(reader, **asked))
