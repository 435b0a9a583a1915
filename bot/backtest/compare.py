"""The same trades held in every way: static margin, the exchange's switch, each policy, cross margin.

Trades are opened at fixed times on recorded candles, long and short, and every way holds exactly these: what
differs is margin alone, so differences are paired. Set-up of margin-science 4.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.backtest.bars import Bars, bars_of
from bot.backtest.claims import claim_result
from bot.backtest.comparison import Comparison, Span, way_result
from bot.backtest.compiler import can_compile, compiler, uncompiled
from bot.backtest.trade_walk import Rulebook, Walk, Walked, trade_walk
from bot.backtest.ways import CLAIMS, STATIC, Plan, Way, claim_ways, compared_ways
from bot.core.instrument import margin_rules
from bot.core.profile import BINANCE_USDM, MarginRules
from bot.core.timeframe import HOUR_MS, timeframe_text
from bot.errors import UserError
from bot.evidence.paired import week_of
from bot.risk.derisk_case import derisk_limits
from bot.risk.limits import MarginLimits
from bot.sim.embedded import instrument_for
from bot.sim.series import MarketHistory, Series

# The study's account is small beside its positions: there three quarters of it may stand behind one.
STUDY_LIMITS: Final = MarginLimits(position_cap_fraction=0.75)

_WORTH_COMPILING: Final = 2_000_000  # policy decisions; fewer are made sooner than numba compiles


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

    `say` is told the progress. UserError: a range too short for one trade, a margin that the account lacks.
    """
    _check(plan, histories)
    markets = [_market(history, series) for history in histories for series in history.series]
    trades = _opened(markets, plan)
    compared, others = compared_ways(plan, policies), claim_ways(plan)
    bars = sum(plan.horizon_ms // markets[index].timeframe_ms for index in trades.market.tolist())
    is_long = bars * (len(compared) + len(others)) > _WORTH_COMPILING and can_compile()
    say(f"{len(trades.row)} trades{', compiling' if is_long else ''}.")
    walks = _walks([*compared, *others], compiler() if is_long else uncompiled)
    bar_hours = np.array([market.timeframe_ms / HOUR_MS for market in markets])[trades.market]
    results, walked = [], {}
    for way in compared:
        walked[way.name] = _walk_all(walks[way.policy.name], way, markets, trades, plan, limits)
        results.append(way_result(way.name, walked[way.name], walked[STATIC], trades.week, bar_hours))
        say(f"{way.name}: {results[-1].liquidations} of {len(trades.row)} liquidated.")
    for way in others:
        walked[way.name] = _walk_all(walks[way.policy.name], way, markets, trades, plan, limits)
    return Comparison(
        tuple(dict.fromkeys(market.symbol for market in markets)),
        tuple(Span(item.timeframe_ms, item.start_ms, item.end_ms) for item in histories),
        len(trades.row),
        len(np.unique(trades.week)),
        tuple(results),
        tuple(claim_result(each, walked, trades.week, bar_hours) for each in CLAIMS if each.ours in walked),
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


def _walks(ways: Sequence[Way], compile_: Callable[[Any], Any]) -> dict[str, Walk]:
    """One walk for each policy: compiling one takes seconds."""
    policies = {way.policy.name: way.policy for way in ways}
    return {name: trade_walk(policy, compile_) for name, policy in policies.items()}


def _walk_all(
    walk: Walk,
    way: Way,
    markets: Sequence[_Market],
    trades: _Trades,
    plan: Plan,
    limits: MarginLimits,
) -> NDArray[np.float64]:
    """The rows of all trades in one way; columns are those of Walked."""
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
            markets[index].bars, row, side, terms[index], markets[index].rules, rulebook, way.params
        )
    return found
