"""What was traded at OKX of late: candles tell volumes in contracts and in base units."""

from collections.abc import Sequence
from typing import Any

import ccxt

from bot.errors import Rejected, Unavailable
from bot.exchange.dialects import okx_rows as rows


async def newest_candles(client: Any, symbols: Sequence[str]) -> dict[str, Any]:
    """Return the rows of each symbol's newest hour, as the venue sends them.

    Empty where they cannot be read: no stop waits for them, and `show_size` asks again before an entry.
    """
    found = {}
    for market in map(client.market, symbols):
        rows.check_linear(market)
        asked = {"instId": market["id"], "bar": "1m", "limit": "60"}
        try:
            found[market["symbol"]] = (await client.publicGetMarketCandles(asked))["data"]
        except ccxt.BaseError:
            found[market["symbol"]] = ()
    return found


async def show_size(client: Any, symbol: str) -> None:
    """Rejected: no trade of the newest hour shows that the symbol's contract size is right."""
    traded = await newest_candles(client, (symbol,))
    try:
        is_shown = rows.check_size(client.market(symbol), traded[symbol])
    except Unavailable as error:
        raise Rejected("unavailable", f"nothing is entered: {error}") from None
    if not is_shown:
        message = f"nothing is entered in {symbol}: no trade that shows its contract size could be read"
        raise Rejected("unavailable", message)
