"""What Bybit counts otherwise than the markets that this exchange plays."""

from typing import Final

from bot.core.instrument import Instrument

MARGIN_STEP_QUOTE: Final = 1e-4  # v5 "Add Or Reduce Margin": support up to 4 decimal


def as_bybit(terms: Instrument) -> Instrument:
    """Return the instrument with Bybit's step for margin."""
    return terms._replace(margin_step_quote=MARGIN_STEP_QUOTE)
