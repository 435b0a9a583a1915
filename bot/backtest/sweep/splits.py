"""Stretches of time to choose on and to judge on, which never touch: walk-forward and purged folds.

Source: Lopez de Prado, "Advances in Financial Machine Learning" (2018), chapters 7 and 12. What is purged
keeps a position that was opened before a border from being judged on both sides of it.
"""

from itertools import pairwise
from typing import NamedTuple

from bot.core.timeframe import DAY_MS
from bot.core.timerange import TimeRange, timerange_text
from bot.errors import UserError


class Split(NamedTuple):
    """Parameters are chosen on `train` and judged on `test`; None: nothing is kept back."""

    train: tuple[TimeRange, ...]
    test: TimeRange | None = None

    @property
    def looks_back(self) -> bool:
        """Return whether nothing after the judged stretch was chosen on."""
        return self.test is None or self.train[-1].end_ms <= self.test.start_ms


def undivided(timerange: TimeRange) -> tuple[Split, ...]:
    """Return the one split that chooses on everything and judges on nothing."""
    return (Split((timerange,)),)


def walk_forward(timerange: TimeRange, count: int, purge_ms: int) -> tuple[Split, ...]:
    """Return `count` splits: each is judged on a part of the range and chosen on all before it.

    The range falls into count + 1 equal parts of whole days; `purge_ms` before each border is left out.
    UserError: the parts would be shorter than a day.
    """
    borders = _borders(timerange, count + 1, purge_ms)
    return tuple(
        Split(
            (TimeRange(timerange.start_ms, borders[number + 1] - purge_ms),),
            TimeRange(borders[number + 1], borders[number + 2]),
        )
        for number in range(count)
    )


def purged_folds(timerange: TimeRange, count: int, purge_ms: int) -> tuple[Split, ...]:
    """Return `count` splits: each is judged on one of `count` equal parts and chosen on all others.

    `purge_ms` on both sides of the part is left out. UserError: the parts would be shorter than a day.
    """
    if count < 2:
        raise UserError(
            f"--folds is {count}; one part to judge on and one to choose on make two. Give 2 or more."
        )
    borders = _borders(timerange, count, purge_ms)
    splits = []
    for start_ms, end_ms in pairwise(borders):
        before = TimeRange(timerange.start_ms, start_ms - purge_ms)
        after = TimeRange(end_ms + purge_ms, timerange.end_ms)
        train = tuple(part for part in (before, after) if part.end_ms - part.start_ms >= DAY_MS)
        splits.append(Split(train, TimeRange(start_ms, end_ms)))
    return tuple(splits)


def _borders(timerange: TimeRange, parts: int, purge_ms: int) -> list[int]:
    """The borders of equal parts of whole days, the last part taking what is left."""
    length_ms = (timerange.end_ms - timerange.start_ms) // parts // DAY_MS * DAY_MS
    if parts < 2 or length_ms < DAY_MS + purge_ms:
        raise UserError(
            f"{timerange_text(timerange)} cannot be split into {parts} parts of a day and more beside the "
            "--purge between them. Choose a longer --timerange, fewer parts or a shorter --purge."
        )
    return [*(timerange.start_ms + number * length_ms for number in range(parts)), timerange.end_ms]
