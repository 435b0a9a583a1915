"""Why a symbol is none that can be traded: unknown, spot, inverse, or no perpetual."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

_LIKENESS: Final = 0.7  # one letter of four, none of three: ETC is not ETH


class SymbolFault(NamedTuple):
    """What is wrong with a symbol, and what to write instead."""

    fact: str
    next_step: str


def symbol_fault(symbol: str, markets: Mapping[str, Any]) -> SymbolFault | None:
    """Return what is wrong with a unified symbol at a venue, None for a linear perpetual it trades."""
    base, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    wanted = f"{base}/{quote}:{quote}" if quote and quote != "USD" else f"{base}/USDT:USDT"
    step = f"Write {wanted}." if wanted in markets and wanted != symbol else _near(symbol, markets)
    if quote and not settle:
        return SymbolFault(f"{symbol} is a spot symbol; only linear perpetuals are traded", step)
    if settle and settle == base:
        return SymbolFault(
            f"{symbol} is inverse (settled in {base}); only linear perpetuals are traded", step
        )
    market = markets.get(symbol)
    if market is None:
        return SymbolFault(f"{symbol} is not traded here", step)
    if not (market["swap"] and market["linear"]):
        return SymbolFault(f"{symbol} is no linear perpetual", step)
    if market.get("active") is False:
        return SymbolFault(f"{symbol} is not open for trading now", "Wait, or choose another symbol.")
    return None


def _near(symbol: str, markets: Mapping[str, Any]) -> str:
    """Return a perpetual whose base is nearly the one given: quotes are alike in all of them."""
    perpetuals = [name for name, row in markets.items() if row["swap"] and row["linear"]]
    near = get_close_matches(_base(symbol), {_base(name) for name in perpetuals}, 1, _LIKENESS)
    same = [name for name in perpetuals if near and _base(name) == near[0]]
    best = max(same, key=lambda name: name.partition("/")[2] == symbol.partition("/")[2], default="")
    return f"Did you mean {best}?" if best else "Symbols are written like BTC/USDT:USDT."


def _base(symbol: str) -> str:
    return symbol.partition("/")[0]
