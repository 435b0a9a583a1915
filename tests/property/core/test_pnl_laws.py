"""Profit, fees and funding: what one side gains the other loses, and parts add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.pnl import funding_payment, realised_pnl, trading_fee

prices = st.floats(0.01, 1e5)


@given(prices, prices, st.floats(0.001, 1e4), st.floats(0.0, 1.0), st.booleans())
def test_sides_mirror_and_parts_add_up(
    entry: float, leave: float, quantity: float, part: float, is_inverse: bool
) -> None:
    whole = realised_pnl(1, entry, leave, quantity, is_inverse)
    assert realised_pnl(-1, entry, leave, quantity, is_inverse) == -whole
    parts = [realised_pnl(1, entry, leave, share * quantity, is_inverse) for share in (part, 1.0 - part)]
    assert sum(parts) == pytest.approx(whole, rel=1e-9, abs=1e-12)
    assert whole * (leave - entry) >= 0.0


@given(st.floats(0.0, 1e9), st.floats(-0.003, 0.003))
def test_longs_pay_what_shorts_receive(notional: float, rate: float) -> None:
    assert funding_payment(1, notional, rate) == -funding_payment(-1, notional, rate)
    assert funding_payment(1, notional, abs(rate)) <= 0.0


@pytest.mark.parametrize(("value", "rate", "fee"), [(5_000.0, 0.0005, 2.5), (5_000.0, -0.0001, -0.5)])
def test_a_fee_is_a_share_of_notional_and_a_rebate_is_negative(value: float, rate: float, fee: float) -> None:
    assert trading_fee(value, rate) == pytest.approx(fee)
