"""The books, recomputed from rows alone: what the wallet must be, and how far off it is."""

from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from bot.store.reader import Reader
from bot.store.tables import TABLES

_ZERO = Decimal(0)


class Books(NamedTuple):
    """Sums over all fills and fundings, in quote currency. Funding > 0 was received."""

    realised_pnl_quote: Decimal
    fees_quote: Decimal
    funding_quote: Decimal
    liquidation_loss_quote: Decimal


def books(reader: Reader) -> Books:
    """Return the sums of everything that changed the wallet."""
    fill, funding = TABLES["fill"].c, TABLES["funding"].c
    realised = fees = lost = _ZERO
    for leg, pnl, fee in reader.execute(select(fill.leg, fill.realised_pnl_quote, fill.fee_quote)):
        fees += fee
        if leg == "liquidation":
            lost -= pnl
        else:
            realised += pnl
    settled = sum(reader.execute(select(funding.amount_quote)).scalars(), _ZERO)
    return Books(realised, fees, settled, lost)


def expected_wallet(reader: Reader, deposit: Decimal) -> Decimal:
    """Return what `deposit` has become: plus realised PnL, minus fees, plus funding, minus liquidations."""
    sums = books(reader)
    return (
        deposit + sums.realised_pnl_quote - sums.fees_quote + sums.funding_quote - sums.liquidation_loss_quote
    )


def books_error(reader: Reader, deposit: float | Decimal, wallet_now: float | Decimal) -> float:
    """Return |wallet_now - expected| relative to the larger of deposit and wallet; ValueError: both are 0."""
    start, now = Decimal(deposit), Decimal(wallet_now)
    scale = max(abs(start), abs(now))
    if scale == 0:
        raise ValueError("the books of an account without money have no relative error")
    return float(abs(now - expected_wallet(reader, start)) / scale)
