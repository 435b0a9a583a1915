"""A person watches a real session on paper, from its first position to its end, in the browser."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.conftest import DESK, Pages, expect
from tests.web.pages_server import ToldBot
from tests.web.test_screens import SCREENS

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).resolve().parents[2]
SPEED = "120x"  # the first positions stand for many minutes of the market
# The rungs that are drawn and those the bot tells at the same moment; the mark moves with every tick.
BOTH = """async () => {
    const told = await (await fetch('api/board')).json();
    const rungs = (position) => position.rungs.filter((rung) => rung.kind !== 'mark')
        .map((rung) => `${rung.kind} ${rung.price}`).sort();
    const drawn = [...document.querySelectorAll('.position')].map((card) => [card.dataset.symbol,
        [...card.querySelectorAll('.rung')].filter((rung) => rung.dataset.kind !== 'mark')
            .map((rung) => `${rung.dataset.kind} ${rung.dataset.price}`).sort()]);
    return {told: told.positions.map((position) => [position.symbol, rungs(position)]), drawn,
        moves: told.moves.length};
}"""
AT_ITS_PRICE = """() => [...document.querySelectorAll('.ladder-inner')].flatMap((rail) => {
    const box = rail.getBoundingClientRect(), from = Number(rail.dataset.from), to = Number(rail.dataset.to);
    return [...rail.querySelectorAll('.rung')].filter((rung) => !['1', '-1'].includes(rung.dataset.edge))
        .map((rung) => Math.abs(rung.getBoundingClientRect().left - box.left
            - (Number(rung.dataset.price) - from) / (to - from) * box.width));
})"""


@asynccontextmanager
async def session(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Trade on the default market in a process of its own; yield it with the address of its pages."""
    command = ("-m", "bot", "trade", "--headless", "--speed", SPEED, "--db", str(folder / "paper.db"))
    environment = os.environ | {"RINGFENCE__WEB__PORT": "0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE
    )
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    reading = asyncio.create_task(_read(process, address))
    try:
        yield process, await address
    finally:
        if process.returncode is None:
            process.kill()
        await reading


async def _read(process: asyncio.subprocess.Process, address: "asyncio.Future[str]") -> None:
    """Take every line of the log, or the session would wait for its reader; tell the address once."""
    assert process.stderr is not None
    async for line in process.stderr:
        if b'"web.listening"' in line:
            address.set_result(str(json.loads(line)["url"]))
    await process.wait()
    if not address.done():
        address.set_exception(AssertionError("the session ended before its pages were there"))


async def same(page: Any) -> dict[str, Any]:
    """Return what is told and drawn once both agree; between two events of the stream they may not."""
    for _ in range(200):
        both = await page.evaluate(BOTH)
        if both["told"] and sorted(both["told"]) == sorted(both["drawn"]):
            return both
        await asyncio.sleep(0.02)
    raise AssertionError("what is drawn never was what is told")


async def add_margin(page: Any, amount: str) -> None:
    """Add margin to the position nearest to its liquidation, and see the move with its reason."""
    await page.locator('.position [data-verb="add"]').first.click()
    await page.fill("#amount", amount)
    await page.click("dialog [type=submit]")
    await expect(page.locator("dialog .asked")).to_contain_text("Liquidation will be at")
    await page.click("dialog [type=submit]")
    await expect(page.locator("dialog")).to_have_count(0)
    await expect(page.locator(".moves li").first).to_contain_text("by hand")


async def test_a_person_watches_a_session_adds_margin_and_halts_it(
    browser: "Browser", tmp_path: Path
) -> None:
    async with session(tmp_path) as (process, address):
        pages = Pages(browser, ToldBot(), address.rstrip("/"))
        page = await pages.open(size=DESK)
        await expect(page.locator(".position").first).to_be_visible()
        await same(page)
        assert max(await page.evaluate(AT_ITS_PRICE)) < 1.0

        await add_margin(page, "25")
        await page.click("#halt")
        await page.click("#halt")
        await expect(page.locator(".fact.guard")).to_contain_text("HALTED")
        await page.click("text=Resume entries")
        await expect(page.locator(".fact.guard")).to_contain_text("armed")

        for route in SCREENS:
            if "position/" not in route and "backtests/" not in route:
                await page.goto(f"{pages.address}/#/{route}")
                await expect(page.locator("main h1")).to_be_visible()
                await expect(page.locator("main .waiting, main .note.danger")).to_have_count(0)
        await page.goto(f"{pages.address}/#/board")
        assert pages.complaints == []

        process.terminate()
        assert await process.wait() == 0
        await expect(page.locator(".note.danger")).to_contain_text("every number below is old")
        for context in pages.contexts:
            await context.close()
