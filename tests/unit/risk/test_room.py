"""Between which wallets the allocator may move a position: what is wanted and permitted, nothing else."""

import math

import pytest

from bot.core.margin import liquidation_price
from bot.risk.band import Band
from bot.risk.limits import MarginLimits
from bot.risk.permissions import UNRESTRICTED, Permissions
from bot.risk.release import anchor_floor, spare_at_venue
from bot.risk.room import Room, wallet_room
from bot.risk.view import MarginBook, MarginView
from bot.risk.wallet import target_wallet
from tests.property.risk.worlds import RULES, book_of, position_of, view_of

LIMITS = MarginLimits()
BAND = Band(0.05, 0.08, 0.20)
VIEW = view_of(position_of(wallet=600.0, leverage=50.0))
BOOK = book_of(agreed=5_000.0, equity=100_000.0)
NOW_MS = VIEW.ts_ms


def room(
    view: MarginView = VIEW,
    book: MarginBook = BOOK,
    band: Band = BAND,
    limits: MarginLimits = LIMITS,
    permissions: Permissions = UNRESTRICTED,
) -> Room:
    return wallet_room(view, liquidation_price(view.position, RULES), band, book, limits, permissions)


def test_the_band_is_the_room_where_nothing_stands_against_it() -> None:
    found = room()
    assert found[:2] == pytest.approx((target_wallet(VIEW, 0.05), target_wallet(VIEW, 0.20)))
    assert found[2:] == (True, True)


def test_behind_a_resting_stop_nothing_is_held_beyond_the_target() -> None:
    assert room(VIEW._replace(stop_price=57_500.0)).high == pytest.approx(target_wallet(VIEW, 0.08))


@pytest.mark.parametrize(
    ("book", "most"),
    [
        (book_of(agreed=700.0, equity=100_000.0), 700.0),
        (book_of(agreed=5_000.0, equity=3_000.0), 750.0),
        (book_of(agreed=5_000.0, equity=100_000.0, added=1_100.0), 700.0),
        (book_of(agreed=500.0, equity=100_000.0), 600.0),
        (book_of(agreed=5_000.0, equity=100_000.0, adds=6), 600.0),
    ],
)
def test_caps_and_used_up_adds_bound_it_above(book: MarginBook, most: float) -> None:
    assert room(book=book).high == pytest.approx(most)


def test_an_add_waits_for_its_cooldown_but_in_an_emergency_without_a_stop() -> None:
    book = BOOK._replace(last_add_ms=NOW_MS - 59_999)
    assert not room(book=book).may_add
    assert room(book=book._replace(last_add_ms=NOW_MS - 60_000)).may_add
    near = VIEW._replace(mark=55_000.0)
    assert room(near, book).may_add
    assert not room(near._replace(stop_price=54_500.0), book).may_add


@pytest.mark.parametrize(
    ("limits", "permissions"),
    [(LIMITS._replace(allow_release=0), UNRESTRICTED), (LIMITS, Permissions(allow_release=False))],
)
def test_where_no_release_is_allowed_the_wallet_is_the_floor(
    limits: MarginLimits, permissions: Permissions
) -> None:
    assert room(limits=limits, permissions=permissions).low == 600.0


@pytest.mark.parametrize(
    ("view", "book"),
    [
        (VIEW, BOOK._replace(last_release_ms=NOW_MS - 3_599_999)),
        (VIEW, BOOK._replace(last_add_ms=NOW_MS - 3_599_999)),
        (VIEW._replace(is_high_volatility=True), BOOK),
        (VIEW._replace(stop_price=54_000.0), BOOK),
        (VIEW._replace(stop_price=60_100.0), BOOK),
    ],
)
def test_what_may_not_be_released_now_keeps_its_room(view: MarginView, book: MarginBook) -> None:
    found = room(view, book)
    assert not found.may_release
    assert room(view._replace(stop_price=0.0)).low <= found.low


def test_no_release_passes_the_stop_anchor_or_the_venues_rule() -> None:
    stopped = VIEW._replace(stop_price=56_000.0)
    low = room(stopped).low
    assert low == pytest.approx(anchor_floor(stopped, LIMITS))
    assert low > target_wallet(stopped, BAND.low)
    tight = VIEW._replace(position=VIEW.position._replace(leverage=12.0))
    assert room(tight).low == pytest.approx(600.0 - spare_at_venue(tight, LIMITS))


def test_a_position_without_adds_left_gives_nothing_below_its_target() -> None:
    assert room(book=BOOK._replace(adds=6)).low == pytest.approx(target_wallet(VIEW, BAND.target))


def test_nothing_is_released_to_where_the_derisk_ladder_is_consulted() -> None:
    assert room(permissions=Permissions(derisk_below=0.07)).low == pytest.approx(target_wallet(VIEW, 0.07))
    below = VIEW._replace(mark=56_000.0)
    assert room(below, permissions=Permissions(derisk_below=0.07)).high == 600.0


def test_an_add_that_cannot_reach_the_band_is_not_made_unless_it_may_fall_short() -> None:
    far, book = Band(0.30, 0.35, 0.40), BOOK._replace(agreed_loss_quote=700.0)
    assert room(band=far, book=book)[:2] == (600.0, 600.0)
    assert room(band=far, book=book, permissions=Permissions(may_fall_short=True))[:2] == (700.0, 700.0)


@pytest.mark.parametrize(
    ("view", "band"),
    [(VIEW._replace(sigma_day=math.nan), BAND), (VIEW, Band(math.nan, math.nan, math.nan))],
)
def test_unknown_numbers_leave_no_room_that_anyone_could_use(view: MarginView, band: Band) -> None:
    assert all(math.isnan(end) for end in room(view, band=band)[:2])
