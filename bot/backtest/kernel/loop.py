"""The loop over all bars, flat: what waits is done first, then whatever comes next in time.

Flat because every function is compiled with all that it calls: what engine and venue say to each other is
called from here, once, and not from wherever it is caused.
"""

from typing import Final

from bot.backtest.kernel import columns as c
from bot.backtest.kernel import status
from bot.backtest.kernel.books import Books, Limits, Tables
from bot.backtest.kernel.candles import begin_gap, hear_candle, hear_rate, pay, starve
from bot.backtest.kernel.gliding import glide
from bot.backtest.kernel.hearing import hear
from bot.backtest.kernel.looks import finish, look_at
from bot.backtest.kernel.market import Played
from bot.backtest.kernel.recorder import know_latencies, take_out
from bot.backtest.kernel.settling import answer, send
from bot.backtest.kernel.story import is_full
from bot.backtest.kernel.tape import finish_tick
from bot.backtest.kernel.ticks import hear_tick, next_tick, pass_over, quiet_until, walk_bar
from bot.backtest.kernel.venue_protection import step_tick
from bot.core.compiled import compiled

# What the loop does next, where nothing waits.
_BAR: Final = 0
_DUE: Final = 1
_PAID: Final = 2
_TOLD: Final = 3
_CANDLES: Final = 4
_PRICES: Final = 5
_TICKS: Final = 6
_VENUE: Final = 7
_ENGINE: Final = 8
_MOST_REQUESTS: Final = 200


@compiled
def play(b: Books, p: Played, limits: Limits, tables: Tables) -> None:
    """Play every bar, and the candles that close with the last."""
    m, symbols, start_ms, bar_ms = b.m, b.m[c.SYMBOLS], p.start_ms, p.bar_ms
    marks, lasts, is_there = p.marks, p.lasts, p.is_there
    bar, phase, due, after_due, s, requests = 0, _BAR, 0, _BAR, 0, 0
    inner, first, outer, glided = -1, 0, 0, 0
    while m[c.FAILED] == status.FINE:
        if (
            max(m[c.TRADES_WAITING], m[c.MOVES_WAITING]) > c.ROW_SLOTS // 2
            or is_full(b)
            or m[c.ACCOUNTS_WAITING] > c.ACCOUNT_SLOTS // 2
        ):
            take_out(b, tables)
            continue
        if m[c.JITTER_MS] > 0 and m[c.ORDER_COUNT] + 2 > m[c.LATENCIES_FROM] + c.LATENCY_SLOTS:
            know_latencies(b, tables)
            continue
        if inner >= 0:  # what a request has caused
            if inner < m[c.EVENTS]:
                hear(b, inner, limits)
                finish(b)
                inner += 1
            else:
                m[c.EVENTS], inner = first, -1
            continue
        if m[c.QUEUE_HEAD] < m[c.QUEUE_TAIL]:  # what the engine wants
            row, first = m[c.QUEUE_HEAD], m[c.EVENTS]
            m[c.QUEUE_HEAD] += 1
            code = send(b, row)
            if not answer(b, row, code, limits):
                inner = first
            else:
                m[c.EVENTS] = first
                finish(b)
            requests += 1
            if requests > _MOST_REQUESTS:
                m[c.FAILED] = status.ENDLESS
            continue
        m[c.QUEUE_HEAD], m[c.QUEUE_TAIL], requests = 0, 0, 0
        if outer < m[c.EVENTS]:  # what a tick or a settlement has caused
            hear(b, outer, limits)
            finish(b)
            outer += 1
            continue
        m[c.EVENTS], outer = 0, 0

        if phase == _VENUE:
            if (b.n[s, c.ORDERS] > 0 or b.n[s, c.SIDE] != 0) and step_tick(b, s):
                continue
            finish_tick(b, s)
            phase = _ENGINE
        elif phase == _ENGINE:
            phase = _TICKS
            if hear_tick(b, s):
                look_at(b, s, limits)
                finish(b)
        elif phase == _TICKS:
            due_ms = p.due[due, 0] if due < len(p.due) else c.NEVER_MS
            s = next_tick(b, due_ms, start_ms + (bar + 1) * bar_ms)
            if s >= 0:
                phase = _VENUE
            elif s == -1:
                phase, after_due = _DUE, _TICKS
            else:
                bar, phase = bar + 1, _BAR
        elif phase == _BAR:
            if bar > p.bars:
                break
            phase, after_due = _DUE, _CANDLES
        elif phase == _DUE:
            phase, s = after_due, -1
            # at the bar's first instant, or before the tick that comes next
            until_ms = start_ms + bar * bar_ms + (0 if after_due == _CANDLES else bar_ms - 1)
            if bar < p.bars and due < len(p.due) and p.due[due, 0] <= until_ms:
                phase = _PAID
                if p.due[due, 2] == 0:
                    pay(b, p.due[due, 1], p.due_values[due], p.due[due, 0])
        elif phase == _PAID:
            phase = _TOLD
            if p.due[due, 2] == 0:
                starve(b, p.due[due, 1], p.due[due, 0])
        elif phase == _TOLD:
            if p.due[due, 2] == 0:
                hear_rate(b, p.due[due, 1], p.due_values[due], p.due[due, 0])
            else:
                begin_gap(b, p.due[due, 1], p.due[due, 0], int(p.due_values[due]))
            finish(b)
            due += 1
            phase = _DUE if after_due == _CANDLES else _TICKS
        elif phase == _CANDLES:
            s += 1
            since_ms = bar * p.bar_ms - p.first_close_ms
            if bar == 0 or since_ms % p.candle_ms != 0 or s >= symbols:
                phase = _PRICES
            elif since_ms >= 0 and p.rows[s, since_ms // p.candle_ms] >= 0:
                row, word = int(p.rows[s, since_ms // p.candle_ms]), p.words[s, since_ms // p.candle_ms]
                strength, stop = p.strengths[row], p.stop_distances[row]
                hear_candle(b, p.estimates, s, row, word, strength, stop, start_ms + bar * bar_ms, limits)
                look_at(b, s, limits)
                finish(b)
        elif bar >= p.bars:
            break
        elif bar > glided and (bar * p.bar_ms - p.first_close_ms) % p.candle_ms == 0:
            glided = glide(b, p, limits, bar, due)
            due = m[c.DUE]
            if glided < 0:
                glided, phase = -1 - glided, _BAR
                bar, glided = glided, glided - 1
            else:
                bar = glided
        else:
            # up to the next close, and the bar of the next settlement
            stop = bar + (p.first_close_ms - bar * bar_ms - 1) % p.candle_ms // bar_ms + 1
            stop = min(stop, p.bars)
            if due < len(p.due):
                stop = min(stop, (p.due[due, 0] - start_ms) // bar_ms)
            quiet = quiet_until(b, marks, is_there, bar, stop, start_ms, bar_ms)
            if quiet > bar:
                pass_over(b, marks, lasts, is_there, bar, quiet, start_ms, bar_ms)
                bar, phase = quiet, _BAR
                continue
            for each in range(symbols):
                b.cursors[each, 0], b.cursors[each, 1] = 0, 0
                if is_there[each, bar] != 0:
                    side, open_ms = b.n[each, c.SIDE], start_ms + bar * bar_ms
                    walk_bar(b, marks[each, bar], lasts[each, bar], each, side, open_ms, bar_ms)
            phase = _TICKS
    if m[c.FAILED] == status.FINE:
        take_out(b, tables)
