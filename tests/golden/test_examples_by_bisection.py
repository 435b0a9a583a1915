"""The project's own examples, re-derived without the production code: bisection of equity = maintenance.

Each formula is written here from its venue's description, so an example cannot merely repeat the code.
"""

import json
import math
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest

_EXAMPLES = Path(__file__).parent / "examples"
_POSITIONS = json.loads((_EXAMPLES / "positions.json").read_text(encoding="utf-8"))
_CASES = json.loads((_EXAMPLES / "margin_cases.json").read_text(encoding="utf-8"))
_TICKS = {"okx": "one early", "bybit": "early", "gate": "early", "kucoinfutures": "early"}

Price = Callable[[Decimal], Decimal]


def decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def zero_of(excess: Price, safe: Decimal, lost: Decimal) -> Decimal:
    """The price between `safe` (excess > 0) and `lost` (excess <= 0) where the excess is gone."""
    for _ in range(160):
        middle = (safe + lost) / 2
        safe, lost = (middle, lost) if excess(middle) > 0 else (safe, middle)
    return (safe + lost) / 2


def liquidation(side: int, entry: Decimal, excess: Price) -> Decimal:
    """The liquidation price of an excess (equity less maintenance) that is positive at entry."""
    if side > 0:
        return zero_of(excess, entry, Decimal(0)) if excess(Decimal("1e-18")) <= 0 else Decimal(0)
    return zero_of(excess, entry, entry * 100)


def position_excess(row: dict[str, Any]) -> Price:
    side = 1 if row["side"] == "long" else -1
    entry, leverage = decimal(row["entry_price"]), decimal(row["leverage"])
    quantity = decimal(row["contracts"]) * decimal(row["contract_size"])
    rate, amount, fee_rate = (decimal(row[name]) for name in ("mm_rate", "mm_amount", "fee_in_mm"))
    fee = quantity * entry * (1 - side / leverage) * fee_rate
    if row["isolated_margin"] is None:
        wallet = quantity * entry / leverage + fee
    else:
        wallet = decimal(row["isolated_margin"])

    def linear_equity(price: Decimal) -> Decimal:
        return wallet + side * quantity * (price - entry)

    def inverse_excess(price: Decimal) -> Decimal:
        equity = wallet + side * quantity * (1 / entry - 1 / price)
        return equity - (quantity / price * (rate + fee_rate) - amount)

    excesses: dict[str, Price] = {
        "canonical": lambda price: linear_equity(price) - (quantity * price * (rate + fee_rate) - amount),
        "canonical_inverse": inverse_excess,
        "entry_value": lambda price: linear_equity(price) - (quantity * entry * rate - amount + fee),
        "canonical_minus_close_fee": lambda price: (
            linear_equity(price) - fee - (quantity * price * rate - amount)
        ),
        "entry_value_given_mm": lambda price: linear_equity(price) - decimal(row["maintenance_margin"]),
    }
    return excesses[row["formula"]]


def reported(row: dict[str, Any], price: Decimal) -> Decimal:
    rounding, side = _TICKS.get(row["exchange"]), 1 if row["side"] == "long" else -1
    if rounding is None:
        return price
    tick = decimal(row["tick_size"])
    if rounding == "one early":
        return price + side * tick
    return (price / tick).to_integral_value(ROUND_CEILING if side > 0 else ROUND_FLOOR) * tick


def position_answer(row: dict[str, Any]) -> Decimal:
    side, entry = (1 if row["side"] == "long" else -1), decimal(row["entry_price"])
    return reported(row, liquidation(side, entry, position_excess(row)))


def maintenance(table: str, value: Decimal) -> Decimal:
    tiers = _CASES["tiers"][table]
    row = next((row for row in tiers if value <= decimal(row["cap"])), tiers[-1])
    return value * decimal(row["mmr"]) - decimal(row["cum"])


def snapshot_answer(inputs: dict[str, Any]) -> dict[str, Decimal]:
    side = 1 if inputs["side"] == "long" else -1
    names = ("entry", "quantity", "isolated_margin", "mark", "liq_fee_rate")
    entry, quantity, wallet, mark, fee_rate = (decimal(inputs[name]) for name in names)

    def excess(price: Decimal) -> Decimal:
        equity = wallet + side * quantity * (price - entry)
        return equity - maintenance(inputs["tiers"], quantity * price) - fee_rate * quantity * price

    price, equity = liquidation(side, entry, excess), wallet + side * quantity * (mark - entry)
    return {
        "quantity": quantity,
        "notional_at_mark": quantity * mark,
        "unrealised_pnl": side * quantity * (mark - entry),
        "equity": equity,
        "maintenance_margin": maintenance(inputs["tiers"], quantity * mark),
        "margin_ratio": maintenance(inputs["tiers"], quantity * mark) / equity,
        "liquidation_price": price,
        "bankruptcy_price": max(entry - side * wallet / quantity, Decimal(0)),
        "distance_to_liquidation": side * (mark - price) / mark,
        "effective_leverage": quantity * mark / equity,
    }


def margin_answer(inputs: dict[str, Any]) -> dict[str, Decimal]:
    """The margin at which the snapshot's liquidation lies at the wanted price, by bisection on the margin."""
    side, mark = (1 if inputs["side"] == "long" else -1), decimal(inputs["mark"])
    target = mark * (1 - side * decimal(inputs["target_distance"]))
    low, high = Decimal(0), decimal(inputs["quantity"]) * decimal(inputs["entry"])
    for _ in range(80):
        middle = (low + high) / 2
        price = snapshot_answer({**inputs, "isolated_margin": middle})["liquidation_price"]
        low, high = (middle, high) if side * (price - target) > 0 else (low, middle)
    return {
        "target_liquidation_price": target,
        "target_margin": low,
        "delta_margin": low - decimal(inputs["isolated_margin"]),
    }


def removable_answer(inputs: dict[str, Any]) -> dict[str, Decimal]:
    side = 1 if inputs["side"] == "long" else -1
    names = ("entry", "quantity", "isolated_margin", "mark", "imr")
    entry, quantity, wallet, mark, rate = (decimal(inputs[name]) for name in names)
    value, equity = quantity * mark, wallet + side * quantity * (mark - entry)
    binance = min(wallet - maintenance(inputs["tiers"], value), equity - rate * value)
    hyperliquid = equity - max(rate * value, value / 10)
    return {"binance_rule": max(binance, Decimal(0)), "hyperliquid_rule": max(hyperliquid, Decimal(0))}


def shock_answer(inputs: dict[str, Any]) -> dict[str, Any]:
    legs = [_shocked(leg) for leg in inputs["legs"]]
    total = sum((leg["pnl"] for leg in legs), Decimal(0))
    margin = sum((decimal(leg["margin"]) for leg in inputs["legs"]), Decimal(0))
    return {
        "liquidation_price": [leg["price"] for leg in legs],
        "liquidated": [
            leg["pnl"] == -decimal(row["margin"]) for leg, row in zip(legs, inputs["legs"], strict=True)
        ],
        "pnl": [leg["pnl"] for leg in legs],
        "total_pnl": total,
        "remaining_margin": margin + total,
    }


def _shocked(leg: dict[str, Any]) -> dict[str, Decimal]:
    side, entry, margin = (1 if leg["side"] == "long" else -1), decimal(leg["entry"]), decimal(leg["margin"])
    quantity = margin * decimal(leg["leverage"]) / entry
    whole = {**leg, "quantity": quantity, "isolated_margin": margin, "mark": entry, "liq_fee_rate": 0}
    price, mark = snapshot_answer(whole)["liquidation_price"], entry * (1 + decimal(leg["shock"]))
    return {
        "price": price,
        "pnl": -margin if side * (mark - price) <= 0 else side * quantity * (mark - entry),
    }


ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "position_snapshot": snapshot_answer,
    "margin_for_distance": margin_answer,
    "max_removable_margin": removable_answer,
    "portfolio_shock": shock_answer,
}


@pytest.mark.parametrize("row", _POSITIONS, ids=lambda row: row["id"])
def test_position_example_solves_equity_equals_maintenance(row: dict[str, Any]) -> None:
    with localcontext(Context(prec=40)):  # not the thread's: importing ccxt changes its rounding
        assert row["liquidation_price"] == pytest.approx(float(position_answer(row)), rel=1e-12)


@pytest.mark.parametrize(
    "case", [case for case in _CASES["cases"] if case["kind"] in ANSWERS], ids=lambda case: case["id"]
)
def test_margin_example_holds_by_its_definition(case: dict[str, Any]) -> None:
    with localcontext(Context(prec=40)):
        answers = ANSWERS[case["kind"]](case["inputs"])
    for name, expected in case["expected"].items():
        listed = expected if isinstance(expected, list) else [expected]
        derived = answers[name] if isinstance(expected, list) else [answers[name]]
        assert listed == pytest.approx([float(value) for value in derived], rel=1e-11, abs=1e-11), name


def test_first_passage_examples_match_numerical_integration() -> None:
    """T4 by Simpson's rule on its density, instead of the closed form."""
    cases = [case for case in _CASES["cases"] if case["kind"] == "first_passage_student"]
    assert cases
    for case in cases:
        inputs = case["inputs"]
        sigma = inputs["sigma_per_sqrt_day"] * math.sqrt(inputs["horizon_days"])
        tail = 0.5 - _student4_area(inputs["scale"] * inputs["log_distance"] / sigma)
        assert case["expected"]["probability"] == pytest.approx(2.0 * tail, rel=1e-9)


def _student4_area(upper: float) -> float:
    steps, total = 20_000, 0.0
    for index in range(steps + 1):
        weight = 1 if index in (0, steps) else 4 if index % 2 else 2
        value = upper * index / steps
        total += weight * 0.375 * (1.0 + value * value / 4.0) ** -2.5
    return total * upper / steps / 3.0
