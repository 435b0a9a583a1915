"""Figures and rows on standard output."""

import json
from decimal import Decimal

import pytest

from bot.cli.output import aligned, cell, columns, show_json, show_rows

_COLUMNS = columns("symbol", "amount_quote#:amount")
_ROWS = [{"symbol": "BTC", "amount_quote": Decimal("12.50")}, {"symbol": "SOLUSD", "amount_quote": -3.0}]


def test_columns_line_up_with_numbers_to_the_right():
    assert aligned(_ROWS, _COLUMNS) == ["symbol  amount", "BTC       12.5", "SOLUSD      -3"]


def test_rows_in_a_pipe_are_aligned_text_without_control_characters(capsys):
    show_rows(_ROWS, _COLUMNS, as_json=False, empty="none")
    out = capsys.readouterr().out
    assert out.splitlines() == aligned(_ROWS, _COLUMNS)
    assert "\x1b" not in out


def test_rows_in_a_terminal_are_a_table(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show_rows([{"symbol": "[bold]BTC", "amount_quote": 1.0}], _COLUMNS, as_json=False, empty="none")
    out = capsys.readouterr().out
    assert "[bold]BTC" in out, "text is never read as markup"
    assert "amount" in out


def test_a_narrow_terminal_gets_whole_numbers_as_records(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "16")
    show_rows(_ROWS, _COLUMNS, as_json=False, empty="none")
    assert capsys.readouterr().out.splitlines() == [
        *("symbol  BTC", "amount  12.5", ""),
        *("symbol  SOLUSD", "amount  -3", ""),
    ]


def test_no_rows_are_said_in_words_and_an_empty_list_in_json(capsys):
    show_rows([], _COLUMNS, as_json=False, empty="No margin was moved yet.")
    assert capsys.readouterr().out == "No margin was moved yet.\n"
    show_rows([], _COLUMNS, as_json=True, empty="No margin was moved yet.")
    assert json.loads(capsys.readouterr().out) == []


def test_json_writes_decimals_as_numbers_and_has_no_infinities(capsys):
    show_json({"a": Decimal("0.1"), "b": float("inf"), "c": float("nan"), "d": (1, None)})
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"a": 0.1, "b": None, "c": None, "d": [1, None]}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        (True, "yes"),
        (0.0, "0"),
        (61_234.5, "61,234.50"),
        (-61_234.5, "-61,234.50"),
        (0.000031, "0.000031"),
        (150.25, "150.25"),
        (float("inf"), "inf"),
        (Decimal("0.0963855421"), "0.0963855"),
        ({"a": 1}, '{"a": 1}'),
        (7, "7"),
    ],
)
def test_a_cell_says_what_matters(value, text):
    assert cell(value) == text
