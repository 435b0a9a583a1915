"""The page: what it says, in which order, and that it fits every terminal."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.live import render_text
from bot.cli.screen.glyphs import ASCII, UNICODE, Line, line_width, plain
from bot.cli.screen.page import page_lines
from bot.view.board import Board, BoardRow, Mode, worst_first
from bot.view.level import level_of
from tests.unit.cli_live.demonstration import (
    btc_row,
    demonstration_board,
    empty_board,
    eth_row,
    sol_row,
    stale_board,
)

GOLDEN = Path(__file__).parent / "golden"
BOARDS = st.sampled_from((demonstration_board(), empty_board(), stale_board()))


def many(count: int) -> tuple[BoardRow, ...]:
    return tuple(
        replace(btc_row(), symbol=f"C{n}/USDT:USDT", distance=0.10 + n / 100.0) for n in range(count)
    )


def page(board: Board, width: int, height: int) -> list[str]:
    return [plain(line) for line in page_lines(board, width, height, UNICODE)]


def roles_of(line: Line) -> set[str]:
    return {part.role for part in line if part.text.strip()}


@pytest.mark.parametrize("width", [80, 100, 140])
def test_demonstration_board_reads_as_its_golden_text(width: int) -> None:
    assert render_text(demonstration_board(), width) == (GOLDEN / f"board_{width}.txt").read_text("utf-8")


def test_stale_board_reads_as_its_golden_text_in_ascii() -> None:
    text = render_text(stale_board(), 80, ASCII)
    assert text.isascii()
    assert text == (GOLDEN / "stale_ascii_80.txt").read_text("utf-8")


def test_plain_text_has_no_escape_sequences() -> None:
    assert "\x1b" not in render_text(demonstration_board(), 100)


@given(BOARDS, st.integers(40, 220), st.integers(5, 70), st.integers(0, 30))
def test_page_always_fits_the_terminal(board: Board, width: int, height: int, extra: int) -> None:
    board = replace(board, positions=(*board.positions, *many(extra)))
    lines = page_lines(board, width, height, UNICODE)
    assert len(lines) <= height
    assert max(map(line_width, lines)) <= width


@given(st.integers(10, 70), st.integers(1, 30))
def test_worst_position_is_always_on_the_page(height: int, extra: int) -> None:
    board = replace(demonstration_board(), positions=(*many(extra), eth_row()))
    assert any("ETH/USDT" in line for line in page(board, 80, height))


@given(st.integers(12, 70), st.integers(0, 30))
def test_positions_not_shown_are_counted(height: int, extra: int) -> None:
    board = replace(demonstration_board(), positions=(eth_row(), *many(extra)))
    lines = page(board, 80, height)
    shown = sum("/USDT " in line and line.startswith(UNICODE.gutter) for line in lines)
    hidden = [int(line.split()[1]) for line in lines if line.startswith("and ")]
    assert shown + sum(hidden) == extra + 1


def test_positions_are_sorted_worst_first() -> None:
    lines = page(demonstration_board(), 100, 60)
    order = [line[2:5] for line in lines if line.startswith(UNICODE.gutter) and " to liquidation" in line]
    assert order == ["ETH", "BTC", "SOL"]


def test_position_without_liquidation_price_comes_last() -> None:
    safe = replace(eth_row(), liquidation_price=None, distance=None, hour_moves=None, probability_24h=None)
    assert worst_first((safe, btc_row(), sol_row()))[-1] is safe
    assert "no liquidation price" in render_text(replace(demonstration_board(), positions=(safe,)), 100)


def test_small_terminal_shows_the_worst_position_in_full_and_all_others() -> None:
    lines = page(demonstration_board(), 80, 24)
    assert any("Next: adds 35.20 if mark falls to 2,835.20" in line for line in lines)
    assert sum(line.startswith(UNICODE.gutter) for line in lines) == 5 + 3 + 3


def test_next_action_is_cut_between_clauses_not_inside() -> None:
    text = render_text(demonstration_board(), 80)
    assert "Next: adds 35.20 if mark falls to 2,835.20 (-0.4 %), 64.80 left\n" in text


def test_stale_row_is_grey_throughout_and_says_so() -> None:
    lines = page_lines(stale_board(), 100, 60, UNICODE)
    rows = [line for line in lines if plain(line).startswith(UNICODE.gutter)]
    sol = rows[10:15]
    assert "stale 14 s" in plain(sol[0])
    assert "holds: no fresh mark for 14 s" in plain(sol[4])
    assert set().union(*(roles_of(line) for line in sol)) <= {"faint", "calm"}


def test_stale_data_is_named_in_the_strip() -> None:
    assert "STALE" in page(stale_board(), 80, 24)[1]
    assert "STALE" not in page(demonstration_board(), 80, 24)[1]


def test_strip_never_shows_a_stale_distance_as_a_fresh_one() -> None:
    stale = replace(eth_row(), mark_age_ms=14_000)
    strip = page_lines(replace(demonstration_board(), positions=(stale,)), 100, 30, UNICODE)
    assert "ETH long, stale" in plain(strip[1])
    assert not any(part.text.strip() == "2.1 %" and part.role != "faint" for part in strip[0])


def test_danger_is_a_word_not_only_a_colour() -> None:
    assert "DANGER  2.1 % to liquidation" in render_text(demonstration_board(), 80)


def test_halted_entries_are_said_with_their_cause() -> None:
    board = replace(demonstration_board(), is_entries_halted=True, halt_cause="daily loss 5.2 % above 5.0 %")
    lines = page(board, 100, 40)
    assert "HALTED" in lines[0]
    assert lines[2] == "Entries halted: daily loss 5.2 % above 5.0 %. Open positions stay protected."


def test_strip_keeps_the_mode_the_distance_and_the_guard_on_a_narrow_terminal() -> None:
    values = page(demonstration_board(), 40, 24)[0].split()
    assert values[:4] == ["PAPER", "2.1", "%", "armed"]


def test_empty_board_says_what_the_bot_waits_for() -> None:
    text = render_text(empty_board(), 80)
    assert "No open position.\n" in text
    assert "Next 5m candle closes in 2m 10s; then ema_cross looks at BTC/USDT" in text
    assert "No margin moved yet." in text


def test_liquidation_before_and_after_a_move_is_shown_where_there_is_room() -> None:
    assert "liquidation  2,817.20 →  2,788.60" in render_text(demonstration_board(), 140)
    assert "2,817.20" not in render_text(demonstration_board(), 80)


@pytest.mark.parametrize("mode", ["paper", "testnet", "live"])
def test_mode_is_a_badge_with_its_own_word_and_role(mode: Mode) -> None:
    badge = page_lines(replace(demonstration_board(), mode=mode), 80, 24, UNICODE)[0][0]
    assert badge == (f" {mode.upper()} ", mode)


def test_hint_how_to_end_is_there_whenever_it_fits() -> None:
    assert page(demonstration_board(), 100, 40)[-1].endswith("Ctrl-C ends; stops stay")
    assert page(demonstration_board(), 140, 40)[-1].endswith("Ctrl-C ends the bot; stops stay on the venue")
    assert page(empty_board(), 40, 20)[-1].endswith("Ctrl-C ends; stops stay")


def test_margin_is_split_into_initial_and_added() -> None:
    text = render_text(demonstration_board(), 100)
    assert "margin 218.14 (182.94 + 35.20)" in text
    assert "margin 506.00 (547.00 - 41.00)" in text
    assert "margin 342.60  uPnL" in text


@pytest.mark.parametrize(
    ("hours", "distance", "word"),
    [
        (2.9, 0.30, "danger"),
        (5.9, 0.30, "caution"),
        (6.1, 0.01, "calm"),
        (None, 0.019, "danger"),
        (None, 0.05, "calm"),
    ],
)
def test_alarm_follows_typical_hours_and_distance_only_without_them(
    hours: float | None, distance: float, word: str
) -> None:
    assert level_of(replace(eth_row(), hour_moves=hours, distance=distance)) == word


def test_position_that_cannot_be_liquidated_is_calm() -> None:
    assert level_of(replace(eth_row(), distance=None)) == "calm"
