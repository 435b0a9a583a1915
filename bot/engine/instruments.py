"""An instrument whose rules the venue changed: what follows for what is held, and who must know it."""

import math

from bot.core.event import InstrumentChanged, Reconciled
from bot.core.instrument import Instrument, margin_rules
from bot.core.intent import Fact
from bot.core.margin import notional
from bot.core.tiers import Tiers, tier_index
from bot.engine import alerts
from bot.engine.desk import Desk
from bot.engine.protection import keep_stop_inside
from bot.engine.state import Holding, Market
from bot.risk.inputs import fault_of_tiers

_MOST_ROWS_TOLD = 12
_NOISE = 1e-9


def on_changed(desk: Desk, market: Market, event: InstrumentChanged) -> None:
    """Take the new rules: liquidation, ladder, caps and sizes follow from them from now on."""
    holding, known = market.holding, market.instrument
    was = market.liquidation_price(holding.position) if holding is not None else 0.0
    market.instrument = event.instrument
    market.rules = margin_rules(event.instrument, event.profile)
    market.evidence.liquidation_known = (None, 0.0)
    market.fault = fault_of_tiers(market.rules.tiers)
    market.liquidation_of = (None, 0.0)
    facts = differences(known, event.instrument)
    alerts.clear(market, alerts.LIQUIDATION_MOVED, alerts.LEVERAGE_ABOVE_TIER)
    if holding is not None and not market.fault:
        facts["liquidation_before"], facts["liquidation"] = was, market.liquidation_price(holding.position)
    desk.outbox.note(Reconciled(event.ts_ms, event.symbol, "instrument", facts))
    if holding is None:
        return
    if not market.fault:
        _follow(desk, market, holding, was)
    holding.wake()


def on_restart(desk: Desk, market: Market, holding: Holding) -> None:
    """Wake a position whose ladder was laid by rules that changed while no process ran."""
    laid = next((rung.price for rung in holding.rungs if rung.kind == "liquidation"), None)
    is_asleep = holding.sleep_high > 0.0
    if laid is None or not is_asleep or market.fault:
        return
    now = market.liquidation_price(holding.position)
    if math.isclose(laid, now, rel_tol=_NOISE):
        return
    facts: dict[str, Fact] = {"liquidation_before": laid, "liquidation": now}
    desk.outbox.note(Reconciled(desk.state.now_ms, market.instrument.symbol, "instrument", facts))
    _follow(desk, market, holding, laid)
    holding.wake()


def differences(known: Instrument, read: Instrument) -> dict[str, Fact]:
    """Return what differs as "before -> now", by field; the tiers' rows that do as one text."""
    pairs = zip(known._fields[:-1], known[:-1], read[:-1], strict=True)
    facts: dict[str, Fact] = {name: f"{was} -> {now}" for name, was, now in pairs if was != now}
    rows = _changed_rows(known.tiers, read.tiers)
    if rows:
        more = f"; and {len(rows) - _MOST_ROWS_TOLD} more" if len(rows) > _MOST_ROWS_TOLD else ""
        facts["tiers"] = "; ".join(rows[:_MOST_ROWS_TOLD]) + more
    return facts


def _changed_rows(known: Tiers, read: Tiers) -> list[str]:
    before, now = _rows(known), _rows(read)
    count = max(len(before), len(now))
    before += ["none"] * (count - len(before))
    now += ["none"] * (count - len(now))
    pairs = enumerate(zip(before, now, strict=True), 1)
    return [f"tier {number}: {old} -> {new}" for number, (old, new) in pairs if old != new]


def _rows(tiers: Tiers) -> list[str]:
    columns = zip(tiers.notional_cap, tiers.maintenance_margin_rate, tiers.max_leverage, strict=True)
    return [f"to {cap:.10g} {100.0 * rate:.6g} % {most:g}x" for cap, rate, most in columns]


def _follow(desk: Desk, market: Market, holding: Holding, was: float) -> None:
    position = holding.position
    now = market.liquidation_price(position)
    if position.side * (now - was) > 0.5 * market.instrument.tick_size:
        alerts.liquidation_moved(desk, market, holding, was, now)
    tiers = market.rules.tiers
    most = float(tiers.max_leverage[tier_index(tiers, notional(position, market.mark, market.rules))])
    if max(position.leverage, market.leverage) > most:
        alerts.leverage_above_tier(desk, market, holding, most)
    keep_stop_inside(desk, market, holding)
