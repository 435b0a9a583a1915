"""What a person should know of a session is told at a terminal too, where the live view hides the log."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.cli import session

NOTICE = "ETH/USDT:USDT is not among feed.symbols."


async def _nothing(*_arguments: Any) -> None:
    pass


@pytest.mark.parametrize(("view", "shown"), [(object(), 1), (None, 0)])
async def test_notices_are_shown_where_the_view_owns_the_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], view: Any, shown: int
) -> None:
    monkeypatch.setattr(session, "_follow", _nothing)
    monkeypatch.setattr(session, "tell_data", lambda *_: None)
    monkeypatch.setattr(session, "source_of", lambda _: (Path("mine.py"), "0"))
    monkeypatch.setattr(session, "summary", lambda _: {})
    edges = SimpleNamespace(notices=(NOTICE,), played="")
    application: Any = SimpleNamespace(
        meet=_nothing, open=_nothing, leave=_nothing, edges=edges, strategy=None
    )
    beside: Any = SimpleNamespace(open=lambda _: None, close=_nothing)
    await session._trade(application, _nothing, lambda: None, view, [], beside)
    said = [line for line in capsys.readouterr().err.splitlines() if line == NOTICE]
    assert len(said) == shown
