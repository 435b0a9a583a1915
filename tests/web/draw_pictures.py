"""Draws the pictures of the pages in README.md from a real session of the default market.

Run by hand after the pages changed, from the top folder; it needs Chromium:

    .venv/bin/python -m tests.web.draw_pictures

It trades at the default settings and speed in a scratch folder until two positions are open, some half a
minute, and writes the pictures beside the documents' tests.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright

from tests.web.conftest import CHROMIUM, DESK, PHONE

PICTURES: Final = Path(__file__).resolve().parents[1] / "unit" / "docs"
NOT_BEFORE_MS: Final = 1_735_709_400_000  # 2025-01-01 05:30 UTC: positions are open
POSITIONS: Final = 2
SHOTS: Final = (
    ("risk-board.png", "", (DESK[0], 1240), "light"),
    ("risk-board-phone.png", "", PHONE, "dark"),
)
LOOK_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 120.0


def draw(folder: Path) -> None:
    """Write every picture to `folder`. TimeoutError: the moment did not come."""
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "log"
        command = [sys.executable, "-m", "bot", "trade", "--headless", "--db", f"{scratch}/paper.db"]
        with log.open("w") as stream, subprocess.Popen(command, stdout=stream, stderr=stream) as session:
            try:
                _draw_while_it_trades(log, folder)
            finally:
                session.send_signal(signal.SIGTERM)


def _draw_while_it_trades(log: Path, folder: Path) -> None:
    url = _waited_for(lambda: _address(log))
    _waited_for(lambda: _is_worth_a_picture(_board(url)))
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, route, size, colours in SHOTS:
            _shoot(browser, url + route, folder / name, size, colours)
        browser.close()


def _shoot(browser: Browser, url: str, picture: Path, size: tuple[int, int], colours: Any) -> None:
    viewport: Any = {"width": size[0], "height": size[1]}
    page = browser.new_page(
        viewport=viewport, color_scheme=colours, reduced_motion="reduce", timezone_id="UTC"
    )
    page.goto(url)
    page.wait_for_selector("section.position")
    page.screenshot(path=picture)
    page.close()


def _address(log: Path) -> str:
    for line in log.read_text().splitlines():
        if '"web.listening"' in line:
            return str(json.loads(line)["url"])
    return ""


def _board(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url.rstrip('/')}/api/board") as answer:
        return json.load(answer)


def _is_worth_a_picture(board: dict[str, Any]) -> bool:
    return board["market_ts_ms"] >= NOT_BEFORE_MS and len(board["positions"]) >= POSITIONS


def _waited_for(found: Any) -> Any:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if answer := found():
            return answer
        time.sleep(LOOK_SECONDS)
    raise TimeoutError("what is waited for did not come")


if __name__ == "__main__":
    draw(PICTURES)
