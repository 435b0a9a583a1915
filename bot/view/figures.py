"""Numbers and instants as people read them: fixed digits, thousands separated, units in words."""

from datetime import UTC, datetime

NOTHING = "-"

_SECOND_MS = 1_000
_MINUTE_MS = 60 * _SECOND_MS
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS


def money(amount: float) -> str:
    """Return an amount with two decimals: 1,234.50. Never "-0.00"."""
    return f"{_without_negative_zero(amount, 2):,.2f}"


def signed_money(amount: float) -> str:
    """Return an amount with its sign: +35.20, -12.00, 0.00."""
    value = _without_negative_zero(amount, 2)
    return f"{value:+,.2f}" if value else "0.00"


def price_text(price: float, decimals: int) -> str:
    """Return a price with the decimals of its tick: 61,240.5."""
    return f"{price:,.{decimals}f}"


def number_text(value: float) -> str:
    """Return a number of unknown kind, shortened to what matters."""
    if 1_000 <= abs(value) < float("inf"):
        return f"{value:,.2f}"
    return f"{value:.8f}".rstrip("0") if 1e-7 <= abs(value) < 1e-3 else f"{value:.6g}"


def tick_price(price: float, tick_size: float | None) -> str:
    """Return a price with the decimals of its tick, None: unknown; a dash where no price is (0, infinity)."""
    if not 0.0 < price < float("inf"):
        return NOTHING
    return number_text(price) if tick_size is None else price_text(price, step_decimals(tick_size))


def step_decimals(step: float) -> int:
    """Return how many decimals a price has whose tick is `step`: 0.1 -> 1."""
    return len(f"{step:.10f}".rstrip("0").partition(".")[2])


def quantity_text(quantity: float) -> str:
    """Return a base quantity without trailing zeros, at most 8 decimals: 0.125."""
    text = f"{quantity:,.8f}".rstrip("0")
    return text.rstrip(".")


def percent(fraction: float) -> str:
    """Return a fraction as percent with one decimal: 2.1 %."""
    return f"{_without_negative_zero(fraction * 100.0, 1):.1f} %"


def signed_percent(fraction: float) -> str:
    """Return a fraction as percent with its sign: -1.4 %."""
    value = _without_negative_zero(fraction * 100.0, 1)
    return f"{value:+.1f} %" if value else "0.0 %"


def span(milliseconds: int) -> str:
    """Return a length of time in its two leading units: 0.8 s, 14 s, 2m 10s, 3h 05m, 2d 4h."""
    if milliseconds < 10 * _SECOND_MS:
        return f"{milliseconds // 100 / 10:.1f} s"
    if milliseconds < _MINUTE_MS:
        return f"{milliseconds // _SECOND_MS} s"
    if milliseconds < _HOUR_MS:
        return f"{milliseconds // _MINUTE_MS}m {milliseconds % _MINUTE_MS // _SECOND_MS:02d}s"
    if milliseconds < _DAY_MS:
        return f"{milliseconds // _HOUR_MS}h {milliseconds % _HOUR_MS // _MINUTE_MS:02d}m"
    return f"{milliseconds // _DAY_MS}d {milliseconds % _DAY_MS // _HOUR_MS}h"


def clock_time(ts_ms: int) -> str:
    """Return the UTC time of day: 02:13:40."""
    return datetime.fromtimestamp(ts_ms / 1_000, UTC).strftime("%H:%M:%S")


def date_time(ts_ms: int) -> str:
    """Return the UTC date and time: 2025-02-03 02:13:40 UTC."""
    return datetime.fromtimestamp(ts_ms / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def pair(symbol: str) -> str:
    """Return a unified symbol without its settlement part: BTC/USDT:USDT -> BTC/USDT."""
    return symbol.partition(":")[0]


def base_coin(symbol: str) -> str:
    """Return the base of a unified symbol: BTC/USDT:USDT -> BTC."""
    return symbol.partition("/")[0]


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: 1 trade, 2 trades."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _without_negative_zero(value: float, decimals: int) -> float:
    return round(value, decimals) + 0.0
