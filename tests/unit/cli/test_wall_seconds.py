"""How long a run took is told without what came before it: meeting a slow exchange is no trading."""

from pathlib import Path

import pytest

import bot.app
from bot.app import Application
from bot.settings import Flag, load
from bot.summary import summary


class HandTime:
    """The wall's time, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


async def test_the_start_up_is_not_counted(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = HandTime()
    monkeypatch.setattr(bot.app, "time", hand)
    flags = {"run.db": tmp_path / "paper.db", "run.speed": "max", "strategy.directory": root / "strategies"}

    def stop(_commit: object) -> None:
        hand.now += 5.0
        application.stop()

    application = Application(load(None, tuple(Flag(key, key, value) for key, value in flags.items())), stop)
    try:
        hand.now = 60.0
        await application.meet()
        await application.open()
        hand.now = 68.0
        await application.run()
        took = application.wall_seconds()
        assert 5.0 <= took < 60.0
        assert summary(application)["wall_seconds"] == took
    finally:
        await application.leave()
