"""The live view on a terminal: frame rate, resize, a clean end, the closing words, the picture."""

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bot.cli.closing import Closing, closing_text
from bot.cli.live import LiveView, can_show, signs_for
from bot.cli.picture import export_svg
from bot.cli.screen.glyphs import ASCII, UNICODE
from tests.unit.cli_live.demonstration import demonstration_board

ENTER_ALTERNATE_SCREEN = "\x1b[?1049h"
LEAVE_ALTERNATE_SCREEN = "\x1b[?1049l"
SHOW_CURSOR = "\x1b[?25h"

CLOSING = Closing(
    mode="paper",
    quote="USDT",
    ran_ms=95_000,
    market_ms=5_700_000,
    trades=7,
    liquidations=0,
    stops_filled=2,
    take_profits_filled=1,
    margin_adds=3,
    margin_releases=1,
    margin_added_quote=88.2,
    margin_released_quote=12.0,
    wallet_start_quote=5000.0,
    wallet_end_quote=5024.31,
    open_positions=3,
    database="paper.db",
    command="ringfence trade --db paper.db",
)


class Watch:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now_seconds = 100.0

    def __call__(self) -> float:
        return self.now_seconds


def terminal(width: int = 100, height: int = 40) -> tuple[Console, StringIO]:
    written = StringIO()
    console = Console(file=written, force_terminal=True, width=width, height=height, legacy_windows=False)
    return console, written


def test_frames_are_at_most_four_a_second() -> None:
    console, written = terminal()
    watch = Watch()
    with LiveView(console, watch) as view:
        for _ in range(101):
            view.update(demonstration_board())
            watch.now_seconds += 0.01
    assert written.getvalue().count(" PAPER ") == 1 + 4


def test_view_says_when_a_board_is_worth_building() -> None:
    console, _ = terminal()
    watch = Watch()
    with LiveView(console, watch) as view:
        assert view.is_due()
        view.update(demonstration_board())
        assert not view.is_due()
        watch.now_seconds += 0.25
        assert view.is_due()


def test_next_frame_after_a_resize_uses_the_new_width() -> None:
    console, written = terminal(width=100)
    watch = Watch()
    with LiveView(console, watch) as view:
        view.update(demonstration_board())
        written.truncate(0)
        watch.now_seconds += 1.0
        console.width, console.height = 140, 50
        view.update(demonstration_board())
        assert "liquidation  2,817.20" in written.getvalue()


@pytest.mark.parametrize("is_failing", [False, True])
def test_terminal_is_left_as_it_was_even_after_an_error(is_failing: bool) -> None:
    console, written = terminal()
    try:
        with LiveView(console, Watch()) as view:
            view.update(demonstration_board())
            if is_failing:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert is_failing
    text = written.getvalue()
    assert text.startswith(ENTER_ALTERNATE_SCREEN)
    assert text.rindex(LEAVE_ALTERNATE_SCREEN) > text.rindex("PAPER")
    assert SHOW_CURSOR in text[text.rindex("PAPER") :]


def test_closing_summary_is_printed_on_the_normal_screen() -> None:
    console, written = terminal()
    with LiveView(console, Watch()) as view:
        view.update(demonstration_board())
        view.close(CLOSING)
    after = written.getvalue().partition(LEAVE_ALTERNATE_SCREEN)[2]
    assert closing_text(CLOSING) in after
    assert LEAVE_ALTERNATE_SCREEN not in after


def test_closing_summary_says_what_happened_and_what_to_try_next() -> None:
    assert closing_text(CLOSING).splitlines() == [
        "  ran       1m 35s (1h 35m of market), paper",
        "  trades    7 trades closed: 2 stops, 1 take-profit, 0 liquidations",
        "  margin    added 88.20 in 3 moves, released 12.00 in 1 move",
        "  wallet    5,000.00 -> 5,024.31 USDT (+24.31)",
        "  open      3 positions, kept in the database with their stops",
        "  database  paper.db",
        "  next      ringfence margin history --db paper.db",
        "            ringfence trade --db paper.db   (continues where this run ended)",
    ]


def test_closing_summary_quotes_a_database_path_for_the_shell() -> None:
    text = closing_text(replace(CLOSING, database="my runs/paper.db"))
    assert "database  my runs/paper.db\n" in text
    assert "--db 'my runs/paper.db'\n" in text


def test_closing_summary_says_where_open_positions_are_protected() -> None:
    assert "3 positions, protected by stops on the venue" in closing_text(replace(CLOSING, mode="testnet"))
    assert "  open      no position\n" in closing_text(replace(CLOSING, open_positions=0))


def test_view_is_not_offered_to_a_pipe_or_a_dumb_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_show(terminal()[0])
    assert not can_show(Console(file=StringIO()))
    monkeypatch.setenv("TERM", "dumb")
    assert not can_show(terminal()[0])


def test_signs_follow_what_the_terminal_can_write() -> None:
    class Latin(StringIO):
        encoding = "iso-8859-1"

    assert signs_for(Console(file=Latin())) is ASCII
    assert signs_for(terminal()[0]) is UNICODE


def test_picture_is_self_contained_and_repeatable(tmp_path: Path) -> None:
    export_svg(demonstration_board(), tmp_path / "first.svg")
    export_svg(demonstration_board(), tmp_path / "second.svg")
    text = (tmp_path / "first.svg").read_text("utf-8")
    assert text == (tmp_path / "second.svg").read_text("utf-8")
    assert "@font-face" not in text
    assert text.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    assert "2,835.20" in text
