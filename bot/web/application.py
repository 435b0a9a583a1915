"""The application: every route, behind the door, with the headers of every answer."""

from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from bot import __version__
from bot.web import api_board
from bot.web.access import SCOPES, Caller
from bot.web.answers import Problem, answer_errors
from bot.web.door import Door
from bot.web.headers import SafeHeaders
from bot.web.office import Office

_PAGES: Final = Path(__file__).with_name("static")
_ABOUT: Final = (
    "Reads of a running bot, and orders to it. Money is in the account's quote currency, prices in quote per "
    "base, times in UTC milliseconds, fractions from 0 to 1; null is not known. Errors are Problems."
)


def application(office: Office) -> ASGIApp:
    """Return the ASGI application of one session."""
    app = api(office)
    app.mount("/", StaticFiles(directory=_PAGES, html=True), name="pages")
    local = Caller("this machine", frozenset(SCOPES), lambda: True)
    is_open = office.settings.run.mode == "paper" and office.settings.web.is_local
    return SafeHeaders(Door(app, office.settings.web, lambda _headers: local if is_open else None))


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
    )
    app.state.office = office
    answer_errors(app)
    app.include_router(api_board.router)
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
