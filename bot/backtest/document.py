"""A backtest as one JSON document: what was played, what was found, and under which settings."""

from typing import Any

from bot import __version__
from bot.backtest.backtest import Backtest
from bot.core.timeframe import timeframe_text
from bot.core.timerange import TimeRange, timerange_text
from bot.evidence.named import named
from bot.settings import effective


def document_of(found: Backtest) -> dict[str, Any]:
    """Return everything but the single trades; null where a figure is not known."""
    plan, result = found.plan, found.result
    return named(
        {
            "version": __version__,
            "engine": result.engine,
            "strategy": plan.settings.strategy.name,
            "parameters": dict(plan.strategy.values),
            "policy": plan.settings.margin.policy,
            "preset": plan.settings.preset,
            "symbols": list(result.symbols),
            "timerange": timerange_text(TimeRange(result.start_ms, result.end_ms)),
            "timeframe": timeframe_text(result.timeframe_ms),
            "detail": timeframe_text(result.detail_ms),
            "fee_rate": plan.fee_rate,
            "played": plan.history.played,
            "warnings": list(found.warnings),
            "cpu_seconds": found.cpu_seconds,
            "candles": result.counts.bars,
            **found.summary._asdict(),
            "evidence": found.evidence,
            "counts": result.counts,
            "halts": list(result.halts),
            "settings": effective(plan.settings),
        }
    )
