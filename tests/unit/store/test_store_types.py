"""Exact amounts and exact JSON."""

import sqlite3
from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import create_engine, insert, select

from bot.store.tables import TABLES, Base
from bot.store.types import exact_text, exact_text_or_none, json_text, json_value


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (np.float64(0.1), "0.1"), (Decimal("1.10"), "1.10"), (3, "3"), (1e-07, "1e-07")],
)
def test_exact_text_keeps_the_digits_that_were_meant(value: float | Decimal, text: str) -> None:
    assert exact_text(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")])
def test_an_amount_that_is_not_finite_is_refused(value: float | Decimal) -> None:
    with pytest.raises(ValueError, match="finite"):
        exact_text(value)
    assert exact_text_or_none(value) is None


def test_a_money_column_holds_text_and_gives_back_the_same_decimal() -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    table = TABLES["equity"]
    exact = Decimal("12345678901234567890.123456789")
    with engine.begin() as connection:
        row = {"ts_ms": 1, "free_quote": exact, "committed_quote": 0.1, "wallet_quote": Decimal("1.10")}
        connection.execute(insert(table).values(row))
        stored = connection.execute(select(table)).one()
        kind = connection.exec_driver_sql("SELECT typeof(free_quote) FROM equity").scalar()
    engine.dispose()
    assert kind == "text"
    assert stored == (1, exact, Decimal("0.1"), Decimal("1.10"), None)
    assert str(stored.wallet_quote) == "1.10"


def test_every_money_and_price_column_is_text_in_the_database() -> None:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        reals = [
            (table, column[1])
            for table in TABLES
            for column in connection.exec_driver_sql(f'PRAGMA table_info("{table}")')
            if column[2] not in {"TEXT", "INTEGER", "BOOLEAN"}
        ]
    engine.dispose()
    assert {column for _, column in reals} == {
        "strength",
        "probability",
        "liquidation_probability_before",
        "liquidation_probability_after",
        "least_distance",
        "least_distance_sigma_hours",
        "loss_beyond_stop_fraction",
    }


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1.5, "b": None, "c": [1, "x", True]},
        {"stop": float("inf"), "none": None},
        [float("-inf")],
        {"mark": np.float64(0.1)},
        {"large": 1.7976931348623157e308, "small": 5e-324},
    ],
)
def test_json_text_reads_back_unchanged(value: object) -> None:
    assert json_value(json_text(value)) == value


def test_json_text_keeps_nan() -> None:
    assert str(json_value(json_text({"stop": float("nan")}))["stop"]) == "nan"


def test_json_text_accepts_numpy_scalars_beside_infinity() -> None:
    value = {"side": np.int8(-1), "is_entry": np.bool_(True), "stop": float("inf")}
    assert json_value(json_text(value)) == {"side": -1, "is_entry": True, "stop": float("inf")}


def test_json_text_refuses_what_json_cannot_hold() -> None:
    with pytest.raises(TypeError):
        json_text({"connection": sqlite3})
