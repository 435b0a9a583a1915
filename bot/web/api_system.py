"""The bot itself: its health in figures, its settings, its last log lines, and results on this machine."""

import platform
import shutil
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel

from bot import __version__
from bot.logs import LINES_KEPT, kept_lines
from bot.settings import config_hash, effective
from bot.store.library import library
from bot.web.access import Bot, reads
from bot.web.answers import Failure, Json, documented
from bot.web.exports import export, exports

router = APIRouter(tags=["system"], dependencies=[Depends(reads)])

_ERRORS = documented(401, 403)
_MEGABYTE = 2**20


class HealthFigures(BaseModel):
    """Delays of the event loop in the last minute, what is open, what waits, and what it runs on."""

    as_of_ms: int
    version: str
    python: str
    sqlite: str
    up_ms: int
    database: str
    disk_free_mb: int
    loop_lag_ms: dict[str, float]
    streams: int
    boards_built: int
    data: list[dict[str, Any]]
    requests_in_flight: int
    requests_unanswered: int
    trouble: list[str]


class SettingsInForce(BaseModel):
    """Every setting as it is in force, secrets redacted; they are changed by file and restart only."""

    as_of_ms: int
    config_hash: str
    settings: dict[str, Any]


class LogLines(BaseModel):
    """The last log lines, newest first, secrets redacted."""

    as_of_ms: int
    rows: list[dict[str, Any]]


class Exports(BaseModel):
    """Exports of backtests and sweeps in the folder web.exports, newest first."""

    as_of_ms: int
    folder: str
    rows: list[dict[str, Any]]


class Export(BaseModel):
    """One export's result.json, with the policy and with the margin left alone where it has both."""

    as_of_ms: int
    name: str
    document: dict[str, Any]


@router.get("/api/health", response_model=HealthFigures, responses=_ERRORS)
async def health_figures(bot: Bot) -> Response:
    """Return the bot's health in figures."""
    engine, session, lag = bot.watched.engine, bot.watched.session, bot.lag
    now_ms, outage = engine.state.now_ms, session.outage
    folder = bot.watched.path.resolve().parent
    return Json(
        {
            "as_of_ms": bot.now_ms(),
            "version": __version__,
            "python": platform.python_version(),
            "sqlite": library().words,
            "up_ms": bot.now_ms() - bot.began_ms,
            "database": str(bot.watched.path),
            "disk_free_mb": shutil.disk_usage(folder).free // _MEGABYTE,
            "loop_lag_ms": {name: round(lag.at_ms(share), 1) for name, share in _SHARES.items()},
            "streams": bot.broadcast.readers,
            "boards_built": bot.boards.built,
            "data": [
                {"symbol": symbol, "mark_age_ms": now_ms - market.mark_ms if market.mark_ms else None}
                for symbol, market in engine.state.markets.items()
            ],
            "requests_in_flight": len(engine.state.in_flight),
            "requests_unanswered": len(session.doubtful_ids()),
            "trouble": [outage.words] if outage is not None and outage.words else [],
        }
    )


_SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


@router.get("/api/settings", response_model=SettingsInForce, responses=_ERRORS)
async def settings(bot: Bot) -> Response:
    """Return the settings in force."""
    known = bot.settings
    return Json({"as_of_ms": bot.now_ms(), "config_hash": config_hash(known), "settings": effective(known)})


@router.get("/api/logs", response_model=LogLines, responses=documented(401, 403, 422))
async def logs(bot: Bot, limit: Annotated[int, Query(ge=1, le=LINES_KEPT)] = 200) -> Response:
    """Return the last log lines."""
    return Json({"as_of_ms": bot.now_ms(), "rows": kept_lines()[:limit]})


@router.get("/api/exports", response_model=Exports, responses=_ERRORS)
async def list_exports(bot: Bot) -> Response:
    """Return the exports there are, with the figures of each."""
    folder = bot.settings.web.exports
    rows = await bot.ask(exports, folder)
    return Json({"as_of_ms": bot.now_ms(), "folder": str(folder), "rows": rows})


@router.get("/api/exports/{name}", response_model=Export, responses=documented(401, 403, 404))
async def one_export(bot: Bot, name: Annotated[str, Path(max_length=255)]) -> Response:
    """Return one export's result."""
    found = await bot.ask(export, bot.settings.web.exports, name)
    if found is None:
        raise Failure(404, "There is no such export.", "Ask /api/exports for those there are.")
    return Json({"as_of_ms": bot.now_ms(), "name": name, "document": found})
