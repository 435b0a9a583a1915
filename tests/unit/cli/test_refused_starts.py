"""A start that is refused after the wiring: one paragraph, exit code 2, and the database is free again."""

from collections.abc import Callable
from pathlib import Path

from bot.store.lock import DatabaseLock
from tests.unit.cli.conftest import Outcome, assert_one_paragraph

_QUIET = ("--headless", "--for", "1s", "--db", "paper.db")
_BROKEN = """
from bot.strategy import Candles, Signals, Strategy


class Broken(Strategy):
    \"\"\"Raises whatever it is shown.\"\"\"

    timeframe = "5m"

    @property
    def warmup(self) -> int:
        return 20

    def signals(self, candles: Candles) -> Signals:
        raise RuntimeError("no idea")
"""


def test_a_second_session_on_a_database_is_refused(
    ringfence: Callable[..., Outcome], workplace: Path
) -> None:
    with DatabaseLock(workplace / "paper.db"):
        outcome = ringfence("trade", *_QUIET)
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert "in use by another ringfence process" in outcome.err
    assert ringfence("trade", *_QUIET).code == 0


def test_a_strategy_that_fails_before_the_start_leaves_nothing_behind(
    ringfence: Callable[..., Outcome], workplace: Path
) -> None:
    (workplace / "broken.py").write_text(_BROKEN)
    outcome = ringfence("trade", "--strategy", "./broken.py", *_QUIET)
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert "RuntimeError: no idea" in outcome.err
    assert {path.name for path in workplace.iterdir()} - {"__pycache__"} == {"broken.py"}


def test_a_foreign_file_is_refused_and_the_lock_is_given_back(
    ringfence: Callable[..., Outcome], workplace: Path
) -> None:
    (workplace / "paper.db").write_text("not a database")
    outcome = ringfence("trade", *_QUIET)
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    with DatabaseLock(workplace / "paper.db"):
        assert (workplace / "paper.db").read_text() == "not a database"
