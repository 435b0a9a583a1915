"""Tier tables are checked before they are used, and looked up by notional."""

import json
import math
from pathlib import Path

import pytest

from bot.core.tiers import LeverageTier, tier_index, tiers_from_rows

SOUND = [
    LeverageTier(0.0, 50_000.0, 0.004, 0.0, 125.0),
    LeverageTier(50_000.0, 250_000.0, 0.005, 50.0, 100.0),
    LeverageTier(250_000.0, math.inf, 0.01, 1_300.0, 50.0),
]


@pytest.mark.parametrize(
    ("notional", "row"),
    [(0.0, 0), (50_000.0, 0), (50_000.01, 1), (250_000.0, 1), (250_000.01, 2), (1e12, 2)],
)
def test_a_cap_belongs_to_its_own_tier(notional: float, row: int) -> None:
    assert tier_index(tiers_from_rows(SOUND), notional) == row


@pytest.mark.parametrize(
    ("index", "changes", "message"),
    [
        (0, {"notional_floor": 1.0}, r"tiers\[0\].notional_floor is 1.0"),
        (1, {"notional_floor": 50_001.0}, r"tiers\[1\].notional_floor is 50001.0"),
        (1, {"notional_cap": 50_000.0}, r"tiers\[1\].notional_cap is 50000.0"),
        (2, {"notional_cap": math.nan}, r"tiers\[2\].notional_cap is nan"),
        (0, {"maintenance_margin_rate": 0.0}, r"tiers\[0\].maintenance_margin_rate is 0.0"),
        (2, {"maintenance_margin_rate": 1.0}, r"tiers\[2\].maintenance_margin_rate is 1.0"),
        (1, {"maintenance_amount": -1.0}, r"tiers\[1\].maintenance_amount is -1.0"),
        (1, {"maintenance_amount": 51.0}, r"tiers\[1\].maintenance_amount is 51.0; it must be 50.0"),
        (0, {"maintenance_amount": 5.0}, r"tiers\[0\].maintenance_amount is 5.0; it must be 0.0"),
        (2, {"max_leverage": 0.5}, r"tiers\[2\].max_leverage is 0.5"),
    ],
)
def test_a_broken_table_is_refused_with_row_field_and_value(
    index: int, changes: dict[str, float], message: str
) -> None:
    rows = list(SOUND)
    rows[index] = rows[index]._replace(**changes)
    with pytest.raises(ValueError, match=message):
        tiers_from_rows(rows)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no row"):
        tiers_from_rows([])


def test_a_jump_is_accepted_when_the_venue_has_no_amounts() -> None:
    rows = [row._replace(maintenance_amount=0.0) for row in SOUND]
    assert len(tiers_from_rows(rows, is_continuous=False).notional_cap) == 3
    with pytest.raises(ValueError, match="maintenance_amount"):
        tiers_from_rows(rows)


def test_every_real_table_of_the_snapshot_is_accepted(shared: Path) -> None:
    tables = json.loads((shared / "market" / "binance_leverage_tiers.json").read_text(encoding="utf-8"))
    assert tables
    for symbol, rows in tables.items():
        tiers = [
            LeverageTier(
                row["minNotional"],
                row["maxNotional"],
                row["maintenanceMarginRate"],
                float(row["info"]["cum"]),
                row["maxLeverage"],
            )
            for row in rows
        ]
        assert len(tiers_from_rows(tiers).notional_cap) == len(rows), symbol
