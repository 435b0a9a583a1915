"""The coins of the synthetic market: how large, how lively and how closely tied to the rest."""

from typing import Final, NamedTuple

from bot.errors import UserError


class Coin(NamedTuple):
    """`daily_sigma` is the spread of log returns over a day; `tie` the share of the common move (0 to 1).

    `stream` numbers the coin's own random draws: a coin moves the same whatever else is traded.
    """

    name: str
    stream: int
    base_price: float
    price_decimals: int
    daily_sigma: float
    tie: float
    minute_volume: float


COINS: Final = {
    coin.name: coin
    for coin in (
        Coin("BTC", 1, 64_000.0, 1, 0.026, 0.90, 6.0),
        Coin("ETH", 2, 3_200.0, 2, 0.034, 0.89, 90.0),
        Coin("SOL", 3, 150.0, 2, 0.043, 0.84, 1_500.0),
        Coin("BNB", 4, 580.0, 2, 0.030, 0.83, 150.0),
        Coin("XRP", 5, 0.62, 4, 0.042, 0.82, 250_000.0),
        Coin("DOGE", 6, 0.16, 5, 0.048, 0.84, 900_000.0),
    )
}


def coin_of(symbol: str) -> Coin:
    """Return the coin of a unified symbol such as "BTC/USDT:USDT". UserError when there is none."""
    coin = COINS.get(symbol.partition("/")[0])
    if coin is None:
        raise UserError(
            f"The synthetic market has no {symbol}: it knows {', '.join(COINS)} only. Choose among them "
            "(for example BTC/USDT:USDT), or replay recorded candles with --feed replay."
        )
    return coin
