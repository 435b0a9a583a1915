"""Halts: raised here by whoever sees a reason, read by the gate and by everything that would enlarge.

A latch stays until a person lifts it. A condition (a silent feed, a faulty strategy) ends by itself.
Every change is journalled and told.
"""

from typing import Final, Protocol

from bot.core.event import AlertRaised, EntriesHalted, EntriesResumed
from bot.core.halt import BY_PERSON, FLATTEN, LEVELS, MEANINGS, NO_ENTRY, Halt, Level, rank
from bot.core.intent import Fact
from bot.engine.outbox import Outbox
from bot.engine.state import Market, State
from bot.ports import Command

PERSON: Final = "person"
PERSON_FLATTEN: Final = "person_flatten"
STRATEGY_HUNG: Final = "strategy_hung"
HUNG_VERB: Final = "strategy_hung"  # of the order that a process leaves whose strategy did not answer
HALTED: Final = "halted"
RESUMED: Final = "resumed"

LIFTED_BY: Final = "It stays until a person lifts it: ringfence resume"
_MAY_RELEASE: Final = 1  # the highest level that leaves margin alone
_COMMANDS_KEPT: Final = 20


class Ledger(Protocol):
    """What a halt is written to: a desk, or the last state of a bot that does not run."""

    @property
    def state(self) -> State: ...

    @property
    def outbox(self) -> Outbox: ...


def obey(desk: Ledger, command: Command) -> None:
    """Do what a person ordered, or a process that had to end.

    The same order again changes nothing, and one of no known kind neither.
    """
    state = desk.state
    if command.command_id in state.commands:
        return
    state.commands = [*state.commands, command.command_id][-_COMMANDS_KEPT:]
    if command.verb == "resume":
        lift(desk, command.message)
        return
    if command.verb == HUNG_VERB:
        latch(desk, NO_ENTRY, STRATEGY_HUNG, command.message)
        return
    said = f": {command.message}" if command.message else ""
    for level in LEVELS:
        if level == command.level:
            cause = PERSON_FLATTEN if level == FLATTEN else PERSON
            latch(desk, level, cause, f"a person ordered it{said}", by=BY_PERSON)


def latch(desk: Ledger, level: Level, cause: str, message: str, *, symbol: str = "", by: str = "") -> bool:
    """Halt until a person lifts it; return False when the same cause has latched as much already."""
    state = desk.state
    known = state.halts.get(cause)
    if known is not None and known.is_latched and rank(known.level) >= rank(level):
        return False
    state.halts[cause] = Halt(level, message, state.now_ms, True)
    desk.outbox.note(EntriesHalted(state.now_ms, symbol, cause, message, level, True, by))
    told_of = "" if symbol in message else symbol  # named once
    _alert(desk, told_of, HALTED, f"{message}. {level}: {MEANINGS[level]}. {LIFTED_BY}.", {"level": level})
    _wake(state)
    return True


def begin(desk: Ledger, level: Level, cause: str, message: str, *, symbol: str = "") -> None:
    """Halt while a condition lasts; whoever sees it end says so with `end`. It is told by its own alert."""
    state = desk.state
    state.halts[cause] = Halt(level, message, state.now_ms, False)
    desk.outbox.note(EntriesHalted(state.now_ms, symbol, cause, message, level))


def end(desk: Ledger, cause: str) -> None:
    """Forget a condition that has passed; latches are not touched."""
    halt = desk.state.halts.get(cause)
    if halt is None or halt.is_latched:
        return
    del desk.state.halts[cause]
    desk.outbox.note(EntriesResumed(desk.state.now_ms, "", cause))
    _wake(desk.state)


def lift(desk: Ledger, message: str) -> tuple[str, ...]:
    """Lift every latch, because a person said so, and return their causes. Conditions stay."""
    state = desk.state
    causes = tuple(cause for cause, halt in state.halts.items() if halt.is_latched)
    for cause in causes:
        del state.halts[cause]
        desk.outbox.note(EntriesResumed(state.now_ms, "", cause, BY_PERSON))
    # What was lost until now is known to the person: limits count from here.
    state.loss_base_quote = state.peak_equity_quote = 0.0
    for counts in (state.ordered_ms, state.sent_ms, state.refused_ms, state.stale_since_ms):
        counts.clear()
    if causes:
        left = state.halt_level()
        rest = f"{left} still stands: {_words(state)}" if left else "nothing is halted any more"
        said = f" ({message})" if message else ""
        _alert(desk, "", RESUMED, f"a person lifted {', '.join(causes)}{said}; {rest}.", {"level": left})
        _wake(state)
    return causes


def is_flattening(state: State) -> bool:
    """Return whether every position is to be closed."""
    return any(halt.level == FLATTEN for halt in state.halts.values())


def may_release(state: State) -> bool:
    """Return whether margin may be released; added it may be under every halt."""
    return rank(state.halt_level()) <= _MAY_RELEASE


def checks(state: State) -> tuple[str, ...]:
    """Return why nothing may be entered, a sentence for each halt; empty when nothing stands against it."""
    return tuple(f"entries are halted ({cause}: {halt.message})" for cause, halt in state.halts.items())


def _words(state: State) -> str:
    return "; ".join(f"{cause}, {halt.message}" for cause, halt in state.halts.items())


def _alert(desk: Ledger, symbol: str, cause: str, message: str, facts: dict[str, Fact]) -> None:
    desk.state.tally.alerts += 1
    is_grave = rank(desk.state.halt_level()) > _MAY_RELEASE or bool(desk.state.positions())
    severity = "critical" if cause == HALTED and is_grave else "warning"
    desk.outbox.note(AlertRaised(desk.state.now_ms, symbol, 0, severity, cause, message, facts))


def _wake(state: State) -> None:
    for market in state.markets.values():
        _wake_market(market)


def _wake_market(market: Market) -> None:
    if market.holding is not None:
        market.holding.wake()
