"""What halts say to people: the level, every cause, and what to do next."""

from collections.abc import Mapping
from typing import Any

from bot.core.halt import MEANINGS, NO_ENTRY, Halt, rank

LIFT = "ringfence resume"


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
    if any(halt.is_latched for halt in halts.values()):
        return f"look into the cause, then {LIFT}"
    return "nothing: it ends when its cause has passed"


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
    return f"{cause.replace('_', ' ')}, {halt.message} ({halt.level} {until})"


def order_words(verb: str, *, is_running: bool, is_taken: bool) -> str:
    """Return what became of a person's order."""
    if not is_taken:
        return (
            "The bot runs and has not taken the order yet; it does as soon as it can. If not, stop it "
            "and look after the positions at the exchange: their stops rest there."
        )
    if is_running:
        return "The bot has taken the order."
    if verb == "flatten":
        return (
            "No bot is running: the order is in the database, and nothing was sent. Start the bot, and it "
            "closes every position before anything else; or close them at the exchange. Stops rest there."
        )
    return "No bot is running: the order is in the database, and the next start obeys it."
