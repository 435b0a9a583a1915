"""The chart of the calculators: within its width, readable without colour, ASCII where it must be."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.screen.chart import LEAST_WIDTH, Axes, Curve, Level, chart_lines
from bot.cli.screen.glyphs import ASCII, UNICODE, line_width, plain

AXES = Axes(lambda y: f"{y:.0f}", lambda x: f"{x:g}", "h")
RISING = Curve("price", "strong", [(0.0, 0.0), (10.0, 100.0)])
HALF = Level("stop", "stop", 50.0)

NUMBERS = st.one_of(st.floats(-1e9, 1e9), st.just(math.nan), st.just(math.inf))


def drawn(curves, levels=(), width=60, glyphs=UNICODE):
    return chart_lines(curves, levels, AXES, width, glyphs)


@given(
    st.lists(st.tuples(NUMBERS, NUMBERS), max_size=30),
    st.integers(20, 160),
    st.sampled_from([UNICODE, ASCII]),
)
def test_a_chart_never_leaves_its_width(points, width, glyphs):
    lines = drawn([Curve("a", "plain", points)], [], width, glyphs)
    assert all(line_width(line) <= width for line in lines)
    assert len(lines) in (0, 14)


def test_a_rising_line_rises_and_bears_its_name_at_its_end():
    text = [plain(line) for line in drawn([RISING], [HALF])]
    assert text[0].endswith(" price")
    assert any(line.endswith(" stop") for line in text)
    first = [
        next((index for index, sign in enumerate(line) if 0x2800 < ord(sign) < 0x2900), -1)
        for line in text[:12]
    ]
    reached = [column for column in first if column >= 0]
    assert reached == sorted(reached, reverse=True)
    assert text[-1].split() == ["0", "10", "h"]


def test_without_braille_each_curve_has_a_sign_of_its_own():
    text = "\n".join(
        plain(line)
        for line in drawn([RISING, Curve("b", "add", [(0.0, 9.0), (9.0, 9.0)])], [HALF], 60, ASCII)
    )
    assert text.isascii()
    assert "*" in text
    assert "o" in text
    assert "---" in text


def test_a_gap_interrupts_the_line():
    broken = Curve("a", "plain", [(0.0, 1.0), (1.0, math.nan), (10.0, 1.0)])
    cells = [sum(0x2800 < ord(sign) < 0x2900 for sign in plain(line)) for line in drawn([broken])]
    assert sum(cells) == 2


@pytest.mark.parametrize(
    ("curves", "width"), [([], 80), ([RISING], LEAST_WIDTH - 1), ([Curve("a", "plain", [])], 80)]
)
def test_nothing_is_drawn_where_nothing_fits(curves, width):
    assert drawn(curves, (), width) == []


def test_prices_are_never_below_zero_on_the_axis():
    assert plain(drawn([RISING])[11]).split()[0] == "0"
