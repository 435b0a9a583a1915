"""The rows of the result: what bot/backtest/recorder.py writes down, over columns."""

from bot.backtest.kernel import columns as c
from bot.backtest.kernel import status
from bot.backtest.kernel.books import Books, Floats, Tables, equity_of, liquidation_of, unrealised_of, view_of
from bot.backtest.kernel.intents import keep_risk
from bot.core.compiled import compiled
from bot.core.margin import distance


@compiled
def accrue(b: Books, s: int, ts_ms: int) -> None:
    """Add up the margin locked since the last change of the wallet."""
    b.f[s, c.MARGIN_MS] += b.f[s, c.SEEN_WALLET] * max(ts_ms - b.n[s, c.SEEN_MS], 0)
    b.n[s, c.SEEN_MS] = max(ts_ms, b.n[s, c.SEEN_MS])


@compiled
def follow(b: Books, s: int) -> None:
    """Take over what is held now."""
    f = b.f[s]
    f[c.MOST_QUANTITY] = max(f[c.MOST_QUANTITY], f[c.QUANTITY])
    f[c.MOST_WALLET] = max(f[c.MOST_WALLET], f[c.WALLET])
    f[c.SEEN_QUANTITY], f[c.SEEN_WALLET], f[c.SEEN_ENTRY] = f[c.QUANTITY], f[c.WALLET], f[c.ENTRY_PRICE]


@compiled
def open_row(b: Books, s: int, ts_ms: int) -> None:
    """Begin the row of a position."""
    f, n = b.f[s], b.n[s]
    f[c.MOST_QUANTITY], f[c.MOST_WALLET], f[c.MARGIN_MS] = 0.0, 0.0, 0.0
    n[c.SEEN_MS], n[c.ROW_ADDS], n[c.ROW_RELEASES], n[c.ROW_CUTS] = ts_ms, 0, 0, 0
    f[c.OPENED_WALLET] = f[c.WALLET]
    follow(b, s)


@compiled
def trade_row(b: Books, s: int, ts_ms: int, cause: int, price: float, pnl: float) -> None:
    """Write the row of a position that ended, or is still open at the end."""
    number = b.m[c.TRADES_WAITING]
    b.m[c.TRADES_WAITING] = number + 1
    accrue(b, s, ts_ms)
    f, n, row = b.f[s], b.n[s], b.trades[number]
    row[0], row[1], row[2], row[3] = n[c.POSITION_ID], s, n[c.HOLD_SIDE], n[c.HOLD_OPENED_MS]
    row[4], row[5], row[6], row[7] = ts_ms, cause, f[c.SEEN_ENTRY], price
    row[8], row[9], row[10] = f[c.MOST_QUANTITY], f[c.LEVERAGE], f[c.INITIAL_STOP]
    row[11], row[12], row[13] = f[c.AGREED_LOSS], f[c.OPENED_WALLET], f[c.MOST_WALLET]
    row[14], row[15], row[16] = pnl, f[c.FEES], f[c.FUNDING]
    row[17], row[18], row[19] = f[c.ADDED], f[c.RELEASED], n[c.ROW_ADDS]
    row[20], row[21], row[22] = n[c.ROW_RELEASES], n[c.ROW_CUTS], f[c.MARGIN_MS] / 3_600_000.0


@compiled
def move_row(b: Books, s: int, ts_ms: int, intent: int, amount: float) -> None:
    """Write the row of a margin move; the risk before it was kept with its intent."""
    number = b.m[c.MOVES_WAITING]
    b.m[c.MOVES_WAITING] = number + 1
    b.n[s, c.ROW_ADDS] += 1 if amount > 0.0 else 0
    b.n[s, c.ROW_RELEASES] += 1 if amount < 0.0 else 0
    before, row = b.intent_floats[intent], b.moves[number]
    row[0], row[1], row[2] = ts_ms, s, b.n[s, c.POSITION_ID]
    row[3], row[4], row[5] = b.intents[intent, c.I_REASON], amount, b.f[s, c.MARK]
    keep_risk(b.move_after, 0, view_of(b, s), liquidation_of(b, s))
    for column in range(5):
        row[6 + 2 * column] = before[c.I_BEFORE + column]
        row[7 + 2 * column] = b.move_after[column]


@compiled
def account_row(b: Books, ts_ms: int) -> None:
    """Write the account now, and how near the nearest position is to its liquidation."""
    number = b.m[c.ACCOUNTS_WAITING]
    b.m[c.ACCOUNTS_WAITING] = number + 1
    row, equity, nearest, is_held = b.accounts[number], equity_of(b), 0.0, False
    for s in range(b.m[c.SYMBOLS]):
        if b.n[s, c.HOLDS] != 0:
            away = distance(b.n[s, c.HOLD_SIDE], b.f[s, c.MARK], liquidation_of(b, s))
            nearest = away if not is_held or away < nearest else nearest
            is_held = True
    row[0], row[1], row[2], row[3] = ts_ms, equity, unrealised_of(b), equity - b.a[c.FREE]
    row[4] = nearest if is_held else float("nan")


@compiled
def take_out(b: Books, tables: Tables) -> None:
    """Move the rows that wait into the tables of the result."""
    m = b.m
    m[c.TRADES] = _taken(b.trades, m[c.TRADES_WAITING], tables.trades, m[c.TRADES])
    m[c.MOVES] = _taken(b.moves, m[c.MOVES_WAITING], tables.moves, m[c.MOVES])
    m[c.ACCOUNTS] = _taken(b.accounts, m[c.ACCOUNTS_WAITING], tables.accounts, m[c.ACCOUNTS])
    m[c.STORY] = _taken(b.story, m[c.STORY_WAITING], tables.story, m[c.STORY])
    m[c.TRADES_WAITING], m[c.MOVES_WAITING], m[c.ACCOUNTS_WAITING], m[c.STORY_WAITING] = 0, 0, 0, 0
    if min(m[c.TRADES], m[c.MOVES], m[c.ACCOUNTS], m[c.STORY]) < 0:
        m[c.FAILED] = status.NO_ROOM


@compiled
def _taken(waiting: Floats, count: int, table: Floats, known: int) -> int:
    """Append rows to a table; return how many it has then, below zero when they do not fit."""
    if known + count > len(table):
        return -1
    for row in range(count):
        for column in range(table.shape[1]):
            table[known + row, column] = waiting[row, column]
    return known + count


@compiled
def know_latencies(b: Books, tables: Tables) -> None:
    """Look up how long the next orders take to arrive."""
    first, known = b.m[c.ORDER_COUNT] + 1, tables.latencies
    b.m[c.LATENCIES_FROM] = first
    if first + c.LATENCY_SLOTS > len(known):
        b.m[c.FAILED] = status.NO_ROOM
        return
    for number in range(c.LATENCY_SLOTS):
        b.latencies[number] = known[first + number - 1]
