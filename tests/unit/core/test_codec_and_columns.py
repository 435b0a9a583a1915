"""What is journalled comes back equal; columns are cut without copying."""

import json

import numpy as np
import pytest

from bot.core.candles import Candles
from bot.core.codec import from_json, to_json
from bot.core.event import MarkPrice, OrderFilled
from bot.core.intent import AddMargin, Intent
from bot.core.position import Position

POSITION = Position("BTC", 1, 0.5, 60_000.0, 500.0, 10.0, 7)


@pytest.mark.parametrize(
    "value",
    [
        MarkPrice(1, "BTC", 60_000.1, 60_000.2),
        Intent(3, "r1s3add", 5, AddMargin("BTC", 123.45), "band_low", {"distance": 0.05, "note": None}),
        OrderFilled(1, "BTC", "c", 9, "entry", 1, 2.0, 3.0, 0.0, 0.1, False, 0.0, POSITION, 10.0),
        (POSITION, None, ("a", 1.5, True)),
        {"plain": {"nested": (1, 2)}},
    ],
)
def test_values_survive_json_text(value: object) -> None:
    assert from_json(json.loads(json.dumps(to_json(value)))) == value


def test_lists_come_back_as_tuples() -> None:
    assert from_json(json.loads(json.dumps(to_json([1, [2]])))) == (1, (2,))


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(KeyError, match="Nothing"):
        from_json({"type": "Nothing"})


def test_the_tail_of_candles_is_a_view_of_the_last_rows() -> None:
    column = np.arange(5.0)
    candles = Candles(np.arange(5), *[column] * 6)
    tail = candles.tail(2)
    assert tail.open_ms.tolist() == [3, 4]
    assert np.shares_memory(tail.close, column)
