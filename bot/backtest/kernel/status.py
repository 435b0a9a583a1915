"""Why a compiled run could not be finished; the exact engine can play it."""

from typing import Final

FINE: Final = 0
TOO_MANY_ORDERS: Final = 1
TOO_MANY_EVENTS: Final = 2
TOO_MANY_INTENTS: Final = 3
NO_ROOM: Final = 4  # more rows than the tables hold: run again with larger ones
ENDLESS: Final = 5
TOO_MANY_TICKS: Final = 6

WORDS: Final = {
    TOO_MANY_ORDERS: "more orders of one symbol were open at once than the kernel keeps",
    TOO_MANY_EVENTS: "more happened at one instant than the kernel keeps",
    TOO_MANY_INTENTS: "more requests waited at one instant than the kernel keeps",
    ENDLESS: "engine and venue answered each other without end",
    TOO_MANY_TICKS: "a candle had more ticks than the kernel keeps",
}
