"""The texts of settings: what is read, and what is refused."""

import math

import pytest

from bot.settings.values import (
    checked_symbols,
    seconds_from_text,
    speed_from_text,
    speed_text,
    symbols_from_text,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("2h", 7_200), ("1.5h", 5_400), ("1d", 86_400), ("45", 45)],
)
def test_a_duration_is_read_in_its_unit(text, seconds):
    assert seconds_from_text(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "0", "-5m", "ten", "5y", "m", "1h30m"])
def test_a_duration_that_says_nothing_is_refused(text):
    with pytest.raises(ValueError, match="90s"):
        seconds_from_text(text)


@pytest.mark.parametrize(("text", "speed"), [("1x", 1.0), ("60x", 60.0), ("0.5", 0.5), ("max", math.inf)])
def test_a_speed_survives_being_written_and_read(text, speed):
    assert speed_from_text(text) == speed
    assert speed_from_text(speed_text(speed)) == speed


@pytest.mark.parametrize("text", ["", "x", "fast", "60y", "60xx", "1 x x"])
def test_another_speed_is_refused(text):
    with pytest.raises(ValueError, match="60x"):
        speed_from_text(text)


def test_symbols_keep_their_order():
    assert symbols_from_text("ETH/USDT:USDT, BTC/USDT:USDT") == ("ETH/USDT:USDT", "BTC/USDT:USDT")


@pytest.mark.parametrize("symbols", [(), ("BTCUSDT",), ("BTC/USDT",), ("BTC/USDT:USDT", "BTC/USDT:USDT")])
def test_symbols_that_name_no_perpetual_or_one_twice_are_refused(symbols):
    with pytest.raises(ValueError, match=r"symbol"):
        checked_symbols(symbols)
