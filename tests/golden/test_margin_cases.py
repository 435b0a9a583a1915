"""Margin cases against the production formulas: this file only maps fields and compares.

|got - expected| <= max(rel_tol * |expected|, abs_tol or 1e-9), for every expected value.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from bot.calc.scenario import ShockedPosition, shocked_position
from bot.core.margin import (
    bankruptcy_price,
    distance,
    effective_leverage,
    equity,
    liquidation_price,
    maintenance_margin,
    margin_ratio,
    notional,
    removable_margin,
    unrealised_pnl,
    wallet_for_distance,
)
from bot.core.position import Position
from bot.core.probability import (
    STUDENT_SCALE,
    distance_for_probability,
    first_passage_gbm,
    first_passage_student,
    log_distance,
    sigmas_for_probability,
    two_barrier,
)
from bot.core.profile import (
    BINANCE_USDM,
    HYPERLIQUID,
    IN_MAINTENANCE,
    NO_CLOSE_FEE,
    MarginRules,
)
from bot.core.tiers import LeverageTier, Tiers, tiers_from_rows
from bot.core.volatility import ewma_sigma_bar, parkinson_sigma_bar, yang_zhang_sigma_bar
from bot.risk.allocator import AllocationLeg, allocate, legs_from_rows
from bot.risk.pretrade import pretrade_numbers

Case = Any  # tests/golden/conftest.py GoldenCase; test folders are not packages
Fields = Any


def test_margin_case(margin_case: Case) -> None:
    case = margin_case
    kind = case.fields.text("kind")
    if kind not in _COMPUTE:
        case.fields.reject("kind", f"one of {', '.join(_COMPUTE)}")
    expected = case.fields.item("expected")
    if not expected.values:
        case.fields.reject("expected", "an object with at least one value")
    got = _COMPUTE[kind](case, case.fields.item("inputs"), expected)
    limits = (
        case.fields.positive("rel_tol"),
        case.fields.positive("abs_tol") if "abs_tol" in case.fields.values else 1e-9,
    )
    for name, value in expected.values.items():
        if name not in got:
            expected.reject(name, f"one of the values of kind {kind}: {', '.join(got)}")
        _compare(f"{case.case_id}: {name}", got[name], value, limits)


def _compare(place: str, got: Any, expected: Any, limits: tuple[float, float]) -> None:
    if isinstance(expected, list):
        assert isinstance(got, Sequence), f"{place}: expected a list, got {got!r}"
        assert len(got) == len(expected), f"{place}: expected {expected!r}, got {got!r}"
        for index, (one, wanted) in enumerate(zip(got, expected, strict=True)):
            _compare(f"{place}[{index}]", one, wanted, limits)
    elif isinstance(expected, dict):
        for name, wanted in expected.items():
            assert isinstance(got, Mapping), f"{place}: expected an object, got {got!r}"
            assert name in got, f"{place}: field {name!r} is not one of {', '.join(got)}"
            _compare(f"{place}.{name}", got[name], wanted, limits)
    elif isinstance(expected, bool | str) or isinstance(got, bool | str):
        assert got == expected, f"{place}: expected {expected!r}, got {got!r}"
    elif isinstance(expected, int | float) and math.isfinite(expected):
        error = abs(got - expected)
        assert error <= max(limits[0] * abs(expected), limits[1]), (
            f"{place}: expected {expected!r}, got {got!r}"
        )
    else:
        pytest.fail(f"{place}: the expected value {expected!r} must be a finite number", pytrace=False)


def _snapshot(case: Case, inputs: Fields, _expected: Fields) -> dict[str, Any]:
    rules, rules_with_fee = _case_rules(case, inputs), _case_rules_with_fee(case, inputs)
    mark = inputs.positive("mark")
    position = _case_position(inputs)
    liquidation = liquidation_price(position, rules_with_fee)
    return {
        "quantity": position.quantity,
        "notional_at_mark": notional(position, mark, rules),
        "unrealised_pnl": unrealised_pnl(position, mark, rules),
        "equity": equity(position, mark, rules),
        "maintenance_margin": maintenance_margin(position, mark, rules),
        "margin_ratio": margin_ratio(position, mark, rules),
        "liquidation_price": liquidation,
        "bankruptcy_price": bankruptcy_price(position, rules),
        "distance_to_liquidation": distance(position.side, mark, liquidation),
        "effective_leverage": effective_leverage(position, mark, rules),
    }


def _margin_for_distance(case: Case, inputs: Fields, _expected: Fields) -> dict[str, Any]:
    rules, position = _case_rules_with_fee(case, inputs), _case_position(inputs)
    mark, wanted = inputs.positive("mark"), inputs.number("target_distance")
    target = wallet_for_distance(position, mark, wanted, rules)
    return {
        "target_liquidation_price": liquidation_price(position._replace(isolated_wallet=target), rules),
        "target_margin": target,
        "delta_margin": target - position.isolated_wallet,
    }


def _max_removable(case: Case, inputs: Fields, _expected: Fields) -> dict[str, Any]:
    rules, mark = _case_rules(case, inputs), inputs.positive("mark")
    position = _case_position(inputs)._replace(leverage=1.0 / inputs.positive("imr"))
    return {
        "binance_rule": removable_margin(position, mark, rules._replace(profile=BINANCE_USDM)),
        "hyperliquid_rule": removable_margin(position, mark, rules._replace(profile=HYPERLIQUID)),
    }


def _portfolio_shock(case: Case, inputs: Fields, expected: Fields) -> dict[str, Any]:
    name = "positions" if "positions" in inputs.values else "legs"
    legs = inputs.items(name)
    results = [_shocked_leg(case, inputs, leg, index) for index, leg in enumerate(legs)]
    symbols = [leg.values.get("symbol", str(index)) for index, leg in enumerate(legs)]
    margins = [leg.positive(_first_of(leg, "margin", "isolated_margin")) for leg in legs]
    return _shock_answers(symbols, margins, results, expected)


def _shocked_leg(case: Case, inputs: Fields, leg: Fields, index: int) -> ShockedPosition:
    entry, leverage = leg.positive(_first_of(leg, "entry", "entry_price")), leg.positive("leverage")
    margin = leg.positive(_first_of(leg, "margin", "isolated_margin"))
    position = Position("", leg.side(), margin * leverage / entry, entry, margin, leverage)
    rules = _case_rules(case, leg if "tiers" in leg.values or "symbol" not in leg.values else _by_symbol(leg))
    return shocked_position(position, entry * (1.0 + _shock(inputs, leg, index)), rules)


def _by_symbol(leg: Fields) -> Fields:
    return leg._replace(values={**leg.values, "tiers": leg.text("symbol")})


def _shock(inputs: Fields, leg: Fields, index: int) -> float:
    if "shock" in leg.values:
        return leg.number("shock")
    shocks = inputs.values.get(_first_of(inputs, "shocks", "shock"))
    if isinstance(shocks, list):
        return inputs.numbers(_first_of(inputs, "shocks", "shock"))[index]
    if isinstance(shocks, dict):
        return inputs.item(_first_of(inputs, "shocks", "shock")).number(leg.text("symbol"))
    return inputs.number("shock")


def _first_of(fields: Fields, *names: str) -> str:
    return next((name for name in names if name in fields.values), names[0])


def _shock_answers(
    symbols: list[str], margins: list[float], results: list[ShockedPosition], expected: Fields
) -> dict[str, Any]:
    """Every spelling of the answer: per leg (list, by symbol, or objects) and for the whole book."""
    equities = [margin + result.pnl for margin, result in zip(margins, results, strict=True)]
    columns: dict[str, list[Any]] = {
        "mark": [result.mark for result in results],
        "liquidation_price": [result.liquidation_price for result in results],
        "liquidated": [result.is_liquidated for result in results],
        "pnl": [result.pnl for result in results],
        "equity": equities,
    }
    answers: dict[str, Any] = {}
    for name, column in columns.items():
        by_symbol = isinstance(expected.values.get(name), dict)
        answers[name] = dict(zip(symbols, column, strict=True)) if by_symbol else column
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    answers["legs"] = [{"symbol": symbol, **row} for symbol, row in zip(symbols, rows, strict=True)]
    names_liquidated = [s for s, result in zip(symbols, results, strict=True) if result.is_liquidated]
    wanted = expected.values.get("liquidated")
    if isinstance(wanted, list) and not any(isinstance(entry, bool) for entry in wanted):
        answers["liquidated"] = names_liquidated
    total_pnl = sum(columns["pnl"])
    totals = {
        "total_pnl": total_pnl,
        "total_loss": -total_pnl,
        "total_margin": sum(margins),
        "total_equity": sum(equities),
        "liquidations": len(names_liquidated),
    }
    return answers | totals | {alias: (answers | totals)[name] for alias, name in _SHOCK_ALIASES.items()}


_SHOCK_ALIASES = {
    "positions": "legs",
    "pnls": "pnl",
    "leg_pnl": "pnl",
    "liquidation_prices": "liquidation_price",
    "liquidated_legs": "liquidated",
    "liquidated_count": "liquidations",
    "n_liquidated": "liquidations",
    "portfolio_pnl": "total_pnl",
    "equity_after": "total_equity",
    "remaining": "total_equity",
    "remaining_equity": "total_equity",
    "remaining_margin": "total_equity",
    "total_remaining": "total_equity",
}


def _gbm(_case: Case, inputs: Fields, _expected: Fields) -> dict[str, Any]:
    mark, barrier, side = inputs.positive("mark"), inputs.positive("barrier"), inputs.side()
    days = inputs.positive("horizon_days")
    away = log_distance(mark, barrier) if side * (mark - barrier) > 0.0 else 0.0
    sigma = inputs.positive("sigma_per_sqrt_day") * math.sqrt(days)
    drift = side * inputs.number("log_drift_per_day") * days
    return {"log_distance": away, "probability": first_passage_gbm(away, sigma, drift)}


def _student(_case: Case, inputs: Fields, _expected: Fields) -> dict[str, Any]:
    _only_fitted_student(inputs)
    sigma = inputs.positive("sigma_per_sqrt_day") * math.sqrt(inputs.positive("horizon_days"))
    return {"probability": first_passage_student(inputs.number("log_distance"), sigma)}


def _inverse_student(_case: Case, inputs: Fields, _expected: Fields) -> dict[str, Any]:
    _only_fitted_student(inputs)
    alpha = inputs.positive("alpha")
    sigma = inputs.positive("sigma_per_sqrt_day") * math.sqrt(inputs.positive("horizon_days"))
    return {"log_distance": distance_for_probability(alpha, sigma), "k_sigma": sigmas_for_probability(alpha)}


def _only_fitted_student(inputs: Fields) -> None:
    if (inputs.number("dof"), inputs.number("scale")) != (4.0, STUDENT_SCALE):
        pytest.skip(f"{inputs.owner}: production knows four degrees of freedom at scale 1.1 only")


def _two_barrier(_case: Case, inputs: Fields, _expected: Fields) -> dict[str, Any]:
    names = ("adverse_log_distance", "favourable_log_distance")
    if not all(name in inputs.values for name in names):
        pytest.skip(f"{inputs.owner}: two_barrier inputs other than {' and '.join(names)}")
    adverse, favourable = (inputs.positive(name) for name in names)
    sigma = inputs.positive("sigma_per_sqrt_day") * math.sqrt(inputs.positive("horizon_days"))
    return {"probability": two_barrier(adverse, favourable, sigma)}


def _volatility(_case: Case, inputs: Fields, _expected: Fields) -> dict[str, Any]:
    open_, high, low, close = (np.array(inputs.numbers(name)) for name in ("open", "high", "low", "close"))
    return {
        "ewma_sigma_per_bar": ewma_sigma_bar(close, inputs.positive("ewma_half_life_bars")),
        "parkinson_sigma_per_bar": parkinson_sigma_bar(high, low),
        "yang_zhang_sigma_per_bar": yang_zhang_sigma_bar(open_, high, low, close),
    }


def _allocator(_case: Case, inputs: Fields, _expected: Fields) -> dict[str, Any]:
    _only_fitted_student(inputs)
    legs = legs_from_rows(
        [_allocation_leg(leg) for leg in inputs.items(_first_of(inputs, "positions", "legs"))]
    )
    split = allocate(legs, inputs.number("budget"), inputs.not_negative("hurdle_per_usdt_per_horizon"))
    return {**split._asdict(), "extra_margin": split.extra_margin.tolist()}


def _allocation_leg(leg: Fields) -> AllocationLeg:
    return AllocationLeg(
        leg.side(),
        leg.positive("notional"),
        leg.not_negative("mmr"),
        leg.positive("sigma_horizon"),
        leg.not_negative("loss_if_liquidated"),
        leg.number("excess_at_zero"),
        leg.not_negative("min_extra"),
        leg.not_negative("max_extra"),
    )


def _pretrade(case: Case, inputs: Fields, _expected: Fields) -> dict[str, Any]:
    numbers = {name: inputs.positive(name) for name in _PRETRADE_POSITIVE}
    costs = {name: inputs.not_negative(name) for name in _PRETRADE_NOT_NEGATIVE}
    inputs.side()
    return pretrade_numbers({**numbers, **costs, "side": inputs.text("side")}, _case_rules(case, inputs))


_PRETRADE_POSITIVE = ("wallet", "risk_fraction", "entry", "stop", "take_profit", "max_leverage")
_PRETRADE_NOT_NEGATIVE = (
    "taker_fee",
    "stop_slippage",
    "sigma_per_sqrt_day",
    "buffer_min",
    "buffer_sigmas",
    "buffer_horizon_days",
)

_COMPUTE: dict[str, Callable[[Case, Fields, Fields], dict[str, Any]]] = {
    "position_snapshot": _snapshot,
    "margin_for_distance": _margin_for_distance,
    "portfolio_shock": _portfolio_shock,
    "max_removable_margin": _max_removable,
    "first_passage_gbm": _gbm,
    "first_passage_student": _student,
    "distance_for_probability": _inverse_student,
    "two_barrier": _two_barrier,
    "pretrade": _pretrade,
    "volatility": _volatility,
    "allocator": _allocator,
}


def _case_position(inputs: Fields) -> Position:
    entry, margin = inputs.positive("entry"), inputs.number("isolated_margin")
    return Position("", inputs.side(), inputs.positive("quantity"), entry, margin, 1.0)


def _case_rules(case: Case, inputs: Fields) -> MarginRules:
    table = inputs.text("tiers")
    if table not in case.tiers:
        inputs.reject("tiers", f"one of the file's tables: {', '.join(case.tiers)}")
    rows = case.fields._replace(values=case.tiers).items(table)
    tiers = _tiers(inputs, [_tier(row) for row in rows])
    return MarginRules(tiers, BINANCE_USDM, False, 0.0)


def _case_rules_with_fee(case: Case, inputs: Fields) -> MarginRules:
    """The case's liq_fee_rate counts in the liquidation price only, not in its maintenance margin."""
    fee_rate = inputs.not_negative("liq_fee_rate")
    rules = _case_rules(case, inputs)
    place = IN_MAINTENANCE if fee_rate > 0.0 else NO_CLOSE_FEE
    return rules._replace(profile=rules.profile._replace(close_fee=place, close_fee_rate=fee_rate))


def _tier(row: Fields) -> LeverageTier:
    cap = math.inf if "cap" in row.values and row.values["cap"] is None else row.positive("cap")
    rate = row.positive("mmr")
    return LeverageTier(row.not_negative("floor"), cap, rate, row.not_negative("cum"), 1.0 / rate)


def _tiers(fields: Fields, rows: list[LeverageTier]) -> Tiers:
    try:
        return tiers_from_rows(rows, is_continuous=False)
    except ValueError as error:
        fields.reject("tiers", f"a valid tier table ({error})")
        raise
