"""Numbers as the screen writes them."""

import pytest

from bot.view import figures


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0.0 s"),
        (800, "0.8 s"),
        (9_999, "9.9 s"),
        (14_400, "14 s"),
        (59_999, "59 s"),
        (130_000, "2m 10s"),
        (3_605_000, "1h 00m"),
        (187_000_000, "2d 3h"),
    ],
)
def test_span_never_claims_more_time_than_passed(milliseconds: int, text: str) -> None:
    assert figures.span(milliseconds) == text


def test_zero_has_no_sign() -> None:
    assert figures.money(-0.001) == "0.00"
    assert figures.signed_money(-0.001) == "0.00"
    assert figures.signed_percent(-0.0001) == "0.0 %"
    assert figures.percent(-0.0001) == "0.0 %"


def test_amounts_and_prices_have_thousands_separators() -> None:
    assert figures.money(1234567.891) == "1,234,567.89"
    assert figures.signed_money(1234.5) == "+1,234.50"
    assert figures.price_text(61240.5, 1) == "61,240.5"
    assert figures.quantity_text(1200.5) == "1,200.5"
    assert figures.quantity_text(20.0) == "20"


def test_times_are_utc() -> None:
    assert figures.clock_time(1_738_549_245_000) == "02:20:45"
    assert figures.date_time(1_738_549_245_000) == "2025-02-03 02:20:45 UTC"


def test_symbols_are_shortened_only_by_their_settlement_part() -> None:
    assert figures.pair("BTC/USDT:USDT") == "BTC/USDT"
    assert figures.base_coin("BTC/USDT:USDT") == "BTC"


def test_nouns_are_counted() -> None:
    assert [figures.counted(n, "trade") for n in (0, 1, 2)] == ["0 trades", "1 trade", "2 trades"]
