"""What runs beside trading in a session: its pages and its alerts. Neither ever ends or delays it."""

import sys
from typing import Any

from bot.alerts.service import AlertService
from bot.app import QUOTE, Application
from bot.cli.calculators.forms import CalculatorForms
from bot.ports import Commit
from bot.settings import Settings
from bot.web.service import WebService


class Beside:
    """`open`, `begin`, `close`; `hear` gets every commit. `close` may come at any time, and twice."""

    def __init__(self, settings: Settings, logger: Any) -> None:
        """UserError: a route of the alerts leads to no service."""
        self._settings, self._logger = settings, logger
        self._alerts = AlertService(settings, QUOTE, logger)
        self._pages: WebService | None = None

    @property
    def url(self) -> str:
        """Return where the pages are, "" where there are none."""
        return self._pages.url if self._pages is not None else ""

    def hear(self, commit: Commit) -> None:
        """Take what was committed."""
        if self._pages is not None:
            self._pages.hear(commit)
        self._alerts.hear(commit)

    def open(self, application: Application) -> None:
        """Know what an earlier process knew, and say where the pages are; the log says it too."""
        book, desk = application.journal.alert_book(), application.engine.desk
        self._alerts.open(desk, book, application.path, lambda: application.is_running)
        self._pages = WebService(application, self._settings, CalculatorForms(), self._logger)
        is_headless = self._settings.run.headless
        words = self._pages.listen(may_show_secret=not is_headless and sys.stderr.isatty())
        if words and not is_headless:
            print(words, file=sys.stderr)

    def begin(self, application: Application) -> None:
        """Serve and tell from when positions are protected."""
        if self._pages is not None:
            self._pages.begin(lambda: application.is_running)
        self._alerts.begin()

    async def close(self) -> None:
        """End both, within a moment."""
        try:
            if self._pages is not None:
                await self._pages.close()
        finally:
            await self._alerts.close()
