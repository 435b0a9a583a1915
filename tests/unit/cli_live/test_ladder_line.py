"""The ladder drawn on one line: order, place of the mark, edges, labels, both alphabets."""

import re
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.ladder_line import LETTERS, MIN_WIDTH, LadderLine, ladder_line, legend, placed
from bot.cli.screen.glyphs import ASCII, UNICODE, Glyphs, Line, line_width
from bot.risk.view import Rung
from tests.unit.cli_live.demonstration import BTC_RUNGS, SOL_RUNGS


class Drawn(NamedTuple):
    side: int
    mark: float
    rungs: tuple[Rung, ...]
    width: int
    line: LadderLine


def text_of(line: Line) -> str:
    return "".join(part.text for part in line)


def draw(
    side: int, mark: float, rungs: tuple[Rung, ...], width: int = 76, glyphs: Glyphs = UNICODE
) -> LadderLine:
    return ladder_line(side, mark, rungs, price_decimals=2, width=width, glyphs=glyphs)


kinds = st.sampled_from(sorted(LETTERS))
prices = st.floats(min_value=0.01, max_value=1e6)


@st.composite
def drawn(draw_from: st.DrawFn) -> Drawn:
    side = draw_from(st.sampled_from((1, -1)))
    mark = draw_from(prices)
    near = st.floats(min_value=0.5, max_value=1.9).map(lambda factor: factor * mark)
    rungs = tuple(
        Rung(draw_from(near | prices), draw_from(kinds), 1.0) for _ in range(draw_from(st.integers(0, 12)))
    )
    width = draw_from(st.integers(MIN_WIDTH, 120))
    return Drawn(side, mark, rungs, width, draw(side, mark, rungs, width))


@given(drawn())
def test_rail_is_exactly_as_wide_as_asked(case: Drawn) -> None:
    assert line_width(case.line.rail) == case.width


@given(drawn())
def test_labels_never_leave_the_width(case: Drawn) -> None:
    assert line_width(case.line.labels) <= case.width


@given(drawn())
def test_labels_are_always_two_blanks_apart(case: Drawn) -> None:
    words = re.split(r" {2,}", text_of(case.line.labels).strip())
    assert all(re.fullmatch(r"([LSARtT] )?[\d,]+\.\d\d", word) for word in words), words


@given(drawn())
def test_the_mark_is_always_drawn_once_and_labelled(case: Drawn) -> None:
    assert text_of(case.line.rail).count(UNICODE.pointer) == 1
    label = f"{case.mark:,.2f}"
    assert [part.text for part in case.line.labels if part.role == "mark"] == [label]


@given(drawn())
def test_signs_stand_in_the_order_of_their_prices(case: Drawn) -> None:
    """Nudging may move a sign, never past another price."""
    rail = text_of(case.line.rail)
    signs = [sign for sign in rail if sign in LETTERS.values() or sign == UNICODE.pointer]
    best = {letter: [] for letter in LETTERS.values()}
    for rung in case.rungs:
        best[LETTERS[rung.kind]].append(case.side * rung.price)
    pointer = signs.index(UNICODE.pointer)
    for place, sign in enumerate(signs):
        heights = best.get(sign, [])
        if place < pointer:
            assert min(heights) <= case.side * case.mark
        elif place > pointer:
            assert max(heights) >= case.side * case.mark


@given(drawn())
def test_signs_of_distinct_kinds_keep_every_pairwise_order(case: Drawn) -> None:
    one_each = tuple({rung.kind: rung for rung in case.rungs}.values())
    rail = text_of(draw(case.side, case.mark, one_each, case.width).rail)
    height = {LETTERS[rung.kind]: case.side * rung.price for rung in one_each}
    height[UNICODE.pointer] = case.side * case.mark
    heights = [height[sign] for sign in rail if sign in height]
    assert heights == sorted(heights)


@given(drawn())
def test_no_rung_disappears_from_a_line_with_room(case: Drawn) -> None:
    one_each = tuple({rung.kind: rung for rung in case.rungs}.values())
    rail = text_of(draw(case.side, case.mark, one_each, case.width).rail)
    assert {sign for sign in rail if sign in LETTERS.values()} == {LETTERS[rung.kind] for rung in one_each}


@given(drawn())
def test_ascii_draws_the_same_signs_in_ascii(case: Drawn) -> None:
    line = draw(case.side, case.mark, case.rungs, case.width, ASCII)
    assert text_of(line.rail).isascii()
    assert text_of(line.labels) == text_of(case.line.labels)
    translated = text_of(case.line.rail).replace(UNICODE.pointer, ASCII.pointer)
    letters = [sign for sign in translated if sign.isalpha()]
    assert letters == [sign for sign in text_of(line.rail) if sign.isalpha()]


@given(
    st.lists(st.tuples(st.integers(-50, 200), st.integers(1, 12)), min_size=1, max_size=10),
    st.integers(0, 3),
    st.data(),
)
def test_placing_keeps_order_gaps_and_bounds(
    items: list[tuple[int, int]], gap: int, data: st.DataObject
) -> None:
    ideals = sorted(ideal for ideal, _ in items)
    lengths = [length for _, length in items]
    needed = sum(lengths) + gap * (len(items) - 1)
    first = data.draw(st.integers(0, 5))
    end = first + needed + data.draw(st.integers(0, 80))
    pivot = data.draw(st.integers(0, len(items) - 1))
    starts = placed(ideals, lengths, gap, pivot, first=first, end=end)
    assert starts[0] >= first
    assert starts[-1] + lengths[-1] <= end
    assert all(starts[i] + lengths[i] + gap <= starts[i + 1] for i in range(len(starts) - 1))


def test_placing_leaves_everything_where_it_wants_to_be_when_nothing_collides() -> None:
    assert placed([3, 10, 20], [2, 2, 2], 2, 1, first=0, end=30) == [3, 10, 20]


def test_placing_moves_neighbours_outward_and_never_the_pivot() -> None:
    assert placed([10, 10, 10], [1, 1, 1], 0, 1, first=0, end=30) == [9, 10, 11]


def test_long_ladder_at_76_cells_is_drawn_to_scale() -> None:
    line = draw(1, 66561.0, BTC_RUNGS)
    assert text_of(line.rail) == (
        "━━L━━━━━━━━━━━━━━━━S───A───────────────────────────▼────R──t─────────────T──"
    )


def test_scale_is_linear_in_price() -> None:
    rungs = (Rung(100.0, "liquidation", 0.0), Rung(125.0, "stop", 1.0), Rung(200.0, "take_profit", 1.0))
    rail = text_of(draw(1, 150.0, rungs, width=105).rail)
    columns = [rail.index(sign) for sign in "LS▼T"]
    assert columns == [2, 27, 52, 102]


def test_danger_is_on_the_left_for_a_short_too() -> None:
    rail = text_of(draw(-1, 221.35, SOL_RUNGS).rail)
    assert re.sub(r"[━─]", "", rail) == "LS▼tTT"


def test_mirrored_short_draws_the_same_line_as_the_long() -> None:
    """A short's ladder is the long's ladder with prices reflected at the mark."""
    mirrored = tuple(Rung(2 * 66561.0 - rung.price, rung.kind, rung.amount) for rung in BTC_RUNGS)
    assert draw(-1, 66561.0, mirrored).rail == draw(1, 66561.0, BTC_RUNGS).rail


def test_far_take_profit_leaves_the_scale_and_is_named_at_the_edge() -> None:
    rungs = (Rung(98.0, "liquidation", 0.0), Rung(99.0, "stop", 1.0), Rung(110.0, "take_profit", 1.0))
    rail = text_of(draw(1, 100.0, rungs).rail)
    assert rail.endswith(" T +10.0 %▶")
    assert rail.index("▼") - rail.index("L") > 76 // 3


def test_far_liquidation_leaves_the_scale_and_is_named_at_the_edge() -> None:
    rungs = (Rung(40.0, "liquidation", 0.0), Rung(99.0, "stop", 1.0), Rung(102.0, "take_profit", 1.0))
    rail = text_of(draw(1, 100.0, rungs).rail)
    assert rail.startswith("◀L -60.0 % ━━S")


def test_several_far_take_profits_share_one_tag_on_a_narrow_line() -> None:
    rungs = (
        Rung(99.0, "liquidation", 0.0),
        Rung(110.0, "take_profit", 1.0),
        Rung(120.0, "take_profit", 1.0),
        Rung(130.0, "take_profit", 1.0),
    )
    assert text_of(draw(1, 100.0, rungs, width=40).rail).endswith(" TTT +10.0 %▶")
    assert text_of(draw(1, 100.0, rungs, width=120).rail).endswith(" T +10.0 %  T +20.0 %  T +30.0 %▶")


def test_percentages_that_mean_nothing_are_capped() -> None:
    rungs = (Rung(99.0, "liquidation", 0.0), Rung(90_000.0, "take_profit", 1.0))
    assert text_of(draw(1, 100.0, rungs, width=30).rail).endswith(" T > +999 %▶")


def test_missing_labels_are_the_least_important_ones() -> None:
    line = draw(1, 66561.0, BTC_RUNGS, width=30)
    assert text_of(line.labels).split() == ["L", "59,333.60", "66,561.00"]


def test_rungs_without_a_price_are_left_out() -> None:
    rungs = (Rung(0.0, "liquidation", 0.0), Rung(float("inf"), "release", 1.0), Rung(90.0, "stop", 1.0))
    rail = text_of(draw(1, 100.0, rungs).rail)
    assert re.sub(r"[━─]", "", rail) == "S▼"


def test_lone_mark_stands_in_the_middle() -> None:
    assert text_of(draw(1, 100.0, (), width=31).rail).index("▼") == 15


def test_rail_between_liquidation_and_stop_is_told_apart_in_ascii_too() -> None:
    rail = text_of(draw(1, 66561.0, BTC_RUNGS, glyphs=ASCII).rail)
    assert rail.startswith("##L================S---A---")


@pytest.mark.parametrize(("mark", "width"), [(0.0, 76), (-1.0, 76), (float("nan"), 76), (100.0, 29)])
def test_ladder_refuses_a_mark_or_width_it_cannot_draw(mark: float, width: int) -> None:
    with pytest.raises(ValueError, match="the ladder needs"):
        draw(1, mark, BTC_RUNGS, width=width)


def test_legend_names_every_sign_once() -> None:
    text = text_of(legend(UNICODE)).strip()
    assert text == "L liquidation  S stop  A add  ▼ mark  R release  t trail  T take-profit"
