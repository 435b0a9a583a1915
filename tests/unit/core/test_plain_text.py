"""Text of somebody who is not trusted: one line, short, and nothing in it that cannot be seen."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.plain_text import plain_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("add margin", "add margin"),
        ("  a\tb\r\nc  ", "a b c"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("\x1b]0;title\x07", "]0;title"),
        ("a\u202eb\u2066c\u200bd\ufeffe", "a b c d e"),
        ("a\u2028b\u2029c\u0085d", "a b c d"),
        ("half \ud800 sign", "half sign"),
        ("<b>&amp;[bold]", "<b>&amp;[bold]"),
        ("Größe ≥ 5 €", "Größe ≥ 5 €"),
        ("", ""),
    ],
)
def test_what_cannot_be_seen_is_a_space(text: str, shown: str) -> None:
    assert plain_text(text, 100) == shown


def test_it_is_cut_and_does_not_end_in_a_space() -> None:
    assert plain_text("abc def", 4) == "abc"
    assert plain_text("x" * 10_000, 300) == "x" * 300


@given(st.text(st.characters(), max_size=200), st.integers(1, 50))
def test_whatever_comes_is_one_short_line_that_any_file_takes(text: str, longest: int) -> None:
    shown = plain_text(text, longest)
    assert len(shown) <= longest
    assert plain_text(shown, longest) == shown
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert not any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in shown)
