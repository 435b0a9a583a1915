"""Margin moves, the account as the port reports it, outcomes, checkpoints and the embedded market."""

import math

import orjson
import pytest

from bot.core.event import CandleClosed, FeedGap, MarginAdjusted, MarkPrice
from bot.core.intent import AddMargin, Intent, OpenPosition, PlaceStop, ReleaseMargin, SetLeverage
from bot.core.margin import removable_margin
from bot.core.profile import BINANCE_USDM, MarginRules
from bot.errors import UserError
from bot.sim.config import VenueConfig
from bot.sim.embedded import SYMBOLS, instrument_for
from bot.sim.ledger import FREE, MARKET, Ledger
from bot.sim.venue import SimulatedVenue

SYMBOL = "AAA/USDT:USDT"


@pytest.fixture
def held(bench):
    """Return a bench with a long of 10 at 100 whose leverage setting is 50 and whose wallet is 100."""
    bench.do(SetLeverage(SYMBOL, 50))
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    bench.do(AddMargin(SYMBOL, 100.0))
    return bench


def test_an_add_brings_the_wallet_to_its_target(bench) -> None:
    bench.do(OpenPosition(SYMBOL, 1, 10.0))
    (moved,) = bench.do(AddMargin(SYMBOL, 120.0))
    assert isinstance(moved, MarginAdjusted)
    assert moved.amount_quote == pytest.approx(70.5)
    assert moved.position.isolated_wallet == pytest.approx(120.0)
    assert moved.free_quote == pytest.approx(10_000.0 - 50.0 - 70.5)


def test_a_release_gives_exactly_what_the_venue_allows(held, instrument) -> None:
    rules = MarginRules(instrument.tiers, BINANCE_USDM, False, instrument.tick_size)
    position = held.do(SetLeverage(SYMBOL, 50)) and held.do(AddMargin(SYMBOL, 101.0))[0].position
    removable = removable_margin(position, 100.0, rules)
    assert held.code(ReleaseMargin(SYMBOL, 101.0 - removable - 1e-6)) == "beyond_removable"
    (moved,) = held.do(ReleaseMargin(SYMBOL, 101.0 - removable))
    assert moved.amount_quote == pytest.approx(-removable)


@pytest.mark.parametrize("kind", [AddMargin, ReleaseMargin])
@pytest.mark.parametrize(
    ("target", "code"),
    [
        (100.0, "below_minimum"),
        (math.nan, "not_finite"),
        (math.inf, "not_finite"),
        (0.0, "not_finite"),
        (-5.0, "not_finite"),
    ],
)
def test_an_impossible_target_is_refused(held, kind, target, code) -> None:
    assert held.code(kind(SYMBOL, target)) == code


def test_a_target_on_the_wrong_side_of_the_wallet_is_refused(held) -> None:
    assert held.code(AddMargin(SYMBOL, 90.0)) == "below_minimum"
    assert held.code(ReleaseMargin(SYMBOL, 110.0)) == "below_minimum"


def test_more_than_the_free_balance_cannot_be_added(held) -> None:
    assert held.code(AddMargin(SYMBOL, 100.0 + held.free() + 0.01)) == "insufficient_balance"
    held.do(AddMargin(SYMBOL, 100.0 + held.free()))
    assert held.free() == pytest.approx(0.0, abs=1e-9)


def test_margin_without_a_position_is_refused(bench) -> None:
    assert bench.code(AddMargin(SYMBOL, 10.0)) == "no_position"
    assert bench.code(ReleaseMargin(SYMBOL, 10.0)) == "no_position"
    assert bench.code(AddMargin("ZZZ/USDT:USDT", 10.0)) == "unknown_symbol"


async def test_the_account_counts_free_positions_and_orders_as_the_wallet(held) -> None:
    held.do(OpenPosition(SYMBOL, 1, 10.0, "limit", 90.0), "limit")
    held.do(PlaceStop(SYMBOL, 1, 95.0), "stop")
    account = await held.venue.account()
    assert account.wallet_quote == pytest.approx(10_000.0 - 0.5)
    assert account.free_quote == pytest.approx(10_000.0 - 100.0 - 0.5 - 900.0 / 50.0 - 0.45)
    assert [(order.client_id, order.leg, order.trigger_price) for order in account.orders] == [
        ("limit", "entry", 0.0),
        ("stop", "stop", 95.0),
    ]
    assert account.leverage == {SYMBOL: 50}
    assert account.positions[0].isolated_wallet == pytest.approx(100.0)
    assert set(await held.venue.instruments()) == {SYMBOL}


async def test_the_outcome_of_a_request_is_remembered_and_of_an_unsent_one_is_none(bench) -> None:
    intent = Intent(1, "entry", bench.ts_ms, OpenPosition(SYMBOL, 1, 1.0), "test", {})
    assert await bench.venue.outcome_of(intent) is None
    events = await bench.venue.execute(intent)
    assert await bench.venue.outcome_of(intent) == events
    restored = SimulatedVenue(await bench.venue.instruments(), BINANCE_USDM, bench.config, 10_000.0)
    restored.restore(orjson.loads(orjson.dumps(bench.venue.snapshot())))
    assert await restored.outcome_of(intent) == events
    for _ in range(30):
        bench.do(SetLeverage(SYMBOL, 20))
    assert await bench.venue.outcome_of(intent) == ()


def test_a_refused_duplicate_leaves_the_first_outcome_alone(bench) -> None:
    first = bench.do(SetLeverage(SYMBOL, 20), "one")
    bench.do(SetLeverage(SYMBOL, 10), "one")
    assert bench.venue.snapshot()["memory"]["outcomes"]["one"][0]["leverage"] == first[0].leverage


def test_a_checkpoint_of_other_symbols_is_refused(bench, instrument) -> None:
    other = SimulatedVenue(
        {"BBB/USDT:USDT": instrument}, BINANCE_USDM, VenueConfig(0.0, 0.0, {"BBB/USDT:USDT": 1.0}), 1.0
    )
    with pytest.raises(UserError, match="AAA/USDT:USDT"):
        other.restore(bench.venue.snapshot())


def test_candles_and_gaps_change_nothing(bench) -> None:
    before = bench.venue.snapshot()
    candle = CandleClosed(2_000, SYMBOL, 60_000, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0)
    for event in (candle, FeedGap(2_000, SYMBOL, 3_000)):
        assert bench.venue.is_quiet(event)
        assert list(bench.venue.advance(event)) == []
    after = bench.venue.snapshot()
    assert {**after, "now_ms": 0} == {**before, "now_ms": 0}


def test_nothing_can_be_ordered_before_the_first_price(instrument) -> None:
    venue = SimulatedVenue({SYMBOL: instrument}, BINANCE_USDM, VenueConfig(0.0, 0.0, {SYMBOL: 1.0}), 100.0)
    (refused,) = venue.handle(Intent(1, "a", 5, OpenPosition(SYMBOL, 1, 1.0), "test", {}))
    assert getattr(refused, "code", "") == "unknown_symbol"
    assert venue.is_quiet(MarkPrice(6, SYMBOL, 100.0, 100.0))


def test_an_inverse_position_keeps_its_money_in_the_base_coin(new_bench, instrument) -> None:
    bench = new_bench(instrument=instrument._replace(is_inverse=True, quantity_step=1.0), deposit=10.0)
    filled = bench.do(OpenPosition(SYMBOL, 1, 100.0))[-1]
    assert filled.position.isolated_wallet == pytest.approx(1.0 / 20.0 - 0.0005)
    bench.tick(125.0)
    averaged = bench.do(OpenPosition(SYMBOL, 1, 100.0))[-1].position
    assert averaged.entry_price == pytest.approx(200.0 / (1.0 + 0.8))
    assert bench.venue.conservation_error() < 1e-12


@pytest.mark.parametrize(
    "changes",
    [
        {"half_spread_fraction": -0.1},
        {"impact_fraction": 1.0},
        {"impact_fraction": math.nan},
        {"latency_ms": -1},
        {"depth_quote": {}},
        {"depth_quote": {SYMBOL: 0.0}},
    ],
)
def test_an_impossible_config_is_refused(new_bench, changes) -> None:
    config = VenueConfig(0.0, 0.0, {SYMBOL: 1.0})._replace(**changes)
    with pytest.raises(UserError):
        new_bench(config)


@pytest.mark.parametrize("deposit", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_deposit_is_refused(new_bench, deposit) -> None:
    with pytest.raises(UserError):
        new_bench(deposit=deposit)


def test_a_ledger_only_moves_money() -> None:
    ledger = Ledger(100.0)
    ledger.transfer(FREE, "wallet:A", 30.0)
    ledger.transfer(MARKET, "wallet:A", -5.0)
    assert ledger.trader_quote() == 95.0
    assert ledger.sweep("wallet:A", FREE) == 25.0
    assert ledger.sweep("wallet:A", FREE) == 0.0
    assert ledger.conservation_error() == 0.0
    ledger.restore({**ledger.snapshot(), FREE: 96.0})
    assert ledger.conservation_error() == pytest.approx(0.01)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_embedded_instruments_have_continuous_tiers(symbol: str) -> None:
    instrument = instrument_for(symbol)
    tiers = instrument.tiers
    at_cap = tiers.notional_cap[:-1]
    below = at_cap * tiers.maintenance_margin_rate[:-1] - tiers.maintenance_amount[:-1]
    above = at_cap * tiers.maintenance_margin_rate[1:] - tiers.maintenance_amount[1:]
    assert below == pytest.approx(above)
    assert instrument.max_leverage == tiers.max_leverage[0]


def test_an_unknown_embedded_symbol_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="DOGE/USDT:USDT"):
        instrument_for("PEPE/USDT:USDT")


def test_embedded_tiers_are_the_recorded_ones(shared) -> None:
    recorded = orjson.loads((shared / "market" / "binance_leverage_tiers.json").read_bytes())
    for symbol in SYMBOLS:
        tiers = instrument_for(symbol).tiers
        rows = recorded[symbol]
        assert list(tiers.notional_cap) == [row["maxNotional"] for row in rows]
        assert list(tiers.maintenance_margin_rate) == [row["maintenanceMarginRate"] for row in rows]
        assert list(tiers.maintenance_amount) == [row["info"]["cum"] for row in rows]
        assert list(tiers.max_leverage) == [row["maxLeverage"] for row in rows]
