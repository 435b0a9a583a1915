"""A bot that is only told of: answers of the API with invented numbers, which a test may move."""

import copy
import json
import math
from pathlib import Path
from typing import Any, Final

TOLD: Final = Path(__file__).with_name("told")
ETH: Final = "ETH/USDT:USDT"  # long, near its liquidation, with an add next
BTC: Final = "BTC/USDT:USDT"  # long and calm, with a release next
SOL: Final = "SOL/USDT:USDT"  # short, its prices have not come for a while

Json = dict[str, Any]


def told(name: str) -> Any:
    """Return a recorded answer, a fresh copy each time."""
    return json.loads((TOLD / f"{name}.json").read_text(encoding="utf-8"))


def board() -> Json:
    """Return the whole board: one position in danger, one calm, one stale."""
    return told("board")


def position(symbol: str) -> Json:
    """Return one position of the board."""
    return next(row for row in board()["positions"] if row["symbol"] == symbol)


def empty_board() -> Json:
    """Return a board without a position, which says what the bot waits for."""
    note = "Next 5m candle closes in 2m 10s; then ema_cross looks at BTC/USDT, ETH/USDT."
    return board() | {"positions": [], "moves": [], "worst": None, "note": note, "alerts_open": 0}


def seen_from(row: Json, mark: float) -> Json:
    """Return the position at another mark, with what follows from it."""
    side = 1.0 if row["side"] == "long" else -1.0
    moved = copy.deepcopy(row)
    distance = side * (mark - row["liquidation_price"]) / mark
    moved |= {"mark": mark, "distance": distance, "notional_quote": mark * row["quantity"]}
    moved["hour_moves"] = distance * row["hour_moves"] / row["distance"]
    moved["unrealised_pnl_quote"] = side * (mark - row["entry_price"]) * row["quantity"]
    for each in moved["rungs"]:
        if each["kind"] == "mark":
            each["price"] = mark
    return moved


def after_margin(row: Json, change_quote: float) -> Json:
    """Return what-if's answer for margin added (or released): the liquidation price follows the wallet."""
    side = 1.0 if row["side"] == "long" else -1.0
    liquidation = row["liquidation_price"] - side * change_quote / row["quantity"]
    wallet = row["isolated_wallet_quote"] + change_quote
    is_refused = wallet < row["isolated_wallet_quote"] * 0.5
    distance = side * (row["mark"] - liquidation) / row["mark"]
    return {
        "liquidation_price": liquidation,
        "distance": distance,
        "probability_24h": min(1.0, 0.4 * math.exp(-distance * 60.0)),
        "margin_ratio": row["margin_ratio"] * row["isolated_wallet_quote"] / max(wallet, 1.0),
        "wallet_quote": wallet,
        "refusal": "This would leave less than half of the margin." if is_refused else None,
    }
