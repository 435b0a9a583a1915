"""Planted bugs in how requests are sent, and in what their replies and silences are taken for."""

from typing import Final

from tests.simulation.planted.bug import Bug, Change

_GATEWAY: Final = "bot/exchange/gateway.py"
_BOOK: Final = "bot/exchange/book.py"
_ORDERS: Final = "bot/exchange/orders.py"
_OUTCOMES: Final = "bot/exchange/outcomes.py"
_FATE: Final = "bot/exchange/fate.py"
_LANE: Final = "bot/exchange/lane.py"
_LINK: Final = "bot/exchange/link.py"

REQUESTS: Final = (
    Bug(
        "create-retried",
        _LINK,
        """            except Transient:
                await self.clock.sleep(_WAIT_SECONDS)
""",
        """            except Exception as error:
                if type(error).__name__ not in ("Transient", "OutcomeUnknown"):
                    raise
                await self.clock.sleep(_WAIT_SECONDS)
""",
        "a change whose reply is lost is sent again",
        ("F34", "unknown", "F01"),
    ),
    Bug(
        "timeout-is-a-refusal",
        _OUTCOMES,
        "    ccxt.RequestTimeout: _PASSING,\n",
        '    ccxt.RequestTimeout: Meaning("transient", "rejected", "position_limit"),\n',
        "a change that is not answered in time counts as refused",
        ("unknown", "F01", "F34"),
    ),
    Bug(
        "timeout-is-nothing-done",
        _OUTCOMES,
        "    ccxt.RequestTimeout: _PASSING,\n",
        "    ccxt.RequestTimeout: _NOT_DONE,\n",
        "a change that is not answered in time counts as thrown away",
        ("unknown", "F01", "F34"),
    ),
    Bug(
        "cut-is-a-refusal",
        _OUTCOMES,
        "    ccxt.ExchangeNotAvailable: _PASSING,\n",
        '    ccxt.ExchangeNotAvailable: Meaning("transient", "rejected", "position_limit"),\n',
        "a change whose connection is cut counts as refused",
        ("cut", "F11"),
    ),
    Bug(
        "server-error-is-nothing-done",
        _OUTCOMES,
        'return Outcome("unknown" if is_write else "transient", "", message)',
        'return Outcome("transient", "", message)',
        "a change that a failing server may have done is sent again",
        ("F03",),
    ),
    Bug(
        "server-error-is-a-refusal",
        _OUTCOMES,
        'return Outcome("unknown" if is_write else "transient", "", message)',
        'return Outcome("rejected" if is_write else "transient", "position_limit", message)',
        "a change that a failing server may have done counts as refused",
        ("F03",),
    ),
    Bug(
        "refused-is-unknown",
        _OUTCOMES,
        'return Outcome("rejected", listed, message)  #',
        'return Outcome("unknown" if is_write else "rejected", listed, message)  #',
        "a refusal counts as no answer",
        ("refused", "F19", "F14", "F28"),
    ),
    Bug(
        "overload-is-unknown",
        _OUTCOMES,
        """    if listed == "not_done":
        return Outcome("transient", "", message)
""",
        """    if listed == "not_done":
        return Outcome("rejected", "reduce_only", message)
""",
        "what an overloaded venue threw away counts as refused: there is nothing to reduce",
        ("F18",),
    ),
    Bug(
        "duplicate-is-a-refusal",
        _ORDERS,
        'if refusal.args[0] != "duplicate_client_id":',
        'if refusal.args[0] != "unknown_order":',
        "an order whose id is taken, because it arrived, counts as refused",
        ("thrown_away", "F02", "F01", "F03"),
    ),
    Bug(
        "another-client-id",
        _ORDERS,
        "            intent.client_id, action.symbol, action.order, action.side,",
        '            f"{intent.client_id[:-1]}Z", action.symbol, action.order, action.side,',
        "an entry carries an id that is not its intent's",
        ("entry",),
    ),
    Bug(
        "exit-not-reduce-only",
        _ORDERS,
        'NewOrder(intent.client_id, action.symbol, "market", -action.side, quantity, True)',
        'NewOrder(intent.client_id, action.symbol, "market", -action.side, quantity, False)',
        "an exit is not reduce-only",
        ("leave",),
    ),
    Bug(
        "half-an-exit",
        _ORDERS,
        "quantity = held.quantity if action.quantity == 0.0 else min(action.quantity, held.quantity)",
        "quantity = self._instruments[action.symbol].min_quantity",
        "an exit closes the least quantity",
        ("leave",),
    ),
    Bug(
        "left-over-stop-kept",
        _ORDERS,
        "for order in [each for each in left if each.is_conditional and each.is_reduce_only]:",
        "for order in [each for each in left if each.is_conditional and not each.is_reduce_only]:",
        "an entry does not cancel the stop that an earlier position left; no simulated venue leaves one",
        ("F23", "leave", "F68"),
    ),
    Bug(
        "expired-rest-not-told",
        _BOOK,
        "        if self.filled.pop(sent.client_id, 0.0) < quantity * (1.0 - _FLOAT_NOISE):\n",
        "        if self.filled.pop(sent.client_id, 0.0) < 0.0 * quantity:\n",
        "the rest of a market order that expired stays open for ever",
        ("F08",),
    ),
    Bug(
        "fills-of-an-entry-not-awaited",
        _ORDERS,
        """        patient_until_ms = self._link.clock.now_ms() + _PATIENCE_MS
        for wait_seconds in _SETTLE_WAITS_SECONDS:
""",
        """        self._book.filled[sent.client_id] = order.quantity
        patient_until_ms = self._link.clock.now_ms() + _PATIENCE_MS
        for wait_seconds in _SETTLE_WAITS_SECONDS[:1]:
""",
        "an order that was sent counts as filled",
        ("entry", "F08"),
    ),
    Bug(
        "leverage-not-read-back",
        _GATEWAY,
        """        if now.leverage != action.leverage:
            message =""",
        """        now = now._replace(leverage=action.leverage)
        if now.leverage != action.leverage:
            message =""",
        "a leverage that the venue ignored counts as set",
        ("F38",),
    ),
    Bug(
        "mode-not-looked-at",
        _GATEWAY,
        "    if not (now.is_isolated and now.is_one_way):\n        raise Rejected",
        "    if not (now.is_isolated or now.is_one_way):\n        raise Rejected",
        "an entry goes into a symbol in cross margin",
        ("mode", "F37", "F42"),
    ),
    Bug(
        "isolated-not-set",
        _GATEWAY,
        "        if not now.is_isolated:\n            await",
        "        if not now.is_isolated and now.is_one_way:\n            await",
        "a symbol in cross margin is left as it is, so that nothing can be entered",
        ("modes", "F42"),
    ),
    Bug(
        "auto-add-left-on",
        _GATEWAY,
        "        if not now.is_auto_add:\n            return now\n",
        "        if now.leverage:\n            return now\n",
        "the venue's own margin moves are not switched off",
        ("modes",),
    ),
    Bug(
        "refusal-before-what-happened",
        _GATEWAY,
        'if code in ("reduce_only", "no_position", "unknown_order", "in_liquidation", "beyond_removable"):',
        'if code == "nothing":',
        "a refusal is told before the fill that explains it",
        ("late_end", "F32", "F09", "F23"),
    ),
    Bug(
        "gives-up-at-once",
        _FATE,
        "        left_ms = deadline_ms - clock.now_ms()\n",
        "        left_ms = 0 * deadline_ms\n",
        "what no read shows at once counts as never arrived",
        ("overtaken",),
    ),
    Bug(
        "filled-counts-as-never-arrived",
        _FATE,
        """    if found is None:
        return None
    book.own""",
        """    if found is None or found.status == "done":
        return None
    book.own""",
        "an order that has filled already counts as never arrived",
        ("adopted", "unknown", "F12"),
    ),
    Bug(
        "absent-counts-as-arrived",
        _FATE,
        """    if found is None:
        return None
    book.own""",
        """    if found is None:
        return ()
    book.own""",
        "an order that never arrived counts as done",
        ("F12", "F03", "F11"),
    ),
    Bug(
        "cancel-never-arrived",
        _FATE,
        '    if found is not None and found.status == "open":\n        return None\n',
        '    if found is not None and found.status == "nothing":\n        return None\n',
        "a cancellation that never arrived counts as done, what the venue lists being overlooked as well",
        ("F11", "F12", "trailing"),
        (
            Change(
                _FATE,
                "    return None if action.target_client_id in gateway.book.orders else",
                "    return None if not action.target_client_id else",
            ),
        ),
    ),
    Bug(
        "history-of-margin-not-read",
        _FATE,
        "    return Move(intent.client_id, mine[-1]) if mine else NO_MOVE\n",
        "    return Move(intent.client_id, mine[-1]) if len(mine) > 9 else NO_MOVE\n",
        "margin that moved and that positions show late is moved again",
        ("late_add", "F34", "F04"),
    ),
    Bug(
        "no-fence",
        _FATE,
        "if move is None and is_short and not gateway.was_unsent(intent):",
        "if move is None and is_short and gateway.was_unsent(intent):",
        "where there is no history, margin that positions show late is moved again",
        ("late_add", "F34", "F04"),
    ),
    Bug(
        "lane-loses-places",
        _LANE,
        """            if urgency is Urgency.POLL:
                self._in_flight -= 1
            self._pump()
""",
        """            if urgency is Urgency.URGENT:
                self._in_flight -= 1
            self._pump()
""",
        "polls that have ended keep their places, until none is left",
        ("stop", "F26"),
    ),
    Bug(
        "urgent-behind-polls",
        _LANE,
        "        urgency = urgency_now.get()\n",
        "        urgency = Urgency.POLL\n",
        "every request waits as polls do, few at a time and apart",
        ("entry", "F21", "F52"),
    ),
    Bug(
        "ban-ignored",
        _LANE,
        "        if now_ms < self._blocked_until_ms:\n",
        "        if now_ms < 0 * self._blocked_until_ms:\n",
        "requests go on while the venue has banned them",
        ("ban", "F50"),
    ),
    Bug(
        "clock-not-set",
        _LINK,
        "            if isinstance(error, ccxt.InvalidNonce):\n",
        "            if isinstance(error, ZeroDivisionError):\n",
        "after the host's clock has stepped every request is refused",
        ("F51",),
    ),
    Bug(
        "rules-not-read-after-a-refusal",
        "bot/exchange/freshness.py",
        "        self._suspects[symbol] = None\n",
        "        self._suspects.pop(symbol, None)\n",
        "tiers and steps that have changed are not read again after a refusal",
        ("terms", "F17", "F40"),
    ),
)
