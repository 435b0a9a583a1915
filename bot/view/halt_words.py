"""What halts say to people: the level, every cause, and what to do next."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from bot.core.halt import MEANINGS, NO_ENTRY, Halt, rank
from bot.view.figures import date_time

if TYPE_CHECKING:
    from bot.ports import Command

LIFT: Final = "ringfence resume"
_STRATEGY: Final = "strategy_error"
_BY_PERSON: Final = {"person", "person_flatten"}


def halt_facts(halts: Mapping[str, Halt]) -> dict[str, str]:
    """Return the lines of `ringfence status`: level and meaning, causes, next step; empty without a halt."""
    if not halts:
        return {}
    level = highest(halts)
    causes = "; ".join(_cause(cause, halt) for cause, halt in halts.items())
    return {"halted": f"{level}: {MEANINGS[level]}", "because": causes, "next": next_step(halts)}


def halt_rows(halts: Mapping[str, Halt]) -> dict[str, dict[str, Any]]:
    """Return the same as JSON values by cause."""
    return {cause: halt._asdict() for cause, halt in halts.items()}


def next_step(halts: Mapping[str, Halt]) -> str:
    """Return what a person can do about what stands."""
    latched = {cause for cause, halt in halts.items() if halt.is_latched}
    if latched:
        return f"{LIFT} lifts it" if latched <= _BY_PERSON else f"look into the cause, then {LIFT}"
    if _STRATEGY in halts:
        return "correct the strategy, then start again"
    return "nothing: it ends when its cause has passed"


def order_facts(waiting: "Iterable[Command]") -> dict[str, str]:
    """Return the line of `ringfence status` on orders that nobody has taken yet; empty without one."""
    told = [f"{each.level or each.verb} since {date_time(_ordered_ms(each))}" for each in waiting]
    return {"ordered": f"{', '.join(told)} UTC; the bot has not taken it yet"} if told else {}


def order_rows(waiting: "Iterable[Command]") -> list[dict[str, Any]]:
    """Return the same as JSON values."""
    return [{**each._asdict(), "ts_ms": _ordered_ms(each)} for each in waiting]


def _ordered_ms(command: "Command") -> int:
    """The id of an order begins with when it was given."""
    return int(command.command_id.partition("-")[0])


def board_words(halts: Mapping[str, Halt]) -> str:
    """Return one line for the live view; "" without a halt."""
    if not halts:
        return ""
    level = highest(halts)
    causes = ", ".join(cause.replace("_", " ") for cause in halts)
    latched = f"; {LIFT} lifts it" if any(halt.is_latched for halt in halts.values()) else ""
    return causes + latched if level == NO_ENTRY else f"{level}, {causes}{latched}"


def highest(halts: Mapping[str, Halt]) -> str:
    """Return the highest level among `halts`, "" for none."""
    return max((halt.level for halt in halts.values()), key=rank, default="")


def _cause(cause: str, halt: Halt) -> str:
    until = "until a person resumes" if halt.is_latched else "while it lasts"
    named = "" if cause in _BY_PERSON else f"{cause.replace('_', ' ')}, "
    return f"{named}{halt.message} ({halt.level} {until})"


def order_words(verb: str, *, is_running: bool, is_taken: bool, is_flat: bool) -> str:
    """Return what became of a person's order."""
    if not is_taken:
        return (
            "The order is written and waits: the bot's process is there and has not taken it yet. It "
            "is obeyed as soon as that process goes on, or at the next start. If it hangs, stop it and look "
            "after the positions at the exchange: their stops rest there."
        )
    if is_running:
        return "The bot has taken the order."
    if verb == "flatten" and not is_flat:
        return (
            "No bot is running: the order is in the database, and nothing was sent. Start the bot, and it "
            "closes every position before anything else; or close them at the exchange. Stops rest there."
        )
    return "No bot is running: the order is in the database, and the next start obeys it."


def lifted_words(before: Mapping[str, Halt], after: Mapping[str, Halt]) -> str:
    """Return what a resume lifted."""
    lifted = [cause.replace("_", " ") for cause in before if cause not in after]
    return f"Lifted: {', '.join(lifted)}." if lifted else "No halt waited for a person: nothing was lifted."


def closed_words(symbols: Iterable[str]) -> str:
    """Return how far a running bot is with closing every position."""
    left = ", ".join(symbols)
    return f"Still open: {left}. The bot goes on closing." if left else "No position is open."
