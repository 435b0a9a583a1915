"""A board with realistic, consistent numbers: ETH near danger, BTC and SOL calm. Used by tests only."""

from dataclasses import replace

from bot.risk.view import Rung
from bot.view.board import Board, BoardRow, Counters, MoveRow, hour_moves
from bot.view.next_action import next_action_words, waiting_words

NOW_MS = 1_738_549_245_000  # 2025-02-03 02:20:45 UTC
STALE_AFTER_MS = 5_000

ETH_RUNGS = (
    Rung(2788.60, "liquidation", 0.0),
    Rung(2806.00, "stop", 1.24),
    Rung(2835.20, "add", 35.20),
    Rung(2905.40, "release", 20.00),
    Rung(2990.00, "take_profit", 0.62),
)
BTC_RUNGS = (
    Rung(59333.6, "liquidation", 0.0),
    Rung(61900.0, "stop", 0.084),
    Rung(62480.0, "add", 58.10),
    Rung(67300.0, "release", 41.00),
    Rung(67810.0, "trail", 0.084),
    Rung(69900.0, "take_profit", 0.042),
)
SOL_RUNGS = (
    Rung(254.40, "liquidation", 0.0),
    Rung(241.50, "stop", 12.0),
    Rung(217.20, "trail", 12.0),
    Rung(214.00, "take_profit", 6.0),
    Rung(205.50, "take_profit", 6.0),
)


def eth_row() -> BoardRow:
    distance = (2848.00 - 2788.60) / 2848.00
    return BoardRow(
        symbol="ETH/USDT:USDT",
        side=1,
        quantity=1.24,
        notional_quote=3531.52,
        leverage=20.0,
        mark=2848.00,
        mark_age_ms=800,
        entry_price=2950.60,
        price_decimals=2,
        liquidation_price=2788.60,
        distance=distance,
        hour_moves=hour_moves(distance, 0.042),
        probability_24h=0.61,
        isolated_wallet_quote=218.14,
        margin_added_quote=35.20,
        unrealised_pnl_quote=-127.22,
        rungs=ETH_RUNGS,
        next_action=next_action_words(1, 2848.00, ETH_RUNGS, 2, 64.80),
    )


def btc_row() -> BoardRow:
    distance = (66561.0 - 59333.6) / 66561.0
    return BoardRow(
        symbol="BTC/USDT:USDT",
        side=1,
        quantity=0.084,
        notional_quote=5591.12,
        leverage=10.0,
        mark=66561.0,
        mark_age_ms=300,
        entry_price=65120.0,
        price_decimals=1,
        liquidation_price=59333.6,
        distance=distance,
        hour_moves=hour_moves(distance, 0.026),
        probability_24h=0.010,
        isolated_wallet_quote=506.00,
        margin_added_quote=-41.00,
        unrealised_pnl_quote=121.04,
        rungs=BTC_RUNGS,
        next_action=next_action_words(1, 66561.0, BTC_RUNGS, 1, 120.00),
    )


def sol_row() -> BoardRow:
    distance = (254.40 - 221.35) / 221.35
    return BoardRow(
        symbol="SOL/USDT:USDT",
        side=-1,
        quantity=12.0,
        notional_quote=2656.20,
        leverage=8.0,
        mark=221.35,
        mark_age_ms=500,
        entry_price=228.40,
        price_decimals=2,
        liquidation_price=254.40,
        distance=distance,
        hour_moves=hour_moves(distance, 0.051),
        probability_24h=0.033,
        isolated_wallet_quote=342.60,
        margin_added_quote=0.0,
        unrealised_pnl_quote=84.60,
        rungs=SOL_RUNGS,
        next_action=next_action_words(-1, 221.35, SOL_RUNGS, 2, None),
    )


MOVES = (
    MoveRow(NOW_MS - 41_000, "ETH/USDT:USDT", 35.20, "below_band", 0.0164, 0.0262, 2817.20, 2788.60, 2),
    MoveRow(
        NOW_MS - 725_000, "BTC/USDT:USDT", -41.00, "stop_past_entry", 0.1160, 0.1086, 58843.5, 59333.6, 1
    ),
    MoveRow(NOW_MS - 2_460_000, "SOL/USDT:USDT", 18.40, "below_band", 0.0812, 0.0895, 243.10, 244.93, 2),
    MoveRow(NOW_MS - 3_900_000, "SOL/USDT:USDT", -18.40, "above_band", 0.1490, 0.1421, 244.93, 243.10, 2),
)


def demonstration_board() -> Board:
    """Return the board, rows deliberately not sorted."""
    return Board(
        mode="paper",
        feed="synthetic, seed 7",
        strategy="ema_cross",
        policy="stop_anchor",
        quote="USDT",
        market_ts_ms=NOW_MS,
        speed="60x",
        data_age_ms=800,
        stale_after_ms=STALE_AFTER_MS,
        equity_quote=5024.31,
        free_quote=3957.57,
        margin_committed_quote=1066.74,
        day_pnl_quote=24.31,
        is_entries_halted=False,
        halt_cause="",
        positions=(btc_row(), sol_row(), eth_row()),
        moves=MOVES,
        counters=Counters(7, 0, 2, 2, 53.60, 59.40),
        note="",
    )


def empty_board() -> Board:
    symbols = ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT")
    return replace(
        demonstration_board(),
        positions=(),
        moves=(),
        margin_committed_quote=0.0,
        free_quote=5024.31,
        note=waiting_words("5m", 130_000, symbols, "ema_cross"),
    )


def stale_board() -> Board:
    """Return the board with SOL's mark 7 seconds old."""
    board = demonstration_board()
    stale = replace(sol_row(), mark_age_ms=14_000)
    return replace(board, positions=(btc_row(), stale, eth_row()), data_age_ms=14_000)
