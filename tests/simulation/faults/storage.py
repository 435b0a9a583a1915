"""F60 to F68: the database, deaths and starts."""

import asyncio
import sqlite3
from typing import TYPE_CHECKING, Final

from bot.ports import Commit
from tests.simulation.calls import Effect
from tests.simulation.faults.acts import ACCOUNT, dice, on_calls, when_held
from tests.simulation.storage import Disk, log_of

if TYPE_CHECKING:
    from tests.simulation.world import World

_SECTOR: Final = 512


def locked_or_slow(world: "World") -> None:
    """F60: somebody else holds the database, or each fsync takes long."""
    if dice(world).random() < 0.6:
        _lock(world)
    else:
        _slow_down(world)


def _slow_down(world: "World") -> None:
    first, times, seconds = (
        dice(world).randint(5, 60),
        dice(world).randint(1, 8),
        dice(world).uniform(0.1, 2.5),
    )
    seen = 0

    def border(where: str, *_: object) -> None:
        nonlocal seen
        seen += where == "before"
        if where == "before" and first <= seen < first + times:
            world.fault_fires("slow disk")
            world.loop.stand_still(seconds)

    world.bot.borders.append(border)


def _lock(world: "World") -> None:
    first, times = dice(world).randint(5, 60), dice(world).randint(1, 5)
    seen = 0

    def border(where: str, commit: Commit, connection: sqlite3.Connection) -> None:
        nonlocal seen
        del commit
        if where == "before":
            seen += 1
            if first <= seen < first + times:
                world.fault_fires("locked")
                world.loop.stand_still(5.0)
                _hold(world, connection)

    world.bot.borders.append(border)


def _hold(world: "World", connection: sqlite3.Connection) -> None:
    """Let another connection lock the file until the bot has given up on this commit."""
    del connection
    other = sqlite3.connect(world.bot.database, isolation_level=None, timeout=0.0)
    try:
        other.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:  # held since the commit before
        other.close()
        return
    world.loop.call_later(0.001, other.close, context=world.network.context)


def full(world: "World") -> None:
    """F61: the disk is full for some commits."""
    first, times = dice(world).randint(5, 80), dice(world).randint(1, 4)
    seen = 0

    def border(where: str, commit: Commit, connection: sqlite3.Connection) -> None:
        nonlocal seen
        del commit
        if where != "before":
            return
        seen += 1
        if seen == first:
            world.fault_begins("full")
        is_full = first <= seen < first + times
        connection.execute(f"PRAGMA max_page_count = {1 if is_full else 1_000_000}")
        if seen == first + times:
            world.fault_ends()

    world.bot.borders.append(border)


def power_fails(world: "World") -> None:
    """F62: the power fails at a commit; what was not fsynced is torn, scattered or gone.

    torn: the log ends in the middle of the commit. scattered: some of its sectors are on the disk, others
    are not. gone: death a while later, and the files are what they were at the last fsync.
    """
    kind = dice(world).choice(("torn", "scattered", "gone"))
    number = dice(world).randint(5, 80)
    if kind == "gone":
        _cut_power(world, number, dice(world).uniform(0.0, 2.0))
        return
    seen = 0
    before = b""

    def border(where: str, commit: Commit, connection: sqlite3.Connection) -> None:
        nonlocal seen, before
        del commit, connection
        log = log_of(world.bot.database)
        seen += where == "before"
        if seen != number:
            return
        if where == "before":
            before = log.read_bytes() if log.exists() else b""
        elif before:
            world.fault_fires(kind)
            torn = _torn if kind == "torn" else _scattered
            world.bot.tear = {log: torn(world, before, log.read_bytes())}
            world.bot.kill()

    world.bot.borders.append(border)


def _cut_power(world: "World", number: int, seconds: float) -> None:
    """Kill the bot `seconds` after a commit, and let its files be what had been fsynced until then."""
    bot, disk, seen = world.bot, Disk(world.bot.database), 0

    def lose() -> None:
        world.fault_fires("power cut")
        bot.tear = disk.image
        bot.kill()

    def border(where: str, commit: Commit, connection: sqlite3.Connection) -> None:
        nonlocal seen
        del commit
        disk.pass_border(where, connection)
        seen += where == "after"
        if where == "after" and seen == number:
            world.loop.call_later(seconds, lose, context=world.network.context)

    bot.borders.append(border)


def _torn(world: "World", before: bytes, after: bytes) -> bytes:
    return after[: dice(world).randint(len(before), max(len(after) - 1, len(before)))]


def _scattered(world: "World", before: bytes, after: bytes) -> bytes:
    """Lose at least one of the sectors that the commit wrote."""
    found = bytearray(after)
    sectors = [
        at for at in range(0, len(after), _SECTOR) if before[at : at + _SECTOR] != after[at : at + _SECTOR]
    ]
    for at in dice(world).sample(sectors, dice(world).randint(1, len(sectors))):
        old = before[at : at + _SECTOR]
        found[at : at + _SECTOR] = old + bytes(len(after[at : at + _SECTOR]) - len(old))
    return bytes(found)


def killed_anywhere(world: "World") -> None:
    """F63: death before any step, once or several times, also during the recovery."""
    random = dice(world)
    deaths = random.randint(1, 4)

    async def kill() -> None:
        for number in range(deaths):
            await asyncio.sleep(random.uniform(1.0, 30.0))
            process = world.bot.life.process
            process.kill_at_step = process.steps + random.randint(1, 400)
            if number % 2:
                world.bot.kill_next_at_step = random.randint(1, 1_500)
            world.fault_fires("killed")

    world.on_start.append(kill)


def terminated(world: "World") -> None:
    """F64: SIGTERM at any moment."""

    async def stop() -> None:
        for _ in range(dice(world).randint(1, 3)):
            await asyncio.sleep(dice(world).uniform(3.0, 40.0))
            world.fault_fires("terminated")
            world.bot.terminate()

    world.on_start.append(stop)


def second_bot(world: "World") -> None:
    """F65: the same command is started again on the same database, and ended when somebody notices.

    It may have taken the database over meanwhile, when the first one died.
    """

    async def start() -> None:
        await asyncio.sleep(dice(world).uniform(5.0, 60.0))
        world.fault_fires("second bot")
        other = world.add_bot("second", world.bot.database)
        other.is_second = True
        world.spawn(other.supervise())
        await asyncio.sleep(5.0)
        other.is_wanted = False
        other.terminate()

    world.on_start.append(start)


def killed_after_a_commit(world: "World") -> None:
    """F66: death right before or after a commit, several times, so that many prefixes are recovered from."""
    numbers = sorted(dice(world).sample(range(2, 160), 4))
    place = dice(world).choice(("before", "after"))
    seen = 0

    def border(where: str, commit: Commit, connection: sqlite3.Connection) -> None:
        nonlocal seen
        del commit, connection
        if where == place:
            seen += 1
            if seen in numbers:
                world.fault_fires(f"killed {place} commit {seen}")
                world.bot.kill()

    world.bot.borders.append(border)


def slow_start(world: "World") -> None:
    """F67: a restart at a venue that answers slowly."""

    def restart(_: object) -> None:
        on_calls(world, ACCOUNT, Effect("late", delay_s=dice(world).uniform(0.2, 1.5)), times=30)
        world.bot.kill()

    when_held(world, restart)


def restarted_while_held(world: "World") -> None:
    """F68: death with brackets resting."""
    for _ in range(dice(world).randint(1, 3)):
        when_held(world, lambda _: world.bot.kill())
