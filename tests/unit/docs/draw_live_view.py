"""Draws the picture in README.md from a real session: the first margin move from a market time on.

Run by hand after the live view or the decisions changed, from the top folder:

    .venv/bin/python -m tests.unit.docs.draw_live_view

It trades at the default settings and speed (34 s) in a scratch folder and writes live-view.svg beside
this file, where the tests of the documents look for it and no wheel or image carries it along.
"""

import asyncio
import logging
import tempfile
from pathlib import Path
from typing import Final

import structlog

from bot.app import Application
from bot.cli.picture import export_svg
from bot.core.event import MarginMoved
from bot.ports import Commit
from bot.settings import Flag, load
from bot.view.live import BoardMaker

PICTURE: Final = Path(__file__).with_name("live-view.svg")
NOT_BEFORE_MS: Final = 1_735_709_400_000  # 2025-01-01 05:30 UTC: three positions are open
WIDTH: Final = 100


def draw(picture: Path, database: Path) -> None:
    """Trade until the first margin move after NOT_BEFORE_MS and write that moment's live view."""

    def look(commit: Commit) -> None:
        moves = [note for note in commit.notes if isinstance(note, MarginMoved)]
        maker.moves.extend(moves)
        if moves and commit.ts_ms >= NOT_BEFORE_MS:
            export_svg(maker.board(), picture, WIDTH)
            application.stop()

    application = Application(load(None, (Flag("run.db", "--db", database),)), look)
    maker = BoardMaker(application, ())
    asyncio.run(_live(application))


async def _live(application: Application) -> None:
    await application.meet()
    await application.open()
    await application.run()
    await application.leave()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as scratch:
        draw(PICTURE, Path(scratch, "picture.db"))
