"""The application: every route, behind the door, with the headers of every answer."""

from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from bot import __version__
from bot.web import (
    api_board,
    api_book,
    api_calc,
    api_commands,
    api_history,
    api_login,
    api_positions,
    api_system,
)
from bot.web.answers import Problem, answer_errors, documented
from bot.web.door import Door
from bot.web.headers import SafeHeaders
from bot.web.office import Office

_PAGES: Final = Path(__file__).with_name("static")
_PARTS: Final = (
    *(api_login, api_board, api_positions, api_book, api_history),
    *(api_calc, api_commands, api_system),
)
_BESIDE: Final = ("/health",)
_ABOUT: Final = (
    "Reads of a running bot, and orders to it. Money is in the account's quote currency, prices in quote per "
    "base, times in UTC milliseconds, fractions from 0 to 1; null is not known. Errors are Problems."
)


def application(office: Office) -> ASGIApp:
    """Return the ASGI application of one session."""
    app = Both(api(office), pages())
    return SafeHeaders(Door(app, office.settings.web, office.guards.who_asks))


class Both:
    """The API under its own paths, files under all others."""

    def __init__(self, api: ASGIApp, pages: ASGIApp) -> None:
        self._api, self._pages = api, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request (ASGI)."""
        is_api = scope["path"].startswith("/api") or scope["path"] in _BESIDE
        await (self._api if is_api else self._pages)(scope, receive, send)


def pages() -> Starlette:
    """Return the files of the pages."""
    files = StaticFiles(directory=_PAGES, html=True)
    app = Starlette(routes=[Mount("/", files, name="pages")])
    answer_errors(app)
    return app


def api(office: Office) -> FastAPI:
    """Return the routes of the API without the pages."""
    app = FastAPI(
        title="Ringfence",
        description=_ABOUT,
        version=__version__,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=documented(401, 403, 413, 415, 421, 422, 500, 503),
    )
    app.state.office = office
    answer_errors(app)
    for part in _PARTS:
        app.include_router(part.router)
    _document(app)
    return app


def _document(app: FastAPI) -> None:
    """Put the schema of errors where every route refers to it."""
    made = app.openapi

    def whole() -> dict[str, Any]:
        schema = made()
        kinds = schema.setdefault("components", {}).setdefault("schemas", {})
        texts = {name: {"type": "string"} for name in Problem.__dataclass_fields__}
        kinds["Problem"] = {"type": "object", "properties": texts, "required": [*texts], "title": "Problem"}
        return schema

    app.openapi = whole
