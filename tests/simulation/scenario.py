"""One seed from start to verdict: the world of the seed, its faults, the calm after them, the comparison."""

import asyncio
import gc
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from tests.simulation.believed import compare_beliefs
from tests.simulation.books import compare
from tests.simulation.exchanges import DRAWN
from tests.simulation.faults.table import FAULTS, PROTECTED_WITHIN_S, Fault
from tests.simulation.loop import Stuck
from tests.simulation.manners import breaches
from tests.simulation.storage import rows
from tests.simulation.wall import cpu_seconds
from tests.simulation.world import World

STORY_SECONDS: Final = 141  # three candles close in it
# Most of a run's cost is looking at each symbol every few seconds, so every other seed has only one.
_SYMBOLS: Final = ("BTC/USDT:USDT", "ETH/USDT:USDT")
_CALM_SECONDS: Final = 33.0  # longer than any bound
_RESTART_SECONDS: Final = 8.0
_PAID_WITHIN_SECONDS: Final = 60.0
_MEMORY_FOLDER: Final = Path("/dev/shm")
_TABLES: Final = ("intent", "order", "fill", "position", "margin_adjustment", "funding", "equity", "event")


class Case(NamedTuple):
    """What names a run: the same case gives the same trace."""

    seed: int
    dialect: str
    faults: tuple[str, ...]
    seconds: int = STORY_SECONDS

    def command(self) -> str:
        """Return what replays it."""
        faults = f"--faults {','.join(self.faults) or 'none'}"
        length = f" --seconds {self.seconds}" if self.seconds != STORY_SECONDS else ""
        return f"python -m tests.simulation --seed {self.seed} --dialect {self.dialect} {faults}{length}"


class Verdict(NamedTuple):
    """`trace` names the run's every step; `fired` which faults did something.

    `stretches_ms`: how long positions had no stop, each time, from the fill on; `after_ms`: the same of the
    bot's own positions, from the last fault on.
    """

    case: Any
    violations: tuple[str, ...]
    trace: str
    fired: tuple[str, ...]
    stretches_ms: tuple[int, ...]
    virtual_seconds: float
    cpu_seconds: float
    counts: dict[str, int]
    after_ms: tuple[int, ...] = ()

    @property
    def unprotected_ms(self) -> int:
        """Return the longest time without a stop."""
        return max(self.stretches_ms, default=0)


def case_of(seed: int, names: Sequence[str] | None = None, dialect: str = "") -> Case:
    """Return the case of a seed. `names` None: one to three faults that the seed draws."""
    random = Random(f"case {seed}")
    drawn = DRAWN[seed % len(DRAWN)]
    if names is None:
        names = sorted(random.sample(sorted(FAULTS), random.randint(1, 3)))
    return Case(seed, dialect or drawn, tuple(names))


def run_case(case: Case, lines: list[str] | None = None) -> Verdict:
    """Run a case in a folder of its own. `lines` receives the trace."""
    faults = [FAULTS[name] for name in case.faults]
    symbols = _SYMBOLS[: 1 + case.seed % 2]
    return run_in(case, symbols, case.seconds, partial(played, faults=faults), lines)


def run_in(
    case: Any,
    symbols: tuple[str, ...],
    seconds: int,
    play: Callable[[World], dict[str, int]],
    lines: list[str] | None = None,
) -> Verdict:
    """Make a world with a folder of its own for a case, let `play` run it, and return the verdict."""
    began = cpu_seconds()
    gc.collect()  # the world before: frozen, it would stay for ever
    gc.freeze()  # what is here already need not be looked at again at the end of every world
    gc.disable()
    parent = _parent_folder()
    folder = Path(tempfile.mkdtemp(prefix=_prefix(os.getppid()), dir=parent))
    try:
        world = World(case.seed, case.dialect, folder, symbols, seconds)
        world.trace_lines = lines
        counts = play(world)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        gc.enable()
    return Verdict(
        case,
        tuple(world.violations),
        world.trace_hash(),
        tuple(world.fired),
        tuple(world.watch.stretches_ms),
        world.seconds(),
        cpu_seconds() - began,
        counts,
        tuple(world.watch.after_ms),
    )


def remove_folders_of(process: int) -> None:
    """Remove the folders of worlds that the children of a process have left because they were killed."""
    for folder in Path(_parent_folder() or tempfile.gettempdir()).glob(f"{_prefix(process)}*"):
        shutil.rmtree(folder, ignore_errors=True)


def _prefix(process: int) -> str:
    return f"simulation-{process}-"


def _parent_folder() -> Path | None:
    return _MEMORY_FOLDER if _MEMORY_FOLDER.is_dir() else None


def played(world: World, faults: list[Fault]) -> dict[str, int]:
    """Run a world with faults to its end; return what happened how often."""
    counts: dict[str, int] = {}
    for fault in faults:
        if fault.plan is not None:
            fault.plan(world)
    world.build()
    world.add_bot("bot")
    for fault in faults:
        fault.install(world)
    world.bound_ms = round(1000.0 * max([PROTECTED_WITHIN_S, *(fault.bound_s for fault in faults)]))
    try:
        world.run(_story(world, counts))
    except Stuck as error:
        world.violate("I20", str(error))
    return counts


async def _story(world: World, counts: dict[str, int]) -> None:
    bot = world.bot
    world.spawn(bot.supervise())
    await asyncio.sleep(world.seconds_planned)
    world.calm()
    world.exchange.pump.pause()
    await asyncio.sleep(_CALM_SECONDS)
    judge(world, "after the calm", _undecided(world))
    if not bot.database.exists():
        return
    bot.terminate()
    await asyncio.sleep(_RESTART_SECONDS)
    noted = differences_noted(world)
    bot.kill()
    await asyncio.sleep(_RESTART_SECONDS)
    judge(world, "after two restarts")
    if differences_noted(world) != noted:
        world.violate("I11", "the second restart found differences that the first had settled")
    counts.update(_counted(world))
    world.note("end", _fingerprint(world))


def _undecided(world: World) -> set[str]:
    """Return what may still differ before a restart.

    Margin that somebody else has moved is not told from a payment that may still come, for a minute.
    """
    is_soon = world.seconds() < world.settles_s + _PAID_WITHIN_SECONDS
    return {"positions", "free", "margin"} if world.touched_by_hand and is_soon else set()


def judge(world: World, when: str, undecided: Collection[str] = ()) -> None:
    """Note what differs between database and exchange, and a bot that does not run."""
    if not world.bot.is_running:
        said = "; ".join(world.errors[-1:])
        world.violate("I20", f"{when} the bot does not run: {said}")
    if not world.bot.database.exists():
        world.violate("I11", f"{when} there is no database")
        return
    for difference in compare(world, world.bot.database, {*world.incomparable, *undecided}):
        world.violate("I11", f"{when}: {difference}")
    for difference in compare_beliefs(world, world.bot.database, {*world.incomparable, *undecided}):
        world.violate("I11", f"{when}: {difference}")
    for breach in breaches(world, world.bot.database):
        world.violate("I3", f"{when}: {breach}")
    for found in filter(None, (find(world) for find in world.findings)):
        world.violate("I17", f"{when}: {found}")


def differences_noted(world: World) -> int:
    """Return how many differences recoveries have journalled so far."""
    return rows(world.bot.database, _DIFFERENCES)[0][0]


# A position of somebody else's is said again at every start, for as long as it is there; a lost reply is no
# difference.
_DIFFERENCES: Final = (
    "SELECT count(*) FROM event WHERE kind = 'Reconciled' AND body NOT LIKE '%foreign_position%' "
    "AND body NOT LIKE '%lost_reply%'"
)


def _counted(world: World) -> dict[str, int]:
    database = world.bot.database
    kinds = rows(database, "SELECT kind, count(*) FROM intent GROUP BY kind")
    return {**dict(kinds), "fills": rows(database, "SELECT count(*) FROM fill")[0][0]}


def _fingerprint(world: World) -> str:
    """Return one word for everything that the database and the venue hold."""
    digest = hashlib.sha256()
    for table in _TABLES:
        for row in _table_rows(world, table):
            digest.update(repr(row).encode())
    digest.update(repr(world.exchange.venue.snapshot()).encode())
    return digest.hexdigest()


def _table_rows(world: World, table: str) -> list[tuple[Any, ...]]:
    return rows(world.bot.database, f'SELECT * FROM "{table}" ORDER BY rowid')
