"""Planted bugs in reading the account and in turning readings into events."""

from typing import Final

from tests.simulation.planted.bug import Bug, Change

_BOOK: Final = "bot/exchange/book.py"
_CHANGES: Final = "bot/exchange/changes.py"
_SIGHT: Final = "bot/exchange/sight.py"
_SWEEP: Final = "bot/exchange/sweep.py"
_FEED: Final = "bot/exchange/feed.py"

TRUTH: Final = (
    Bug(
        "trades-read-again",
        _BOOK,
        "return ts_ms > self.since_ms or (ts_ms == self.since_ms and row_id not in self.seen)",
        "return ts_ms >= self.since_ms",
        "the newest fill is counted with every reading",
        ("entry", "F26"),
    ),
    Bug(
        "second-trade-of-an-instant-lost",
        _BOOK,
        "return ts_ms > self.since_ms or (ts_ms == self.since_ms and row_id not in self.seen)",
        "return ts_ms > self.since_ms",
        "a fill at the instant of the last one is not read",
        ("instant", "regressions", "F08", "F26"),
    ),
    Bug(
        "margin-doubt-not-kept",
        _BOOK,
        "        self.doubts[action.symbol] = intent.client_id\n",
        "        self.doubts.pop(action.symbol, None)\n",
        "margin that moved without an answer is taken for somebody else's",
        ("late_add", "slow_add", "F34", "F04"),
    ),
    Bug(
        "reported-twice",
        _BOOK,
        "        self.reported[client_id] = None\n",
        "        self.reported.pop(client_id, None)\n",
        "nobody remembers which outcomes were told",
        ("add", "slow_add", "F34", "F01"),
    ),
    Bug(
        "partial-fill-not-told",
        _CHANGES,
        "                whole.extend((trade,) for trade in trades)\n",
        "                whole.append(trades[-1:])\n",
        "of several fills of an order only the last is told",
        ("F08",),
    ),
    Bug(
        "remaining-quantity-wrong",
        _CHANGES,
        "        left = owner.quantity - filled\n",
        "        left = 0.0 * filled\n",
        "a partial fill is told to be the last",
        ("F08",),
    ),
    Bug(
        "liquidation-is-a-fill",
        _CHANGES,
        "return self._truth is None and self._dialect.is_liquidation(client_id)",
        "return self._truth is not None and self._dialect.is_liquidation(client_id)",
        "a liquidation is told as a fill",
        ("F43",),
    ),
    Bug(
        "funding-not-told",
        _CHANGES,
        """        held, payment = self._position, settled.payment
        if held is None:
            return
""",
        """        held, payment = self._position, settled.payment
        if held is None or payment.amount_quote > 0.0:
            return
""",
        "funding that was received is not told",
        ("funding", "F36"),
    ),
    Bug(
        "funding-changes-no-wallet",
        _CHANGES,
        "            held = held._replace(isolated_wallet=held.isolated_wallet + payment.amount_quote)\n",
        "            held = held._replace(isolated_wallet=held.isolated_wallet)\n",
        "funding leaves the believed wallet as it was, so that it is told as margin",
        ("funding", "F36"),
    ),
    Bug(
        "margin-of-the-ended-lost",
        _CHANGES,
        "if held is not None and self._truth is None and amount:",
        "if held is not None and self._truth is not None and amount:",
        "margin that moved and ended with its position is not told",
        ("ended_add", "F32"),
    ),
    Bug(
        "margin-by-hand-ignored",
        _CHANGES,
        "        elif not amount:\n            amount = _in_steps(",
        "        elif self._sight.trades:\n            amount = _in_steps(",
        "margin that somebody else moved is not told",
        ("F46",),
    ),
    Bug(
        "cancelled-not-told",
        _CHANGES,
        '            if order is not None and (order.status == "open" or self._has_traded(kept, order)):\n',
        "            if order is not None:\n",
        "an order that the venue cancelled is not told",
        ("F27", "trailing"),
    ),
    Bug(
        "ended-order-kept",
        _CHANGES,
        "            del book.orders[key]\n",
        "            book.orders[key] = book.orders[key]\n",
        "an order that has ended stays in the book of resting ones",
        ("trailing", "F27"),
    ),
    Bug(
        "absence-is-proof",
        _SIGHT,
        """        asked = [self._fate(each, trades, urgency, is_left=is_left) for each in gone]
        rows = await asyncio.gather(*asked)
""",
        """        rows = [None for _ in gone if None not in (urgency, trades, is_left)]
""",
        "an order that is in no list counts as cancelled, though lists lag",
        ("lists", "F04", "stop"),
    ),
    Bug(
        "fired-trigger-counts-as-filled",
        _SIGHT,
        'return row if has_traded else row._replace(status="cancelled")',
        "return row",
        "a trigger that fired and came to nothing counts as filled, its own fills not being counted either",
        ("fizzled", "F13", "F25", "F26"),
        (
            Change(
                _CHANGES,
                'order.status != "done" or filled <= 0.0:\n',
                'order.status != "done":\n',
            ),
            Change(
                _CHANGES,
                "            return self._truth is None or self._has_closed\n"
                "        return filled > kept.quantity * (1.0 - _FLOAT_NOISE)\n",
                "            return True\n        return filled >= min(kept.quantity, 0.0)\n",
            ),
        ),
    ),
    Bug(
        "money-read-before-the-fill",
        _SIGHT,
        "        if not new and all(each.leg",
        "        if new or all(each.leg",
        "the free balance told with a fill is the one before it",
        ("old_money", "regressions", "F26"),
    ),
    Bug(
        "contradiction-believed",
        _SWEEP,
        "                sight.is_consistent\n                and version",
        "                version",
        "a reading that contradicts itself is believed",
        ("F04", "F56"),
    ),
    Bug(
        "old-reading-believed",
        _SWEEP,
        "                and version == self._book.version\n",
        "                and version >= 0\n",
        "a reading that began before a write is believed",
        ("F07", "F21"),
    ),
    Bug(
        "move-need-not-show",
        _SWEEP,
        "    return abs(change - paid) >= 0.5 * share * abs(amount_quote)\n",
        "    return abs(change - paid) >= 0.0 * share * abs(amount_quote)\n",
        "a margin move is told although the position does not show it yet",
        ("slow_add", "late_add", "F04", "F22"),
    ),
    Bug(
        "positions-never-read-again",
        _FEED,
        "if now_ms - self._swept_ms.get(symbol, 0) >= self._pause_ms(symbol):",
        "if now_ms - self._swept_ms.get(symbol, 0) >= 1e6 * self._pause_ms(symbol):",
        "what no message tells is never read",
        ("silence", "F53", "F52", "F27"),
    ),
    Bug(
        "messages-never-heard",
        _FEED,
        "            self._sweep_soon(*(symbols or self._gateway.symbols), urgency=Urgency.NORMAL)\n",
        "            self._gateway.book.saw(len(symbols))\n",
        "nothing is read when the venue says that something happened",
        ("stop", "profit", "ladder", "F26"),
    ),
    Bug(
        "late-marks-believed",
        "bot/exchange/prices.py",
        "        if told.ts_ms < self._mark_ms.get(symbol, 0):\n            return\n",
        "        if told.ts_ms < 0:\n            return\n",
        "a mark that comes late counts as the newest",
        ("overtaken_marks", "F21", "F53"),
    ),
    Bug(
        "stream-not-renewed",
        "bot/exchange/streams.py",
        "        while True:\n            began_ms",
        "        while not is_again:\n            began_ms",
        "a stream that broke is not subscribed to again",
        ("rejoined", "F57", "reconnect"),
    ),
    Bug(
        "user-stream-key-kept",
        "bot/exchange/streams.py",
        """                if name == "account":
""",
        """                if name == "nothing":
""",
        "a user stream whose key has expired is asked for with the same key",
        ("key", "F54"),
    ),
)
