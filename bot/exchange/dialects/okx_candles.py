"""What was traded at OKX of late: candles tell volumes in contracts and in base units."""

from collections.abc import Sequence
from typing import Any

import ccxt

from bot.exchange.dialects import okx_rows as rows


async def newest_candles(client: Any, symbols: Sequence[str]) -> dict[str, Any]:
    """Return the rows of each symbol's newest hour, as the venue sends them.

    Empty where they cannot be read: nothing is entered without candles, and no stop waits for them.
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
