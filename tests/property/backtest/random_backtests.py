"""Random markets, strategies, policies and limits, played by the paper session and by the exact engine."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.exact import ExactRun
from bot.backtest.recital import Recital, Told, said_of
from bot.clock import WallClock
from bot.core.candles import Candles
from bot.core.event import CandleClosed, FeedGap, FundingDue, MarkPrice
from bot.core.instrument import Instrument, margin_rules
from bot.core.profile import BINANCE_USDM
from bot.core.signal import Signals
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.engine.desk import Desk
from bot.engine.engine import Engine
from bot.engine.outbox import Outbox
from bot.engine.reconcile import begin
from bot.engine.run import Session
from bot.engine.state import NEVER_MS, Market, State
from bot.engine.window import CandleWindow
from bot.ports import Commit
from bot.risk.estimates import MarketEstimates, market_estimates
from bot.risk.limits import AllocationLimits, BracketLimits, CapLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from bot.sim.candle_builder import pick, resample
from bot.sim.config import VenueConfig
from bot.sim.feed import VenueFeed
from bot.sim.replay import ReplayMarket
from bot.sim.series import Funding, Gap, MarketHistory, Series
from bot.sim.venue import SimulatedVenue
from bot.strategy import Strategy, build_signals

MINUTE_MS: Final = 60_000
START_MS: Final = 1_738_368_000_000
WARM_BARS: Final = 1_500
WINDOW: Final = 200
_TIERS = tiers_from_rows(
    [LeverageTier(0.0, 50_000.0, 0.01, 0.0, 50.0), LeverageTier(50_000.0, 1e9, 0.02, 500.0, 20.0)]
)
_MARKET = (MarkPrice, CandleClosed, FundingDue, FeedGap)
_SYMBOLS: Final = ("AAA/USDT:USDT", "BBB/USDT:USDT", "CCC/USDT:USDT")


class Coin(Strategy):
    """Enters and leaves on candles that the digits of the close choose."""

    timeframe = "5m"

    def __init__(self, entries: int = 7, exits: int = 23, stop: float = 0.01) -> None:
        super().__init__()
        self._entries, self._exits, self._stop = entries, exits, stop

    @property
    def warmup(self) -> int:
        return 5

    def signals(self, candles: Candles) -> Signals:
        digits = np.floor(candles.close * 1e6).astype(np.int64)
        enters, is_up = digits % self._entries == 0, digits % 2 == 0
        leaves = digits % self._exits == 0
        return build_signals(
            enters & is_up, enters & ~is_up, long_exits=leaves, short_exits=leaves, stop_distance=self._stop
        )


class Case(NamedTuple):
    """One random backtest: its market, and everything that decides in it."""

    history: MarketHistory
    timeframe_ms: int
    strategy: Coin
    policy: str
    margin: MarginLimits
    entry: EntryLimits
    bracket: BracketLimits
    allocation: AllocationLimits
    caps: CapLimits
    config: VenueConfig
    deposit_quote: float


def random_case(seed: int, bars: int = 600) -> Case:
    """Return the case of a seed."""
    draw = np.random.default_rng(seed)
    symbols = _SYMBOLS[: int(draw.integers(1, 4))]
    history = _history(draw, symbols, bars)
    has_allocation = draw.random() < 0.15
    return Case(
        history,
        int(draw.choice([MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS])),
        Coin(
            int(draw.choice([2, 5, 9, 40, 90])),
            int(draw.integers(9, 60)),
            float(draw.choice([0.006, 0.01, 0.03])),
        ),
        str(draw.choice(sorted(POLICIES))),
        MarginLimits(
            add_cooldown_ms=int(draw.choice([60_000, 300_000])),
            release_cooldown_ms=int(draw.choice([180_000, 900_000])),
            min_step_quote=float(draw.choice([0.1, 1.0])),
            min_step_fraction=0.001,
            allow_derisk=int(draw.integers(0, 2)),
        ),
        EntryLimits(min_reward_to_risk=1.0, daily_loss_fraction=0.5, max_leverage=50),
        BracketLimits(),
        AllocationLimits(budget_fraction=0.3) if has_allocation else AllocationLimits(),
        CapLimits(cut_above=float(draw.choice([0.0, 1.1]))),
        VenueConfig(
            half_spread_fraction=float(draw.choice([0.0, 0.0001])),
            impact_fraction=float(draw.choice([0.0, 0.0005])),
            depth_quote=dict.fromkeys(symbols, float(draw.choice([3_000.0, 1e9]))),
            latency_ms=int(draw.choice([0, 50, 20_000])),
            latency_jitter_ms=int(draw.choice([0, 30])),
            seed=seed,
        ),
        float(draw.choice([500.0, 10_000.0])),
    )


def calm_case(seed: int, bars: int = 1_200) -> Case:
    """Return a case of few entries, long holding and rare funding, so that most candles pass."""
    case, draw = random_case(seed, bars), np.random.default_rng(1_000_000 + seed)
    symbols = _SYMBOLS[: int(draw.integers(1, 3))]
    due = START_MS + 7 * 60 * MINUTE_MS * np.arange(1, bars // 420 + 1, dtype=np.int64)
    funding = Funding(due, 0.0002 * draw.standard_normal(due.size))
    move = float(draw.choice([0.0003, 0.0006]))
    series = tuple(_series(draw, symbol, bars, move)._replace(funding=funding) for symbol in symbols)
    return case._replace(
        history=MarketHistory(MINUTE_MS, START_MS, START_MS + bars * MINUTE_MS, series, ()),
        timeframe_ms=int(draw.choice([MINUTE_MS, 5 * MINUTE_MS])),
        strategy=Coin(9, 97, 0.03),
        policy=str(draw.choice(["static", "stop_anchor", "distance_band", "trend_regime", "volatility"])),
        config=case.config._replace(latency_ms=50, depth_quote=dict.fromkeys(symbols, 1e9)),
        allocation=AllocationLimits(),
        deposit_quote=10_000.0,
    )


def _history(draw: np.random.Generator, symbols: Iterable[str], bars: int) -> MarketHistory:
    move = float(draw.choice([0.0003, 0.001, 0.003, 0.012]))
    series = tuple(_series(draw, symbol, bars, move) for symbol in symbols)
    return MarketHistory(MINUTE_MS, START_MS, START_MS + bars * MINUTE_MS, series, ())


def _series(draw: np.random.Generator, symbol: str, bars: int, move: float) -> Series:
    count = WARM_BARS + bars
    close = 100.0 * np.exp(np.cumsum(move * draw.standard_t(3, count)))
    last = _candles(draw, close, move, bars)
    mark = _candles(draw, close * (1.0 + 0.3 * move * draw.standard_normal(count)), move, bars)
    funding = _funding(draw, bars)
    gaps: tuple[Gap, ...] = ()
    if draw.random() < 0.3:
        first = WARM_BARS + int(draw.integers(50, bars - 100))
        length = int(draw.integers(1, 40))
        kept = np.ones(count, np.bool_)
        kept[first : first + length] = False
        last, mark = pick(last, kept), pick(mark, kept)
        from_ms = START_MS + (first - WARM_BARS) * MINUTE_MS
        gaps = (Gap(from_ms, from_ms + length * MINUTE_MS),)
    return Series(symbol, last, mark if draw.random() < 0.5 else None, funding, gaps)


def _candles(draw: np.random.Generator, close: NDArray[np.float64], move: float, bars: int) -> Candles:
    count = len(close)
    open_ = np.concatenate((close[:1], close[:-1]))
    reach = 1.0 + 0.8 * move * draw.random((2, count))
    open_ms = START_MS + MINUTE_MS * np.arange(-WARM_BARS, bars, dtype=np.int64)
    high, low = np.maximum(open_, close) * reach[0], np.minimum(open_, close) / reach[1]
    return Candles(open_ms, open_, high, low, close, np.ones(count), np.zeros(count))


def _funding(draw: np.random.Generator, bars: int) -> Funding:
    due = START_MS + 20 * MINUTE_MS * np.arange(1, bars // 20, dtype=np.int64)
    if draw.random() < 0.3:
        due = due + 30_000  # within a bar
    return Funding(due, 0.001 * draw.standard_normal(due.size))


def instrument(symbol: str) -> Instrument:
    """Return a perpetual whose price is around 100."""
    return Instrument(
        symbol, 0.01, 0.1, 0.1, 5.0, 1e-8, 1.0, False, 0.0002, 0.0005, 0.0125, 50.0, 28_800_000, _TIERS
    )


def venue_of(case: Case) -> SimulatedVenue:
    """Return the venue of a case, with its deposit."""
    known = {series.symbol: instrument(series.symbol) for series in case.history.series}
    return SimulatedVenue(known, BINANCE_USDM, case.config, case.deposit_quote)


def engine_of(case: Case, **desk: Any) -> Engine:
    """Return the engine of a case."""
    markets = {
        series.symbol: Market(
            instrument(series.symbol),
            margin_rules(instrument(series.symbol), BINANCE_USDM),
            CandleWindow(WINDOW),
        )
        for series in case.history.series
    }
    state = State(markets, timeframe_ms=case.timeframe_ms)
    policy = POLICIES[case.policy]
    risk = RiskManager(
        case.policy, policy.default, case.margin, case.entry, case.bracket, case.allocation, case.caps
    )
    outbox = Outbox(state, "T")
    age_ms = case.margin.max_mark_age_ms
    return Engine(Desk(state, risk, case.strategy, "coin", outbox, case.timeframe_ms, age_ms, **desk))


class _ListJournal:
    def __init__(self) -> None:
        self.commits: list[Commit] = []

    def commit(self, commit: Commit) -> None:
        self.commits.append(commit)

    def recover(self) -> None:
        return None


class Played(NamedTuple):
    """What happened, in order, and what the account held at the end."""

    events: list[Any]
    intents: list[Any]
    notes: list[Any]
    free_quote: float
    engine: Engine
    venue: SimulatedVenue


def played_by_session(case: Case) -> Played:
    """Play a case through the loop that trades, tick by tick."""
    engine, venue, journal = engine_of(case), venue_of(case), _ListJournal()
    for market in engine.state.markets.values():
        market.evidence.forecast_hour = NEVER_MS  # the exact engine tells no forecasts
    source = ReplayMarket(case.history, case.timeframe_ms, venue.position_side)
    feed = VenueFeed(source, venue, WallClock(), float("inf"))
    session = Session(engine, feed, venue, journal, dict, lambda _commit: None)

    async def live() -> None:
        for symbol, market in engine.state.markets.items():
            engine.warm_up(symbol, await feed.history(symbol, case.timeframe_ms, market.window.size))
        begin(engine, await venue.account(), case.history.start_ms)
        await session.run()

    asyncio.run(live())
    noted = [each for commit in journal.commits for each in (*commit.events, *commit.notes)]
    return Played(
        [each for each in noted if _is_venue(each)],
        [intent for commit in journal.commits for intent in commit.intents],
        [each for each in noted if not _is_venue(each) and not isinstance(each, _MARKET)],
        engine.state.free_quote,
        engine,
        venue,
    )


def played_exactly(case: Case, *, passes_candles: bool = True) -> tuple[Played, ExactRun]:
    """Play the same by the exact engine, signals recited; quiet candles pass unless told not to."""
    told = {}
    for series in case.history.series:
        closed = resample(series.candles, MINUTE_MS, case.timeframe_ms, series.funding)
        said = said_of(case.strategy, "coin", series.symbol, closed)
        told[series.symbol] = Told(closed, said, _windowed(closed, case.timeframe_ms))
    engine, venue = engine_of(case, readings=Recital(told)), venue_of(case)
    heard: list[Any] = []
    run = ExactRun(engine, venue, case.history, heard.append, told if passes_candles else None)
    run.warm_up()
    run.run(lambda _bars: None)
    intents = [each for each in heard if type(each).__name__ == "Intent"]
    venue_events = [each for each in heard if _is_venue(each)]
    notes = [each for each in heard if type(each).__name__ != "Intent" and not _is_venue(each)]
    return Played(venue_events, intents, notes, engine.state.free_quote, engine, venue), run


def _windowed(candles: Candles, timeframe_ms: int) -> NDArray[np.float64]:
    """Return the estimates of the very windows that the session has, to the last digit."""
    table = np.full((len(candles.close), len(MarketEstimates._fields)), np.nan)
    for row in range(len(candles.close)):
        window = pick(candles, slice(max(row + 1 - WINDOW, 0), row + 1))
        table[row] = market_estimates(window, timeframe_ms)
    return table


def _is_venue(event: Any) -> bool:
    return type(event).__name__ in {
        "LeverageSet",
        "OrderAccepted",
        "OrderFilled",
        "OrderCancelled",
        "Refused",
        "MarginAdjusted",
        "FundingSettled",
        "Liquidated",
    }
