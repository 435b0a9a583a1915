"""The next action in words."""

from bot.risk.view import Rung
from bot.view.board import hour_moves
from bot.view.next_action import held_words, next_action_words, stale_words, waiting_words

LIQUIDATION = Rung(58_000.0, "liquidation", 0.0)
STOP = Rung(60_000.0, "stop", 0.1)
ADD = Rung(61_240.0, "add", 35.2)
RELEASE = Rung(64_100.0, "release", 12.0)
MARK = 62_110.0


def words(*rungs: Rung, side: int = 1, mark: float = MARK, left: float | None = None) -> str:
    return next_action_words(side, mark, rungs, 0, left)


def test_add_and_release_are_said_with_price_percent_and_what_is_left() -> None:
    assert words(LIQUIDATION, STOP, ADD, RELEASE, left=64.8) == (
        "adds 35.20 if mark falls to 61,240 (-1.4 %), 64.80 left; releases 12.00 at 64,100"
    )


def test_short_adds_when_the_mark_rises() -> None:
    assert words(Rung(63_000.0, "add", 5.0), side=-1) == "adds 5.00 if mark rises to 63,000 (+1.4 %)"


def test_without_an_add_rung_the_stop_is_the_danger_side() -> None:
    assert words(LIQUIDATION, STOP) == "the stop closes it if mark falls to 60,000 (-3.4 %)"


def test_without_a_stop_the_liquidation_is_said_plainly() -> None:
    assert words(LIQUIDATION) == "liquidated if mark falls to 58,000 (-6.6 %): no stop is set"


def test_nearest_favourable_rung_is_the_one_said() -> None:
    trail = Rung(63_900.0, "trail", 0.1)
    assert words(RELEASE, trail) == "stop trails at 63,900"
    assert words(Rung(63_000.0, "take_profit", 0.1), trail) == "takes profit at 63,000"


def test_unknown_amount_is_not_written_as_zero() -> None:
    assert words(Rung(61_240.0, "add", 0.0)) == "adds margin if mark falls to 61,240 (-1.4 %)"


def test_add_already_passed_is_due_now() -> None:
    assert words(ADD, mark=61_000.0) == "adds 35.20 now, mark is past 61,240"


def test_release_already_passed_promises_nothing() -> None:
    assert words(STOP, RELEASE, mark=64_500.0) == "the stop closes it if mark falls to 60,000 (-7.0 %)"


def test_a_held_move_is_said_with_its_reason() -> None:
    assert held_words("release_cooldown") == "; a margin move is due but held: release cooldown"
    assert held_words("") == ""


def test_add_never_promises_more_than_is_left() -> None:
    assert words(STOP, ADD, left=20.0) == "adds 20.00 if mark falls to 61,240 (-1.4 %), 20.00 left"
    assert words(STOP, ADD, left=0.0) == "the stop closes it if mark falls to 60,000 (-3.4 %)"


def test_no_rung_is_said() -> None:
    assert words(Rung(0.0, "liquidation", 0.0)) == "no rung is set: nothing is due"


def test_stale_and_waiting_words() -> None:
    assert stale_words(14_000) == "holds: no fresh mark for 14 s; the stop rests on the venue"
    assert waiting_words("5m", 130_000, ("BTC/USDT:USDT", "ETH/USDT:USDT"), "ema_cross") == (
        "Next 5m candle closes in 2m 10s; then ema_cross looks at BTC/USDT, ETH/USDT."
    )


def test_hour_moves_divides_by_the_volatility_of_one_hour() -> None:
    assert hour_moves(0.02, 0.01 * 24**0.5) == 2.0
    assert hour_moves(0.02, 0.0) is None
