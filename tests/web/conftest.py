"""One browser for all tests of the pages, and what a page complained of."""

import importlib.util
import shutil
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final

import pytest
import pytest_asyncio

from tests.web.pages_server import ToldBot, served

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

CHROMIUM: Final = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
PHONE: Final = (390, 844)
SMALL: Final = (360, 740)
DESK: Final = (1280, 900)
PATIENCE_MS: Final = 25_000  # a loaded machine is slow, and no test measures it


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> "AsyncIterator[Browser]":
    """Return the browser. Skips where none can be driven."""
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed: the pages are not looked at")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed: the pages are not looked at")
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        started = await driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        await started.close()


def expect(what: Any) -> Any:
    """Return playwright's assertions on a locator or a page, which wait until they hold."""
    from playwright.async_api import expect as expected

    expected.set_options(timeout=PATIENCE_MS)
    return expected(what)


class Pages:
    """Opens pages of one told bot; `complaints` holds what their consoles said."""

    def __init__(self, browser: "Browser", bot: ToldBot, address: str) -> None:
        self.browser, self.bot, self.address = browser, bot, address
        self.complaints: list[str] = []
        self.contexts: list[Any] = []

    async def open(self, route: str = "", size: tuple[int, int] = DESK, **options: Any) -> "Page":
        """Return a page at `route`, still where motion is concerned unless asked otherwise."""
        chosen = {"reduced_motion": "reduce", "color_scheme": "light", "timezone_id": "UTC", **options}
        context = await self.browser.new_context(viewport={"width": size[0], "height": size[1]}, **chosen)
        context.set_default_timeout(PATIENCE_MS)
        self.contexts.append(context)
        page = await context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        await page.goto(f"{self.address}/#/{route}")
        await page.wait_for_selector(".strip .fact, .login")
        return page

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")


@pytest_asyncio.fixture(loop_scope="session")
async def pages(browser: "Browser") -> AsyncIterator[Pages]:
    """Return a told bot's pages; nothing may complain unless the test takes it back."""
    bot = ToldBot()
    async with served(bot) as address:
        opened = Pages(browser, bot, address)
        yield opened
        for context in opened.contexts:
            await context.close()
    assert opened.complaints == []
