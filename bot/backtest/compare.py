"""The same trades held in every way: static margin, the exchange's switch, each policy, cross margin.

Trades are opened at fixed times on recorded candles, long and short, and every way holds exactly these: what
differs is margin alone, so differences are paired. Set-up of margin-science 4.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.bars import Bars, bars_of
from bot.backtest.comparison import Comparison, Span, way_result
from bot.backtest.compiler import can_compile, compiler, uncompiled
from bot.backtest.held_trade import Terms
from bot.backtest.trade_walk import Rulebook, Walked, trade_walk
from bot.core.instrument import margin_rules
from bot.core.profile import BINANCE_USDM, MarginRules
from bot.core.timeframe import HOUR_MS, timeframe_text
from bot.errors import UserError
from bot.evidence.paired import week_of
from bot.risk.derisk_case import derisk_limits
from bot.risk.limits import MarginLimits
from bot.risk.policies import DEFAULT_POLICY, POLICIES, Policy
from bot.sim.embedded import instrument_for
from bot.sim.series import MarketHistory, Series

STATIC: Final = "static"
SWITCH: Final = "exchange_auto_add"
CROSS: Final = "cross"
LADDER: Final = f"{DEFAULT_POLICY}_with_derisk_ladder"
VENUE_LEVERAGE: Final = 25.0
# The study's account is small beside its positions: there three quarters of it may stand behind one.
STUDY_LIMITS: Final = MarginLimits(position_cap_fraction=0.75)

_WORTH_COMPILING: Final = 2_000_000  # policy decisions; fewer are made sooner than numba compiles


class Plan(NamedTuple):
    """What is opened, and when. Money in quote, fractions of price, 0.0: no stop, no target.

    A stop fills `gap_share` of the way from it to the extreme of its candle (margin-science 4: a quarter).
    `every_ms` is counted from 1970, so that the same range always has the same trades.
    """

    leverage: float = 10.0
    notional_quote: float = 5_000.0
    account_quote: float = 2_000.0
    stop_fraction: float = 0.03
    target_fraction: float = 0.06
    horizon_ms: int = 72 * HOUR_MS
    every_ms: int = 8 * HOUR_MS
    sides: tuple[int, ...] = (1, -1)
    fee_rate: float = 0.0005
    slippage: float = 0.0005
    gap_share: float = 0.25


class Way(NamedTuple):
    """One way of holding a trade; the terms lack symbol and horizon, which are the market's."""

    name: str
    policy: Policy
    terms: Terms


class _Trades(NamedTuple):
    """All trades in columns; `market` indexes the markets, `row` is the bar at whose close it is entered."""

    market: NDArray[np.int64]
    row: NDArray[np.int64]
    side: NDArray[np.int64]
    week: NDArray[np.int64]


class _Market(NamedTuple):
    """One symbol over one range."""

    symbol: str
    timeframe_ms: int
    start_ms: int
    bars: Bars
    rules: MarginRules


def compare(
    histories: Sequence[MarketHistory],
    plan: Plan,
    policies: Mapping[str, Any],
    limits: MarginLimits,
    say: Callable[[str], None],
) -> Comparison:
    """Return how the trades of `plan` went in every way; `policies` are names with their params.

    A policy named like the switch is left out, as in the calculators: the switch acts at the very touch.
    The de-risk ladder, which the loop may use under every policy, stands beside the default policy.
    `say` is told the progress. UserError: a range too short for one trade, a margin that the account lacks.
    """
    _check(plan, histories)
    markets = [_market(history, series) for history in histories for series in history.series]
    trades = _opened(markets, plan)
    bars = sum(plan.horizon_ms // markets[index].timeframe_ms for index in trades.market.tolist())
    ways = _ways(plan, [name for name in policies if name not in (STATIC, SWITCH)])
    compile_ = compiler() if bars * len(ways) > _WORTH_COMPILING and can_compile() else uncompiled
    say(f"{len(trades.row)} trades{', compiling' if compile_ is not uncompiled else ''}.")
    bar_hours = np.array([market.timeframe_ms / HOUR_MS for market in markets])[trades.market]
    results, walked = [], {}
    for way in ways:
        walk = trade_walk(way.policy, compile_)
        params = policies.get(way.policy.name, way.policy.default)
        walked[way.name] = _walk_all(walk, way, markets, trades, plan, limits, params)
        results.append(way_result(way.name, walked[way.name], walked[STATIC], trades.week, bar_hours))
        say(f"{way.name}: {results[-1].liquidations} of {len(trades.row)} liquidated.")
    return Comparison(
        tuple(dict.fromkeys(market.symbol for market in markets)),
        tuple(Span(item.timeframe_ms, item.start_ms, item.end_ms) for item in histories),
        len(trades.row),
        len(np.unique(trades.week)),
        tuple(results),
    )


def _check(plan: Plan, histories: Sequence[MarketHistory]) -> None:
    longest_ms = max(history.timeframe_ms for history in histories)
    if min(plan.horizon_ms, plan.every_ms) < longest_ms:
        raise UserError(
            f"The candles last {timeframe_text(longest_ms)}; a horizon or a time between entries below that "
            "cannot be walked. Raise --horizon and --every, or use finer candles."
        )
    margin = plan.notional_quote / plan.leverage
    if margin + plan.notional_quote * plan.fee_rate > plan.account_quote:
        raise UserError(
            f"A position of {plan.notional_quote:g} at {plan.leverage:g}x needs {margin:g} of margin and its "
            f"fee, and the account of the comparison has {plan.account_quote:g}. Raise --leverage or "
            "--account, or lower --notional."
        )


def _market(history: MarketHistory, series: Series) -> _Market:
    bars = bars_of(series, history.timeframe_ms, history.start_ms)
    rules = margin_rules(instrument_for(series.symbol), BINANCE_USDM)
    return _Market(series.symbol, history.timeframe_ms, history.start_ms, bars, rules)


def _opened(markets: Sequence[_Market], plan: Plan) -> _Trades:
    """The trades whose whole horizon lies in the range, where the volatility is known."""
    found = [
        (index, row, side, week_of(int(market.bars.close_ms[row])))
        for index, market in enumerate(markets)
        for row in _entry_rows(market, plan)
        for side in plan.sides
    ]
    if not found:
        raise UserError(
            "No trade fits into the range: none can be held for its whole horizon with a known volatility "
            "before it. Choose a longer --timerange, a shorter --horizon, or a range with candles before it."
        )
    return _Trades(*(np.array(column, np.int64) for column in zip(*found, strict=True)))


def _entry_rows(market: _Market, plan: Plan) -> Iterator[int]:
    close_ms = market.bars.close_ms
    is_known = np.isfinite(market.bars.estimates[:, 0]) & (close_ms >= market.start_ms)
    last = plan.horizon_ms // market.timeframe_ms
    for row in np.flatnonzero(is_known & (close_ms % plan.every_ms == 0)).tolist():
        if row + last < len(close_ms):
            yield row


def _ways(plan: Plan, policies: Sequence[str]) -> list[Way]:
    terms = Terms(
        symbol="",
        account_quote=plan.account_quote,
        notional_quote=plan.notional_quote,
        margin_quote=plan.notional_quote / plan.leverage,
        leverage=max(VENUE_LEVERAGE, plan.leverage),
        stop_fraction=plan.stop_fraction,
        target_fraction=plan.target_fraction,
        horizon_bars=0,
        fee_rate=plan.fee_rate,
        slippage=plan.slippage,
        gap_share=plan.gap_share,
        liquidation_fee_rate=0.0,
        is_rescued=False,
        is_derisking=False,
    )
    everything = plan.account_quote - plan.notional_quote * plan.fee_rate
    static = POLICIES[STATIC]
    return [
        Way(STATIC, static, terms),
        # Whoever posts 10x by hand has the leverage set to 10x: the switch adds that margin again.
        Way(SWITCH, static, terms._replace(leverage=plan.leverage, is_rescued=True)),
        *(Way(name, POLICIES[name], terms) for name in policies),
        *(
            Way(LADDER, POLICIES[name], terms._replace(is_derisking=True))
            for name in policies
            if name == DEFAULT_POLICY
        ),
        Way(CROSS, static, terms._replace(margin_quote=everything)),
    ]


def _walk_all(
    walk: Callable[..., Walked],
    way: Way,
    markets: Sequence[_Market],
    trades: _Trades,
    plan: Plan,
    limits: MarginLimits,
    params: Any,
) -> NDArray[np.float64]:
    terms = [
        way.terms._replace(
            symbol=market.symbol,
            horizon_bars=plan.horizon_ms // market.timeframe_ms,
            liquidation_fee_rate=instrument_for(market.symbol).liquidation_fee_rate,
        )
        for market in markets
    ]
    rulebook = Rulebook(limits, derisk_limits(limits))
    found = np.empty((len(trades.row), len(Walked._fields)))
    for trade, (index, row, side, _) in enumerate(zip(*(column.tolist() for column in trades), strict=True)):
        found[trade] = walk(
            markets[index].bars, row, side, terms[index], markets[index].rules, rulebook, params
        )
    return found
