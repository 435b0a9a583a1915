"""Random backtests that hurt: gaps through stop and liquidation, thin books, slow orders, narrow limits."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.exact import ExactRun
from bot.backtest.kernel.run import KernelRun
from bot.backtest.recital import Recital, Told
from bot.backtest.result import Result
from bot.core.candles import Candles
from bot.core.instrument import Instrument, margin_rules
from bot.core.profile import VenueProfile, venue_profile
from bot.core.signal import Signals
from bot.core.tiers import LeverageTier, Tiers, tiers_from_rows
from bot.engine.desk import Desk
from bot.engine.engine import Engine
from bot.engine.outbox import Outbox
from bot.engine.state import Market, State
from bot.engine.window import CandleWindow
from bot.risk.limits import (
    AllocationLimits,
    BracketLimits,
    CapLimits,
    EntryLimits,
    HaltLimits,
    MarginLimits,
)
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES, Policy
from bot.sim.candle_builder import pick, resample
from bot.sim.config import VenueConfig
from bot.sim.series import Funding, Gap, MarketHistory, Series
from bot.sim.venue import SimulatedVenue
from bot.strategy import Strategy, no_signals

MINUTE_MS: Final = 60_000
START_MS: Final = 1_738_368_000_000
WARM_BARS: Final = 1_600
_WINDOW: Final = 300
SYMBOLS: Final = ("AAA/USDT:USDT", "BBB/USDT:USDT", "CCC/USDT:USDT")
_VENUES: Final = ("binance", "bybit", "okx", "bitget", "gate", "kucoin", "hyperliquid")
_STEEP: Final = tiers_from_rows(
    [
        LeverageTier(0.0, 2_000.0, 0.004, 0.0, 125.0),
        LeverageTier(2_000.0, 20_000.0, 0.01, 12.0, 50.0),
        LeverageTier(20_000.0, 200_000.0, 0.05, 812.0, 10.0),
        LeverageTier(200_000.0, 1e9, 0.125, 15_812.0, 4.0),
    ]
)
_FLAT: Final = tiers_from_rows([LeverageTier(0.0, 1e9, 0.01, 0.0, 50.0)])
_ALLOWED_AGE_MS: Final = 5_000


class Reciting(Strategy):
    """A strategy whose words were drawn beforehand."""

    timeframe = "5m"

    @property
    def warmup(self) -> int:
        return 3

    def signals(self, candles: Candles) -> Signals:
        return no_signals(len(candles.close))


class KernelCase(NamedTuple):
    """One random backtest: its market, what is said of it, and everything that decides in it."""

    history: MarketHistory
    candle_ms: int
    told: dict[str, Told]
    instruments: dict[str, Instrument]
    profile: VenueProfile
    policy: str
    params: Any
    margin: MarginLimits
    entry: EntryLimits
    bracket: BracketLimits
    caps: CapLimits
    halts: HaltLimits
    config: VenueConfig
    deposit_quote: float
    allocation: AllocationLimits = AllocationLimits()


def kernel_case(seed: int, bars: int = 160, symbols: tuple[str, ...] = ()) -> KernelCase:
    """Return the case of a seed; one in four splits one margin budget. `symbols`: as drawn where none."""
    draw = np.random.default_rng(seed)
    drawn = SYMBOLS[: int(draw.choice([1, 1, 2, 3]))]
    symbols = symbols or drawn
    candle_ms = int(draw.choice([MINUTE_MS, 5 * MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS]))
    start_ms = START_MS + int(draw.integers(0, 4)) * 7 * 3_600_000
    history = _history(draw, symbols, bars, start_ms)
    policy = POLICIES[str(draw.choice(sorted(POLICIES)))]
    return KernelCase(
        history,
        candle_ms,
        {series.symbol: _told(draw, series, candle_ms) for series in history.series},
        {symbol: _instrument(draw, symbol) for symbol in symbols},
        venue_profile(str(draw.choice(_VENUES)), 0.0),
        policy.name,
        _params(draw, policy),
        _margin(draw),
        _entry(draw),
        _bracket(draw),
        CapLimits(float(draw.choice([0.0, 1.0, 1.25])), int(draw.choice([60_000, 3_600_000]))),
        _halts(draw),
        VenueConfig(
            float(draw.choice([0.0, 0.0001, 0.002])),
            float(draw.choice([0.0, 0.0005, 0.01])),
            dict.fromkeys(symbols, float(draw.choice([150.0, 3_000.0, 1e9]))),
            int(draw.choice([0, 50, 2_000, 25_000])),
            int(draw.choice([0, 30, 4_000])),
            seed,
        ),
        float(draw.choice([300.0, 5_000.0, 100_000.0])),
        _allocation(draw) if draw.random() < 0.25 else AllocationLimits(),
    )


def split_case(seed: int) -> KernelCase:
    """Return a case of several positions that live long enough for one budget to move margin between them."""
    draw = np.random.default_rng(1_000_000 + seed)
    first, count = int(draw.integers(3)), int(draw.choice([2, 3, 3]))
    case = kernel_case(seed, symbols=(SYMBOLS[first:] + SYMBOLS[:first])[:count])
    return case._replace(
        margin=case.margin._replace(
            add_cooldown_ms=int(draw.choice([0, 0, 60_000])),
            release_cooldown_ms=int(draw.choice([0, 0, 180_000])),
            max_adds=6,
            max_added_fraction=float(draw.choice([2.0, 8.0])),
            position_cap_fraction=1.0,
            reserve_fraction=float(draw.choice([0.0, 0.2])),
            allow_release=1,
        ),
        entry=EntryLimits(
            risk_fraction=float(draw.choice([0.002, 0.01, 0.05])),
            min_reward_to_risk=0.0,
            max_positions=5,
            max_notional_fraction=20.0,
            portfolio_cap_fraction=1.0,
            daily_loss_fraction=1.0,
            max_funding_share=10.0,
            buffer_min=0.001,
            buffer_sigmas=0.0,
            risk_cap_fraction=10.0,
            cascade_cap_fraction=1.0,
        ),
        # Few messages a minute halt a split between its releases and its adds.
        halts=HaltLimits(0.0, 0.0, 0, int(draw.choice([0, 0, 0, 5, 6, 7])), 0.0, 0, 0),
        allocation=_allocation(draw),
    )


def _history(draw: np.random.Generator, symbols: tuple[str, ...], bars: int, start_ms: int) -> MarketHistory:
    move = float(draw.choice([0.0002, 0.0006, 0.003]))
    series = tuple(_series(draw, symbol, bars, move, start_ms) for symbol in symbols)
    return MarketHistory(MINUTE_MS, start_ms, start_ms + bars * MINUTE_MS, series, ())


def _series(draw: np.random.Generator, symbol: str, bars: int, move: float, start_ms: int) -> Series:
    count = WARM_BARS + bars
    wild = np.where(np.arange(count) < WARM_BARS - 30, 1.0, draw.choice([1.0, 12.0]))
    jumps = np.where(draw.random(count) < 0.05, draw.choice([0.0, 0.02, 0.05, 0.2]), 0.0)
    drift = float(draw.choice([-0.5, 0.0, 0.5])) * move
    jumps[: WARM_BARS - 30] = 0.0
    leaps = jumps * draw.standard_normal(count)
    close = 100.0 * np.exp(np.cumsum(move * wild * draw.standard_t(3, count) + drift + leaps))
    has_leap = float(draw.choice([0.0, 1.0, 1.0]))
    last = _candles(draw, close, move, has_leap * leaps, start_ms)
    away = 1.0 + float(draw.choice([0.3, 2.0])) * move * draw.standard_normal(count)
    mark = _candles(draw, close * away, move, has_leap * leaps, start_ms)
    gaps: tuple[Gap, ...] = ()
    if draw.random() < 0.25:
        first = WARM_BARS + int(draw.integers(10, bars - 20))
        length = int(draw.integers(1, 15))
        kept = np.ones(count, np.bool_)
        kept[first : first + length] = False
        last, mark = pick(last, kept), pick(mark, kept)
        from_ms = start_ms + (first - WARM_BARS) * MINUTE_MS
        gaps = (Gap(from_ms, from_ms + length * MINUTE_MS),)
    has_mark = draw.random() < 0.6
    return Series(symbol, last, mark if has_mark else None, _funding(draw, bars, start_ms), gaps)


def _candles(
    draw: np.random.Generator,
    close: NDArray[np.float64],
    move: float,
    leaps: NDArray[np.float64],
    start_ms: int,
) -> Candles:
    """Candles that open where the last one closed, or beyond a leap."""
    count = len(close)
    open_ = np.concatenate((close[:1], close[:-1])) * np.exp(leaps)
    reach = 1.0 + 1.5 * move * draw.random((2, count))
    open_ms = start_ms + MINUTE_MS * np.arange(-WARM_BARS, count - WARM_BARS, dtype=np.int64)
    high, low = np.maximum(open_, close) * reach[0], np.minimum(open_, close) / reach[1]
    return Candles(open_ms, open_, high, low, close, np.ones(count), np.zeros(count))


def _funding(draw: np.random.Generator, bars: int, start_ms: int) -> Funding:
    due = start_ms + 20 * MINUTE_MS * np.arange(0, bars // 20, dtype=np.int64)
    if draw.random() < 0.3:
        due = due + 30_000  # within a bar
    return Funding(due, float(draw.choice([0.0001, 0.003, 0.01])) * draw.standard_normal(due.size))


def _told(draw: np.random.Generator, series: Series, candle_ms: int) -> Told:
    candles = resample(series.candles, MINUTE_MS, candle_ms, series.funding)
    count = len(candles.open_ms)
    stop = draw.choice([0.004, 0.01, 0.03, 0.12], count)
    if draw.random() < 0.3:
        stop[:] = np.nan
    signals = Signals(
        draw.random(count) < float(draw.choice([0.1, 0.5])),
        draw.random(count) < float(draw.choice([0.0, 0.1])),
        draw.choice(np.array([-1, 1], np.int8), count),
        draw.random(count) if draw.random() < 0.5 else np.full(count, np.nan),
        stop,
    )
    return Told(candles, signals, None)


def _instrument(draw: np.random.Generator, symbol: str) -> Instrument:
    tiers: Tiers = _STEEP if draw.random() < 0.6 else _FLAT
    return Instrument(
        symbol,
        float(draw.choice([0.01, 0.5])),
        float(draw.choice([0.001, 0.1])),
        float(draw.choice([0.001, 0.2])),
        float(draw.choice([0.0, 5.0, 5.0, 50.0])),
        float(draw.choice([1e-8, 0.01])),
        1.0,
        False,
        0.0002,
        float(draw.choice([0.0, 0.0005])),
        0.0125,
        float(tiers.max_leverage[0]),
        28_800_000,
        tiers,
    )


def _params(draw: np.random.Generator, policy: Policy) -> Any:
    """Params around the defaults, within their bounds; the ratios of one policy keep their order."""
    default, drawn = policy.default, {}
    factor = float(np.exp(0.4 * draw.standard_normal()))
    for name, bound in policy.bounds.items():
        value = getattr(default, name)
        if isinstance(value, int):
            drawn[name] = int(draw.integers(int(bound.low), int(min(bound.high, 10)) + 1))
        elif policy.name == "margin_ratio_band":
            drawn[name] = min(max(value * factor, bound.low), bound.high)
        else:
            drawn[name] = float(np.clip(value * np.exp(0.4 * draw.standard_normal()), bound.low, bound.high))
    if policy.name == "distance_band" and draw.random() < 0.5:
        drawn["target_distance"] = float(draw.choice([0.02, 0.05]))
    if policy.name == "distance_band" and draw.random() < 0.5:
        drawn["target_atrs"] = 6.0
    return policy.params_type(**drawn)


def _margin(draw: np.random.Generator) -> MarginLimits:
    return MarginLimits(
        max_mark_age_ms=int(draw.choice([1_000, _ALLOWED_AGE_MS, 60_000])),
        min_step_quote=float(draw.choice([0.0, 0.1, 10.0])),
        min_step_fraction=float(draw.choice([0.0, 0.01, 0.05])),
        add_cooldown_ms=int(draw.choice([0, 60_000, 300_000])),
        release_cooldown_ms=int(draw.choice([0, 180_000, 3_600_000])),
        max_adds=int(draw.choice([0, 1, 6])),
        max_added_fraction=float(draw.choice([0.0, 0.5, 2.0, 8.0])),
        position_cap_fraction=float(draw.choice([0.1, 0.25, 1.0])),
        reserve_fraction=float(draw.choice([0.0, 0.2, 0.6])),
        emergency_probability=float(draw.choice([1e-5, 0.005])),
        funding_payments_ahead=int(draw.choice([0, 3])),
        allow_release=int(draw.random() < 0.8),
        volatile_cut_fraction=float(draw.choice([0.0, 0.3, 0.5])),
        volatile_cut_interval_ms=int(draw.choice([0, 600_000])),
        max_volatile_cuts=int(draw.choice([1, 3])),
        allow_derisk=int(draw.random() < 0.7),
        derisk_interval_ms=int(draw.choice([60_000, 900_000])),
        stop_failure_probability=float(draw.choice([0.01, 1.0])),
    )


def _entry(draw: np.random.Generator) -> EntryLimits:
    return EntryLimits(
        risk_fraction=float(draw.choice([0.002, 0.01, 0.05])),
        max_leverage=int(draw.choice([3, 25, 125])),
        min_reward_to_risk=float(draw.choice([0.0, 0.0, 1.0])),
        max_positions=int(draw.choice([1, 2, 5])),
        max_notional_fraction=float(draw.choice([3.0, 20.0])),
        position_cap_fraction=float(draw.choice([0.25, 1.0])),
        portfolio_cap_fraction=float(draw.choice([0.3, 1.0])),
        reserve_fraction=float(draw.choice([0.0, 0.2])),
        daily_loss_fraction=float(draw.choice([0.02, 0.5, 1.0])),
        max_funding_share=float(draw.choice([0.05, 10.0, 10.0])),
        buffer_min=float(draw.choice([0.001, 0.001, 0.01])),
        buffer_sigmas=float(draw.choice([0.0, 0.0, 0.0, 1.0])),
        risk_cap_fraction=float(draw.choice([0.25, 10.0])),
        cascade_cap_fraction=float(draw.choice([0.5, 1.0])),
        claimed_hit_rate=float(draw.choice([0.0, 0.0, 0.0, 0.4])),
        min_strength=float(draw.choice([0.0, 0.0, 0.0, 0.5])),
        min_share_of_wanted=float(draw.choice([0.0, 0.25])),
        forced_cooldown_ms=int(draw.choice([0, 600_000])),
    )


def _bracket(draw: np.random.Generator) -> BracketLimits:
    return BracketLimits(
        first_take_profit_r=float(draw.choice([0.3, 1.5, 20.0])),
        second_take_profit_r=float(draw.choice([3.0, 30.0])),
        take_profit_fraction=float(draw.choice([0.0, 0.5, 1.0])),
        trail_activate_r=float(draw.choice([0.0, 0.3, 1.0])),
        trail_distance_r=float(draw.choice([0.2, 1.0])),
        trail_min_step_r=float(draw.choice([0.01, 0.1])),
    )


def _allocation(draw: np.random.Generator) -> AllocationLimits:
    return AllocationLimits(
        budget_fraction=float(draw.choice([0.01, 0.05, 0.2, 0.6, 0.95])),
        interval_ms=int(draw.choice([60_000, 600_000, 3_600_000])),
        deadband=float(draw.choice([0.01, 0.1, 0.5])),
        annual_hurdle=float(draw.choice([0.001, 0.2, 10.0])),
        liquidation_cost=float(draw.choice([0.0005, 0.005, 0.2])),
        horizon_days=float(draw.choice([0.01, 1.0, 30.0])),
    )


def _halts(draw: np.random.Generator) -> HaltLimits:
    return HaltLimits(
        daily_loss_fraction=float(draw.choice([0.0, 0.0, 0.1, 0.5])),
        drawdown_fraction=float(draw.choice([0.0, 0.0, 0.1, 0.9])),
        orders_per_minute=int(draw.choice([0, 8, 120, 120])),
        messages_per_minute=int(draw.choice([0, 12, 300, 300])),
        price_collar_fraction=float(draw.choice([0.0, 0.0, 0.002, 0.5])),
        max_refusals=int(draw.choice([0, 0, 2, 10])),
        stale_data_ms=int(draw.choice([0, 60_000, 300_000])),
    )


def engine_of(case: KernelCase, **desk: Any) -> Engine:
    """Return the engine of a case."""
    profiles = venue_of(case).profiles
    markets = {
        symbol: Market(each, margin_rules(each, profiles[symbol]), CandleWindow(_WINDOW))
        for symbol, each in case.instruments.items()
    }
    state = State(markets, timeframe_ms=case.candle_ms)
    risk = RiskManager(
        case.policy, case.params, case.margin, case.entry, case.bracket, case.allocation, case.caps
    )
    outbox, age_ms = Outbox(state, "T"), case.margin.max_mark_age_ms
    return Engine(
        Desk(state, risk, Reciting(), "reciting", outbox, case.candle_ms, age_ms, case.halts, **desk)
    )


def venue_of(case: KernelCase) -> SimulatedVenue:
    """Return the venue of a case, with its deposit."""
    return SimulatedVenue(case.instruments, case.profile, case.config, case.deposit_quote)


def played_exactly(case: KernelCase) -> Result:
    """Play a case by the live engine."""
    run = ExactRun(engine_of(case, readings=Recital(case.told)), venue_of(case), case.history)
    run.warm_up()
    run.run(lambda _bars: None)
    return run.result("exact")


def kernel_run(case: KernelCase) -> KernelRun:
    """Prepare a case for the kernel."""
    return KernelRun(engine_of(case), venue_of(case), case.history, case.told)
