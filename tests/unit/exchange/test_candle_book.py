"""When a candle is closed, and which ones are missing."""

from bot.exchange.candle_book import CandleBook, Missing
from bot.exchange.told import CandleTold

MINUTE_MS = 60_000
BTC = "BTC/USDT:USDT"


def told(minute: int, close: float = 1.0, is_closed: bool = False) -> CandleTold:
    open_ms = minute * MINUTE_MS
    return CandleTold(open_ms + 1, BTC, open_ms, 1.0, 2.0, 0.5, close, 3.0, is_closed)


def book(next_minute: int = 10) -> CandleBook:
    made = CandleBook(MINUTE_MS)
    made.begin(BTC, next_minute * MINUTE_MS)
    return made


def test_a_candle_that_forms_is_not_closed() -> None:
    made = book()
    assert made.hear(told(10)) == (None, [])
    assert made.hear(told(10, 1.5)) == (None, [])


def test_a_candle_is_closed_by_its_flag() -> None:
    made = book()
    made.hear(told(10))
    assert made.hear(told(10, 1.7, is_closed=True)) == (None, [told(10, 1.7, is_closed=True)])


def test_a_candle_whose_flag_was_missed_is_closed_by_the_next_one() -> None:
    made = book()
    made.hear(told(10, 1.4))
    assert made.hear(told(11)) == (None, [told(10, 1.4)])


def test_a_candle_is_handed_out_once() -> None:
    made = book()
    made.hear(told(10))
    _, closed = made.hear(told(10, is_closed=True))
    assert made.close(closed[0], 0.0) is not None
    assert made.hear(told(11)) == (None, [])
    assert made.close(closed[0], 0.0) is None


def test_candles_that_were_never_told_are_missing() -> None:
    made = book(next_minute=10)
    missing, closed = made.hear(told(13, is_closed=True))
    assert missing == Missing(BTC, 10 * MINUTE_MS, 13 * MINUTE_MS)
    assert [each.open_ms for each in closed] == [13 * MINUTE_MS]


def test_an_old_candle_after_the_history_is_nothing_new() -> None:
    assert book(next_minute=10).hear(told(9, is_closed=True)) == (None, [])


def test_the_event_carries_its_close_time_and_the_settled_rate() -> None:
    event = book().close(told(10, 1.5), 0.0002)
    assert event is not None
    assert (event.ts_ms, event.timeframe_ms, event.close, event.funding_rate) == (
        11 * MINUTE_MS,
        MINUTE_MS,
        1.5,
        0.0002,
    )
