"""The columns of the kernel's books: what is known per symbol (floats, whole numbers), and of the account.

Positions are the venue's and the engine's alike, because every fill is told before anything else happens.
"""

from typing import Final

# --- per symbol, floats -----------------------------------------------------------------------------
MARK: Final = 0
LAST: Final = 1
FUNDING_RATE: Final = 2
SIGMA_DAY: Final = 3  # 0.0 while unknown
ESTIMATES: Final = 4  # eight columns, in the order of MarketEstimates
QUANTITY: Final = 12
ENTRY_PRICE: Final = 13
WALLET: Final = 14
LEVERAGE: Final = 15
LIQUIDATION: Final = 16  # of the position as it is; see IS_LIQUIDATION_KNOWN
RESERVED: Final = 17  # margin set aside for the entry order
# the engine's books of the position
INITIAL_WALLET: Final = 18
INITIAL_STOP: Final = 19
ENTRY_DISTANCE: Final = 20
AGREED_LOSS: Final = 21
BEST_MARK: Final = 22
STOP_PRICE: Final = 23
ADDED: Final = 24
RELEASED: Final = 25
RESTORED: Final = 26
KEPT_SHARE: Final = 27
REALISED: Final = 28
FEES: Final = 29
FUNDING: Final = 30
SLEEP_LOW: Final = 31
SLEEP_HIGH: Final = 32
# the entry on its way
PLAN_QUANTITY: Final = 33
PLAN_PRICE: Final = 34
PLAN_STOP: Final = 35
PLAN_MARGIN: Final = 36
PLAN_AGREED: Final = 37
# the tape
TICK_MARK: Final = 38
TICK_LAST: Final = 39
NOW_MARK: Final = 40
NOW_LAST: Final = 41
BEFORE_MARK: Final = 42
BEFORE_LAST: Final = 43
# terms of the instrument
TICK_SIZE: Final = 44
QUANTITY_STEP: Final = 45
MIN_QUANTITY: Final = 46
MIN_NOTIONAL: Final = 47
MARGIN_STEP: Final = 48
TAKER_FEE: Final = 49
LIQUIDATION_FEE: Final = 50
MAX_LEVERAGE: Final = 51
DEPTH: Final = 52
DRAINED: Final = 53  # the least that funding ever came to, 0.0 at most
# what the recorder keeps of the open position
MOST_QUANTITY: Final = 54
MOST_WALLET: Final = 55
MARGIN_MS: Final = 56
SEEN_QUANTITY: Final = 57
SEEN_WALLET: Final = 58
SEEN_ENTRY: Final = 59
OPENED_WALLET: Final = 60
SOLVED: Final = 61  # how likely liquidation was when the budget was split, below 0 before the first time
MOVED: Final = 62  # by the newest margin move
WATCH_LOW: Final = 63  # marks between which the venue does nothing; see IS_WATCH_KNOWN
WATCH_HIGH: Final = 64
GLIDE_LOW: Final = 65  # within the exact marks of the sleep; see gliding.py
GLIDE_HIGH: Final = 66
WALL: Final = 67  # beyond it the venue lets margin out; see IS_WALL_KNOWN
TRAIL: Final = 68  # where the stop follows next, 0.0 for nowhere; while gliding
BAND_LOW: Final = 69  # of a policy whose band does not depend on the mark; while gliding
BAND_HIGH: Final = 70
NEXT_LOW: Final = 71  # of the sleep after the candle at hand; while cruising
NEXT_HIGH: Final = 72
PER_SLOPE: Final = 73  # how far the release moves with liquidation, and
PER_LOW: Final = 74  # the add; while cruising
PLANNED: Final = 75  # by the number of an add that is planned: how much it is
FLOATS: Final = 76

# --- per symbol, whole numbers ----------------------------------------------------------------------
SIDE: Final = 0  # 0: no position at the venue
OPENED_MS: Final = 1
HOLDS: Final = 2  # 1: the engine holds it
POSITION_ID: Final = 3
IS_FILLED: Final = 4
IS_CLOSING: Final = 5
ADDS: Final = 6
LAST_ADD_MS: Final = 7
LAST_RELEASE_MS: Final = 8
REGIME: Final = 9
REGIME_SINCE_MS: Final = 10
CUTS: Final = 11
LAST_CUT_MS: Final = 12
DERISK_CUTS: Final = 13
DERISK_AGAIN_MS: Final = 14
REENTERS: Final = 15
RECHECK_MS: Final = 16
STOP_AGAIN_MS: Final = 17
CLOSE_AGAIN_MS: Final = 18
MARGIN_AGAIN_MS: Final = 19
STOP_ID: Final = 20  # 0: none rests
ENTERING: Final = 21  # 1: an entry is on its way
ENTRY_ID: Final = 22  # 0: it waits for its leverage
PLAN_SIDE: Final = 23
PLAN_LEVERAGE: Final = 24
SET_LEVERAGE: Final = 25  # the engine's belief
BOOK_LEVERAGE: Final = 26  # the venue's setting
MARK_MS: Final = 27
GAP_UNTIL_MS: Final = 28
COOL_UNTIL_MS: Final = 29
STALE_SINCE_MS: Final = 30  # -1: it is not
STOPS_COMING: Final = 31
MARGIN_COMING: Final = 32
REDUCES_COMING: Final = 33
ENTRY_COMING: Final = 34
ORDERS: Final = 35
TICK_MS: Final = 36
NOW_MS: Final = 37
BEFORE_MS: Final = 38
TICK_NUMBER: Final = 39
HAS_TICK: Final = 40
IS_LIQUIDATION_KNOWN: Final = 41
HOLD_SIDE: Final = 42
SEEN_MS: Final = 43
ROW_ADDS: Final = 44
ROW_RELEASES: Final = 45
ROW_CUTS: Final = 46
HOLD_OPENED_MS: Final = 47
IS_WATCH_KNOWN: Final = 52
ENTRY_SENT_MS: Final = 53
UNSEEN_AGAIN_MS: Final = 54
IS_GLIDING: Final = 55
KNOWN_ROW: Final = 56  # of the estimates
IS_WALL_KNOWN: Final = 57
CANCEL_AGAIN_MS: Final = 58  # when the rest of the entry may be taken back again
NAME_RANK: Final = 59  # the place of the symbol in the order of the names
RELEASE_NUMBER: Final = 60  # of the split that was made last
PLANNED_FOR: Final = 61  # by the number of an add that is planned: its symbol, and
PAYER: Final = 62  # the first of the releases that pay for it, and
PAYER_END: Final = 63  # the first that does not
IS_TRAILED: Final = 64  # the stop that rests was moved with the best mark
WHOLES: Final = 65

# --- the account, floats ----------------------------------------------------------------------------
FREE: Final = 0  # the engine's belief
BOOK_FREE: Final = 1  # the venue's ledger
DAY_START_EQUITY: Final = 2
LOSS_BASE: Final = 3
PEAK_EQUITY: Final = 4
HALF_SPREAD: Final = 5
IMPACT: Final = 6
MAX_STEP: Final = 7
DAILY_LOSS: Final = 8
DRAWDOWN: Final = 9
COLLAR: Final = 10
CUT_ABOVE: Final = 11
CAPS_OF_MARKET: Final = 12
# what decides how far the loop may glide; see gliding.py
P_IS_ANCHORED: Final = 13
P_BUFFER_MIN: Final = 14
P_BUFFER_SIGMAS: Final = 15
P_LOW: Final = 16
P_HIGH: Final = 17
P_PAYMENTS: Final = 18
P_IS_CUTTING: Final = 19
P_MARGIN_CAP: Final = 20
P_RISK_CAP: Final = 21
P_CASCADE_CAP: Final = 22
P_CASCADE_SIGMAS: Final = 23
P_IS_EVEN: Final = 24
P_IS_STEADY: Final = 25  # the marks of the sleep stay while the position does
ACCOUNT_FLOATS: Final = 26

# --- the account, whole numbers ---------------------------------------------------------------------
NOW: Final = 0
DAY_START_MS: Final = 1
HOUR_MS: Final = 2
HALTS: Final = 3  # bits of bot.backtest.kernel.halts
NEXT_ID: Final = 4
NEXT_POSITION_ID: Final = 5
ORDER_COUNT: Final = 6
CAPS_AGAIN_MS: Final = 7
TIMEFRAME_MS: Final = 8
MAX_AGE_MS: Final = 9
LATENCY_MS: Final = 10
JITTER_MS: Final = 11
SEED: Final = 12
MESSAGES_LIMIT: Final = 13
ORDERS_LIMIT: Final = 14
REFUSALS_LIMIT: Final = 15
STALE_LIMIT_MS: Final = 16
CUT_COOLDOWN_MS: Final = 17
QUEUE_HEAD: Final = 18
QUEUE_TAIL: Final = 19
EVENTS: Final = 20
FAILED: Final = 21  # what the kernel could not go on for: a code of bot.backtest.kernel.status
TRADES: Final = 22
MOVES: Final = 23
ACCOUNTS: Final = 24
LIQUIDATIONS: Final = 25
STOPS_FILLED: Final = 26
TARGETS_FILLED: Final = 27
VOLATILITY_CUTS: Final = 28
DERISKED_CUTS: Final = 29
DERISK_CLOSES: Final = 30
ENTRIES_REFUSED: Final = 31
SENT: Final = 32
ORDERED: Final = 33
REFUSED: Final = 34
SYMBOLS: Final = 35
TRADES_WAITING: Final = 36
MOVES_WAITING: Final = 37
ACCOUNTS_WAITING: Final = 38
LATENCIES_FROM: Final = 39  # the number of the order that the first of the known latencies is of
DUE: Final = 40  # how many settlements and gaps were played when the loop stopped gliding
SPLIT_MS: Final = 41  # when the budget was split last, or the last move of it was made
TRIED_MS: Final = 42  # when a split was computed last, also in vain
WAITING: Final = 43  # moves of a split that have no outcome
ADDS_PLANNED: Final = 44  # adds that are sent when its releases have happened
FOLLOWS: Final = 45  # 1: every change of a position is written down; see story.py
STORY_WAITING: Final = 46
STORY: Final = 47
ACCOUNT_WHOLES: Final = 48

TIME_SLOTS: Final = 1_024
LATENCY_SLOTS: Final = 256
TICK_SLOTS: Final = 2_048  # of one bar
ROW_SLOTS: Final = 64
ACCOUNT_SLOTS: Final = 512
STORY_SLOTS: Final = 128
TRADE_COLUMNS: Final = 23
MOVE_COLUMNS: Final = 16
ACCOUNT_COLUMNS: Final = 5
STORY_COLUMNS: Final = 33

# --- a closing candle, as far as the loop glides over it ----------------------------------------------
G_LOW: Final = 0
G_HIGH: Final = 1
G_MARK: Final = 2
G_SIGMA: Final = 3
G_IS_WILD: Final = 4
G_IS_WHOLE: Final = 5
G_ROW: Final = 6
CANDLE_COLUMNS: Final = 8  # a line of the processor's cache

# --- an order at the venue --------------------------------------------------------------------------
ORDER_SLOTS: Final = 16
O_ID: Final = 0
O_NUMBER: Final = 1
O_LEG: Final = 2
O_KIND: Final = 3
O_SIDE: Final = 4
O_DUE_MS: Final = 5
O_FILL_TICK: Final = 6
O_REASON: Final = 7
O_IS_WHOLE: Final = 8
O_SENT_MS: Final = 9
ORDER_WHOLES: Final = 10
O_QUANTITY: Final = 0
O_TRIGGER: Final = 1
O_WANTED_WALLET: Final = 2
ORDER_FLOATS: Final = 3

ENTRY_LEG: Final = 0
STOP_LEG: Final = 1
TARGET_LEG: Final = 2
EXIT_LEG: Final = 3
AT_MARKET: Final = 0
AT_TRIGGER: Final = 1
NO_TICK: Final = -1

# --- what waits to be sent --------------------------------------------------------------------------
QUEUE_SLOTS: Final = 256
I_KIND: Final = 0
I_SYMBOL: Final = 1
I_ID: Final = 2
I_MS: Final = 3
I_SIDE: Final = 4
I_TARGET: Final = 5
I_REASON: Final = 6
INTENT_WHOLES: Final = 7
I_VALUE: Final = 0  # quantity, trigger price, wallet or leverage
I_TRIGGER: Final = 1  # of a take-profit
I_WANTED_WALLET: Final = 2
I_BEFORE: Final = 3  # mark, wallet, ratio, liquidation, distance, notional, probability before a move
INTENT_FLOATS: Final = 10

LEVERAGE_INTENT: Final = 0
ENTRY_INTENT: Final = 1
STOP_INTENT: Final = 2
TARGET_INTENT: Final = 3
CANCEL_INTENT: Final = 4
REDUCE_INTENT: Final = 5
ADD_INTENT: Final = 6
RELEASE_INTENT: Final = 7

# --- what happened and was not heard yet ------------------------------------------------------------
EVENT_SLOTS: Final = 64
E_KIND: Final = 0
E_SYMBOL: Final = 1
E_MS: Final = 2
E_ID: Final = 3
E_LEG: Final = 4
E_REASON: Final = 5
E_IS_WHOLE: Final = 6
E_CODE: Final = 7  # of a refusal; of a fill: 1 where a position is left
EVENT_WHOLES: Final = 8
E_PRICE: Final = 0
E_QUANTITY: Final = 1
E_LEFT: Final = 2
E_FEE: Final = 3
E_PNL: Final = 4
E_FREE: Final = 5
E_AMOUNT: Final = 6
E_WANTED_WALLET: Final = 7
EVENT_FLOATS: Final = 8

ACCEPTED: Final = 0
FILLED: Final = 1
CANCELLED: Final = 2
SETTLED: Final = 3
LIQUIDATED: Final = 4
# What is written down besides, see story.py.
MARGIN_MOVED: Final = 5
MOVE_REFUSED: Final = 6
TARGET_RESTS: Final = 7

# --- why ----------------------------------------------------------------------------------------------
BY_STOP: Final = 0
BY_TARGET: Final = 1
BY_LIQUIDATION: Final = 2
BY_EXIT: Final = 3
BY_PROTECTION: Final = 4
BY_NEARNESS: Final = 5
BY_TARGET_AT_ONCE: Final = 6
BY_VOLATILITY: Final = 7
BY_DERISK_CUT: Final = 8
BY_DERISK_CLOSE: Final = 9
BY_CAP: Final = 10
BY_TRAILING: Final = 11  # of a stop
CAUSES: Final = (
    "stop",
    "take_profit",
    "liquidation",
    "exit",
    "protection",
    "liquidation_came_close",
    "take_profit",
    "volatility_cut",
    "derisk_cut",
    "derisk_close",
    "book_cap",
)
# Reasons of margin moves are codes of bot.risk.reasons; these follow them.
DERISK_ADD: Final = 100
BROUGHT_BACK: Final = 101
ALLOCATION: Final = 102

NEVER_MS: Final = 2**62
