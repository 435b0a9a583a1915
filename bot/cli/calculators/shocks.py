"""What `--shock` and `--to` say: one move for all positions, or moves by symbol."""

from collections.abc import Sequence

from bot.cli.calculators import given
from bot.errors import UserError


def shocks_of(flag: str, said: str, symbols: Sequence[str]) -> tuple[float, ...]:
    """Return a move (fraction) per symbol of "-5%", "BTC=-10%,ETH=-14%" or "-5%,BTC=-10%".

    A symbol is named whole or by its base coin; one that is not named moves by what stands alone, else not
    at all. UserError names the part that is no move or no symbol of the book.
    """
    by_symbol: dict[str, float] = {}
    everywhere: float | None = None
    for part in said.split(","):
        name, is_named, move = part.rpartition("=")
        if not is_named:
            if everywhere is not None:
                raise given.refused(flag, said, "it holds two moves for all positions; give --shock again")
            everywhere = given.shock(flag, move)
            continue
        symbol = symbol_of(flag, name, symbols)
        if symbol in by_symbol:
            raise given.refused(flag, said, f"it moves {symbol} twice")
        by_symbol[symbol] = given.shock(f"{flag} {name.strip()}", move)
    return tuple(by_symbol.get(symbol, everywhere or 0.0) for symbol in symbols)


def symbol_of(flag: str, name: str, symbols: Sequence[str]) -> str:
    """Return the symbol of the book that `name` means: whole, without its settlement, or its base coin."""
    from bot.plugins import did_you_mean

    wanted = name.strip().upper()
    for symbol in symbols:
        if wanted in (symbol.upper(), symbol.partition(":")[0].upper(), symbol.partition("/")[0].upper()):
            return symbol
    raise UserError(
        f'{flag} names "{name.strip()}", and no such position is asked about, {did_you_mean(name, symbols)} '
        "Correct the name."
    )


def move_words(moves: Sequence[float], symbols: Sequence[str]) -> str:
    """Return the moves in words: "-5 %" where all are alike, else "BTC -8 %, ETH -14 %"."""
    texts = [f"{round(100.0 * move, 2):+g} %" for move in moves]
    if len(set(texts)) == 1:
        return texts[0]
    return ", ".join(
        f"{symbol.partition('/')[0]} {text}" for symbol, text in zip(symbols, texts, strict=True)
    )
