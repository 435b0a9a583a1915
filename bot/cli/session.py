"""Runs an application in a terminal or headless: the picture, the signals, the clock, the last words."""

import asyncio
import gc
import shlex
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from rich.console import Console

from bot import logs
from bot.absent import Absent
from bot.app import QUOTE, Application
from bot.cli.beside import Beside
from bot.cli.closing import Closing
from bot.cli.live import LiveView, can_show
from bot.core.event import MarginMoved
from bot.liveness import beat
from bot.narration import Narrator
from bot.plugins import source_of
from bot.ports import Commit
from bot.settings import Settings
from bot.summary import summary, write_summary
from bot.view.live import BoardMaker
from bot.watchdog import Watchdog

_FRAME_SECONDS: Final = 0.25
_BEAT_SECONDS: Final = 5.0

Confirm = Callable[[Application], Awaitable[None]]


def trade_on(settings: Settings, is_watched: bool, confirm: Confirm, announce: Callable[[], None]) -> int:
    """Trade until the feed ends, the time is up or a signal comes; return the exit code.

    `confirm` is awaited when the venue is known and nothing is written; `announce` is called when nothing can
    be refused any more. Before that a UserError is all there is.
    """
    narrate = Narrator(logs.logger())
    moves: list[MarginMoved] = []

    def observe(commit: Commit) -> None:
        moves.extend(note for note in commit.notes if isinstance(note, MarginMoved))
        narrate(commit)
        beside.hear(commit)

    beside = Beside(settings, logs.logger())
    application = Application(settings, observe)
    console = Console()
    view = LiveView(console) if is_watched and can_show(console) else None
    answer_ms = settings.strategy.answer_ms
    with Watchdog(application.question, application.strategy_name, application.path, answer_ms):
        told = asyncio.run(_trade(application, confirm, announce, view, moves, beside))
    if settings.run.summary is not None:
        write_summary(settings.run.summary, told)
    logs.logger().info("run.ended", **{name: value for name, value in told.items() if name != "evidence"})
    if view is not None:
        view.close(_closing(application, told))
    return 0


async def _trade(
    application: Application,
    confirm: Confirm,
    announce: Callable[[], None],
    view: LiveView | None,
    moves: list[MarginMoved],
    beside: Beside,
) -> dict[str, Any]:
    """Run the session to its end and return its totals."""
    logs.tell_of_the_loop()
    try:
        await application.meet()
        await confirm(application)
        await application.open()
        gc.enable()  # everything is imported
        announce()
        beside.open(application)
        _tell_strategy(application)
        tell_data(application.edges.played, application.edges.notices)
        if view is not None:
            show_notices(application.edges.notices)
        await _follow(application, view, moves, beside)
        return summary(application)
    finally:
        await beside.close()
        await application.leave()


def _tell_strategy(application: Application) -> None:
    if isinstance(application.strategy, Absent):
        why = f"{application.strategy.why} What is open is guarded without a strategy; nothing is entered."
        logs.logger().error("strategy.absent", message=why)
        return
    file, digest = source_of(application.strategy)
    logs.logger().info("strategy.loaded", file=str(file), sha256=digest)


def tell_data(played: str, notices: Iterable[str]) -> None:
    """Log which files are played, and as warnings what they lack."""
    if played:
        logs.logger().info("data.notice", notice=played)
    for notice in notices:
        logs.logger().warning("data.notice", notice=notice)


def show_notices(notices: Iterable[str]) -> None:
    """Tell a person at a terminal, where the live view leaves no place for log lines."""
    for notice in notices:
        print(notice, file=sys.stderr)


async def _follow(
    application: Application,
    view: LiveView | None,
    moves: list[MarginMoved],
    beside: Beside,
) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, application.stop)
    if application.settings.run.for_seconds is not None:
        loop.call_later(application.settings.run.for_seconds, application.stop)
    beating = asyncio.create_task(_beat(application))
    running = asyncio.create_task(application.run())
    beside.begin(application)
    try:
        if view is None:
            await running
        else:
            await _watch(application, view, moves, running, beside.url)
    finally:
        beating.cancel()
        await beside.close()


async def _watch(
    application: Application,
    view: LiveView,
    moves: list[MarginMoved],
    running: "asyncio.Task[None]",
    pages: str,
) -> None:
    maker = BoardMaker(application, application.recent_moves(), pages)
    with view:
        while not running.done():
            maker.moves.extend(moves)
            moves.clear()
            if view.is_due() and application.is_running:
                view.update(maker.board())
            await asyncio.wait({running}, timeout=_FRAME_SECONDS)
    await running


async def _beat(application: Application) -> None:
    outage, upkeep = application.session.outage, application.upkeep
    while True:
        said = ("" if outage is None else outage.words, upkeep.words)
        beat(application.path, "; ".join(words for words in said if words))
        await asyncio.sleep(_BEAT_SECONDS)


def _closing(application: Application, told: dict[str, Any]) -> Closing:
    same = (
        "trades",
        "liquidations",
        "stops_filled",
        "take_profits_filled",
        "margin_adds",
        "margin_releases",
        "open_positions",
        "database",
        "market_ms",
    )
    return Closing(
        mode=application.settings.run.mode,
        quote=QUOTE,
        command=shlex.join(["ringfence", *sys.argv[1:]]),
        ran_ms=int(1000 * told["wall_seconds"]),
        margin_added_quote=told["margin_added"],
        margin_released_quote=told["margin_released"],
        wallet_start_quote=told["wallet_start"],
        wallet_end_quote=told["wallet_end"],
        **{name: told[name] for name in same},
    )
