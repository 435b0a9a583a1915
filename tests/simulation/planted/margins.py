"""Planted bugs in margin moves and in halts."""

from typing import Final

from tests.simulation.planted.bug import Bug, Change

_ENGINE: Final = "bot/engine/engine.py"
_MARGINS: Final = "bot/engine/margins.py"
_HALTS: Final = "bot/engine/halts.py"
_RUN: Final = "bot/engine/run.py"
_BY_HAND: Final = "bot/engine/by_hand.py"
_GATEWAY: Final = "bot/exchange/gateway.py"
_AMOUNT: Final = "bot/exchange/margin_amount.py"
_ADDITION: Final = "bot/risk/addition.py"
_RELEASE: Final = "bot/risk/release.py"

MARGIN: Final = (
    # --- margin ----------------------------------------------------------------------------------
    Bug(
        "added-instead-of-target",
        _AMOUNT,
        "        amount = action.target_wallet - held.isolated_wallet\n",
        "        amount = action.target_wallet\n",
        "the target wallet is added to what is there",
        ("add",),
    ),
    Bug(
        "added-without-reading",
        _GATEWAY,
        "        amount = self.margin_amount(action, paid_up(action, held, unshown))\n",
        "        amount = self.margin_amount(action, self.book.positions.get(action.symbol, held))\n",
        "margin is added to the wallet of the last reading",
        ("helped_add", "F46", "F34", "add"),
    ),
    Bug(
        "released-is-added",
        _AMOUNT,
        "return -step_down(amount, instrument.margin_step_quote) if amount >= half_step else 0.0",
        "return step_down(amount, instrument.margin_step_quote) if amount >= half_step else 0.0",
        "a release adds",
        ("release",),
    ),
    Bug(
        "add-cooldown-ignored",
        _ADDITION,
        "if book.last_add_ms > 0 and view.ts_ms < retry_at_ms and not is_emergency:",
        "if book.last_add_ms < 0 and view.ts_ms < retry_at_ms and not is_emergency:",
        "adds follow each other without the cooldown",
        ("adds", "F41"),
    ),
    Bug(
        "most-adds-ignored",
        _ADDITION,
        "    if book.adds >= limits.max_adds:\n",
        "    if book.adds >= 100 * limits.max_adds:\n",
        "more adds than the settings allow",
        ("adds", "F41"),
    ),
    Bug(
        "agreed-loss-ignored",
        _ADDITION,
        "    ceiling = Edge(book.agreed_loss_quote, AGREED_LOSS)\n",
        "    ceiling = Edge(1e12, AGREED_LOSS)\n",
        "margin beyond the agreed loss is added, the limit of added margin being out as well",
        ("agreed", "adds", "F41"),
        (
            Change(
                _ADDITION,
                "    if by_added < ceiling.wallet:\n",
                "    if by_added < 0.0 * ceiling.wallet:\n",
            ),
        ),
    ),
    Bug(
        "released-below-the-floor",
        _RELEASE,
        "    floor = Edge(target_wallet(view, wanted), BELOW_STEP)\n    if view.stop_price > 0.0:\n",
        "    floor = Edge(0.2 * target_wallet(view, wanted), BELOW_STEP)\n    if view.stop_price < 0.0:\n",
        "a release takes what the band and the stop's anchor want to keep",
        ("measure", "release", "F41"),
    ),
    Bug(
        "release-cooldown-ignored",
        _RELEASE,
        "    if last_ms > 0 and view.ts_ms < retry_at_ms:\n",
        "    if last_ms < 0 and view.ts_ms < retry_at_ms:\n",
        "releases follow each other without the cooldown",
        ("hasty", "measure", "release", "F41"),
    ),
    Bug(
        "moved-while-a-move-is-under-way",
        _MARGINS,
        "if not holding.is_filled or desk.is_in_flight(symbol, PlaceStop, AddMargin, ReleaseMargin):",
        "if not holding.is_filled or desk.is_in_flight(symbol, PlaceStop):",
        "margin is moved while an earlier move has no outcome",
        ("late_add", "slow_add", "F34", "F21"),
    ),
    Bug(
        "add-not-booked",
        _MARGINS,
        "    holding.position = event.position\n    amount, tally",
        "    amount, tally",
        "the engine's wallet stays as it was before a move",
        ("add",),
    ),
    Bug(
        "by-hand-not-booked",
        _MARGINS,
        '    desk.outbox.note(Reconciled(event.ts_ms, event.symbol, "margin", facts))\n'
        "    holding.gain(by_hand_quote=event.amount_quote)\n"
        "    holding.position = event.position\n",
        '    desk.outbox.note(Reconciled(event.ts_ms, event.symbol, "margin", facts))\n'
        "    holding.gain(by_hand_quote=event.amount_quote)\n",
        "the engine's wallet stays as it was before somebody moved margin",
        ("F46",),
    ),
    Bug(
        "refused-add-forgotten",
        _ENGINE,
        "        intent = self.state.in_flight.pop(event.client_id, None)\n"
        "        action = intent.action if intent is not None else None\n",
        "        intent = self.state.in_flight.get(event.client_id)\n"
        "        action = intent.action if intent is not None else None\n",
        "a refused request is in flight for ever",
        ("F31", "F20"),
    ),
)

HALTS: Final = (
    Bug(
        "halt-only-told",
        _HALTS,
        "    state.halts[cause] = Halt(level, message, state.now_ms, True)\n",
        "    state.tally.alerts += 1\n",
        "a halt is told and not raised",
        ("halted",),
    ),
    Bug(
        "halt-not-latched",
        _HALTS,
        "    state.halts[cause] = Halt(level, message, state.now_ms, True)\n",
        "    state.halts[cause] = Halt(level, message, state.now_ms, False)\n",
        "a halt counts as a condition, so that nobody can lift it",
        ("resumed", "halted"),
    ),
    Bug(
        "halt-lost-at-restart",
        "bot/engine/state.py",
        'for cause, halt in saved["halts"].items()}',
        'for cause, halt in saved["halts"].items() if cause == ""}',
        "a start forgets every halt",
        ("halted",),
    ),
    Bug(
        "halt-lifted-by-itself",
        _ENGINE,
        "        alerts.stale_elsewhere(self.desk)\n",
        "        self.state.halts.clear()\n        alerts.stale_elsewhere(self.desk)\n",
        "the next candle lifts every halt",
        ("halted",),
    ),
    Bug(
        "order-forgotten-before-it-is-written",
        _RUN,
        "            self._heard.add(command.command_id)\n",
        "            self._commands.done(command.command_id) if self._commands else None\n",
        "a person's order is removed before it is in the database",
        ("halted",),
    ),
    Bug(
        "order-never-heard",
        _RUN,
        "                is_due = self.hear() or is_due or by_hand.is_any_due(self.engine.state)\n",
        "                is_due = False\n",
        "a person's order waits for the next start",
        ("halted", "flatten"),
    ),
    Bug(
        "flatten-only-halts",
        _HALTS,
        "    return any(halt.level == FLATTEN for halt in state.halts.values())\n",
        "    return any(halt.level == FLATTEN and not halt.is_latched for halt in state.halts.values())\n",
        "FLATTEN closes nothing",
        ("flatten",),
    ),
    Bug(
        "persons-order-forgotten",
        "bot/engine/state.py",
        '        **({"errands": [list(errand) for errand in state.errands]} if state.errands else {}),\n',
        "",
        "the checkpoint does not hold what a person ordered about a position",
        ("asked_add",),
    ),
    Bug(
        "persons-order-twice",
        _BY_HAND,
        "    if any(errand.command_id == command.command_id for errand in state.errands):\n",
        "    if command.command_id in state.commands:\n",
        "what a person ordered is carried out again when it is heard again",
        ("asked_add",),
    ),
    Bug(
        "probe-taken-for-the-add",
        _BY_HAND,
        "    if missing > 0.5 * errand.amount_quote:\n",
        "    if missing < 0.0:\n",
        "the least amount that shows the wallet counts as what a person ordered",
        ("asked_add",),
    ),
    Bug(
        "released-by-hand-beside-a-doubt",
        _BY_HAND,
        " or (symbol in desk.doubtful and verb != CLOSE)",
        "",
        "a person's release does not wait for the fate of the one before it",
        ("asked_release",),
    ),
    Bug(
        "persons-release-refused-by-a-start",
        _BY_HAND,
        "event.code == halts.HALTED and not desk.began_ms",
        "event.code == halts.HALTED and desk.began_ms < 0",
        "what a start may not send yet is refused",
        ("asked_release",),
    ),
)
