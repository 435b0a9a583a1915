"""Testnet trading rehearsed: the bot over ccxt against the embedded exchange, both killed on the way.

At the end the database holds what the exchange holds: positions, orders, margin, fills and balance.
"""

import random
import signal
from pathlib import Path

import pytest

from tests.e2e.rehearsal import Bot, Exchange, known_to_bot, known_to_exchange, wait_until
from tests.e2e.replay_files import SYMBOLS as MADE_UP
from tests.e2e.replay_files import write_candles

DEATHS = 6
DEATHS_IN_A_CRASH = 4
DEATHS_OF_A_DAY = 2
FEW_OF_A_MONTH = 15
FEW_OF_A_CRASH = 10  # how many there are depends on how fast the machine follows such a market; here 30
FEBRUARY = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")


def rehearse(
    folder: Path, data: Path, symbols: tuple[str, ...], timerange: str, speed: str, deaths: int = DEATHS
) -> Bot:
    """Trade the whole market; kill bot and exchange in turns; compare what they know at the end."""
    named = ",".join(symbols)
    replay = ("--feed", "replay", "--data", str(data), "--timerange", timerange)
    exchange = Exchange(folder, *replay, "--symbols", named, "--speed", speed)
    bot = Bot(folder, exchange.port, named)
    bot.live()
    exchange.order("resume")
    moments = random.Random(5)
    for number, share in enumerate((part + moments.random()) / deaths for part in range(deaths)):
        wait_until(lambda share=share: _is_past(exchange, timerange, share))
        if number % 2:
            exchange.die()
            exchange.live()
        else:
            bot.die()
            exchange.order("pause")  # seconds of ours are hours of this market
            bot.live()
        exchange.order("resume")
    wait_until(lambda: exchange.progress()[1])
    assert bot.die(signal.SIGTERM) == 0
    bot.live("--for", "3s")  # a last start reads and books whatever was still on its way
    bot.wait()
    ours, theirs = known_to_bot(bot), known_to_exchange(exchange, list(symbols))
    exchange.die(signal.SIGTERM)
    for what, told in theirs.items():
        assert ours[what] == told, what
    return bot


def _is_past(exchange: Exchange, timerange: str, share: float) -> bool:
    from bot.core.timerange import parse_timerange

    days = parse_timerange(timerange)
    return exchange.progress()[0] >= days.start_ms + share * (days.end_ms - days.start_ms)


def assert_sound(bot: Bot, trades: int) -> None:
    told = bot.summary()
    assert told["trades"] >= trades
    assert told["invariant_violations"] == 0
    assert told["conservation_error"] < 1e-9
    assert {row[0] for row in bot.rows("SELECT DISTINCT status FROM intent")} <= {"done", "refused"}


@pytest.mark.timeout(1200)
def test_a_made_up_market_ends_with_both_sides_agreed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    timerange = write_candles(data, 7, 1)
    assert_sound(rehearse(tmp_path, data, MADE_UP, timerange, "16000x", DEATHS_OF_A_DAY), trades=2)


@pytest.mark.timeout(1500)
def test_the_crash_of_february_2025_ends_with_both_sides_agreed(tmp_path: Path, shared: Path) -> None:
    data = shared / "data" / "binance_usdm_perp"
    found = rehearse(tmp_path, data, FEBRUARY, "20250131-20250205", "30000x", DEATHS_IN_A_CRASH)
    assert_sound(found, trades=FEW_OF_A_CRASH)


@pytest.mark.rehearsal
@pytest.mark.timeout(1500)
def test_february_2025_ends_with_both_sides_agreed(tmp_path: Path, shared: Path) -> None:
    data = shared / "data" / "binance_usdm_perp"
    assert_sound(rehearse(tmp_path, data, FEBRUARY, "20250128-20250225", "30000x"), trades=FEW_OF_A_MONTH)
