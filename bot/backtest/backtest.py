"""One backtest from plan to figures: the engine chosen, the history played, the tables made."""

import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from bot.backtest import statistics
from bot.backtest.engines import Chosen, Say, choose_engine
from bot.backtest.margin_evidence import MarginEvidence, evidence_of
from bot.backtest.plan import Plan
from bot.backtest.recital import Told
from bot.backtest.result import Result
from bot.backtest.sample_check import doubt_of, doubt_text
from bot.backtest.stage import stage_of
from bot.backtest.summary import Summary, summary_of
from bot.core.timerange import utc_text

_FEW_TRADES = 30


class Backtest(NamedTuple):
    """A finished backtest. `warnings`: what its reader must know; `cpu_seconds`: what playing it took."""

    plan: Plan
    result: Result
    summary: Summary
    evidence: MarginEvidence
    warnings: tuple[str, ...]
    cpu_seconds: float


def backtest(plan: Plan, engine_name: str | None, say: Say) -> Backtest:
    """Return the backtest of a plan; `say` hears how many bars are done. UserError: it cannot be played."""
    chosen = choose_engine(engine_name, plan)
    stage = stage_of(plan, follows=True)
    doubts = tuple(_doubts(plan, stage.told(plan)))
    began = time.process_time()
    result = chosen.engine.play(plan, say, stage)
    cpu_seconds = time.process_time() - began
    equity = statistics.daily(
        result.account.ts_ms,
        result.account.equity_quote(),
        result.start_ms,
        result.end_ms,
        result.deposit_quote,
    )
    evidence = evidence_of(result, statistics.returns_of(equity))
    notices = tuple(_engine_notices(chosen, result))
    warnings = (*plan.history.notices, *notices, *doubts, *_warnings(result))
    return Backtest(plan, result, summary_of(result), evidence, warnings, cpu_seconds)


def _engine_notices(chosen: Chosen, result: Result) -> Iterator[str]:
    if chosen.notice:
        yield chosen.notice
    if result.engine != chosen.engine.name:
        yield f"Played by the {result.engine} engine: the {chosen.engine.name} could not finish it."


def _doubts(plan: Plan, everything: Mapping[str, Told]) -> Iterator[str]:
    """Yield when the strategy speaks first, if that is late, and where it may know too much."""
    for symbol, told in everything.items():
        first = plan.strategy.warmup - 1
        times = told.candles.open_ms[first : first + 1].tolist()
        speaks_ms = times[0] + plan.timeframe_ms if times else plan.history.end_ms
        if speaks_ms > plan.history.start_ms + plan.timeframe_ms:
            yield (
                f"{symbol}: {plan.settings.strategy.name} needs {plan.strategy.warmup} candles before its "
                f"first word, and is silent until {utc_text(speaks_ms)} UTC: the data has too few before it."
            )
        doubt = doubt_of(plan.strategy, symbol, told, plan.history.start_ms)
        if doubt is not None:
            yield doubt_text(plan.settings.strategy.name, doubt)


def _warnings(result: Result) -> Iterator[str]:
    latched = [halt for halt in result.halts if halt.is_latched]
    if latched:
        first = latched[0]
        yield (
            f"Entries were halted on {utc_text(first.ts_ms)} UTC and stayed so, because in a backtest nobody "
            f"resumes: {first.message}. What would have been traded after it is missing; see [halts]."
        )
    failed = next((halt for halt in result.halts if halt.cause == "strategy_error"), None)
    if failed is not None:
        yield f"The strategy failed on {utc_text(failed.ts_ms)} UTC: {failed.message}."
    count = len(result.trades.side)
    if count < _FEW_TRADES:
        yield f"{count} trades ended: too few to say anything of the strategy or the policy."
    if result.counts.invariant_violations:
        yield f"{result.counts.invariant_violations} invariants broke: this is a defect, please report it."
