"""A long run that can be interrupted: the sweep with every border, and every fault with many seeds.

What is done is kept in a file, a line for each piece: a story in a dialect and how many borders it has, some
of these borders, a seed. A run that begins with such a file goes on after it, with as many processes as it
likes. Files of several shares, one after the other in one file, are one night.
"""

import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.simulation.jobs import Job, all_dry_runs, each_fault, keep_quiet, left_out, run_job, workers
from tests.simulation.kept import Kept
from tests.simulation.report import Tally
from tests.simulation.scenario import Verdict
from tests.simulation.sweep import Crash, crashes

INTERRUPTED: Final = 130
_TOLD, _DEATHS = "told", "deaths"
_BORDERS_A_PIECE: Final = 25
_NICENESS: Final = 10


class Night(NamedTuple):
    """What is asked for. `share` of `shares`: which of the pieces this run does, from 1."""

    seeds: Sequence[int]
    kept: Path
    sources: str
    share: int = 1
    shares: int = 1


class Piece(NamedTuple):
    """What gets one line of the file."""

    name: str
    jobs: tuple[Job, ...]


def run_night(night: Night, processes: int) -> int:
    """Run what the file does not hold yet and print what it holds; return 1 when anything failed.

    Ctrl-C or SIGTERM ends it with 130.
    """
    kept = Kept(night.kept)
    kept.begin(night.sources)
    heard = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with workers(processes, _begin_work) as pool:
            _run(_stories(night), pool, kept)
            _run(_deaths(night, kept), pool, kept)
            _run(_seeds(night), pool, kept)
    except KeyboardInterrupt:
        print(f"\ninterrupted: {len(kept.done)} pieces are kept in {night.kept}; the same command goes on")
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, heard)
    kept.read()
    return _told(kept)


def _begin_work() -> None:
    keep_quiet()
    os.nice(_NICENESS)


def _own(night: Night, things: Iterable[Any]) -> list[Any]:
    return list(things)[night.share - 1 :: night.shares]


def _own_dry_runs(night: Night) -> list[Crash]:
    return _own(night, all_dry_runs(is_every=True))


def _stories(night: Night) -> Iterator[Piece]:
    for dry in _own_dry_runs(night):
        yield Piece(f"{_TOLD} {dry.story} {dry.dialect}", (dry,))


def _deaths(night: Night, kept: Kept) -> Iterator[Piece]:
    for dry in _own_dry_runs(night):
        borders = kept.done[f"{_TOLD} {dry.story} {dry.dialect}"]["borders"]
        for first in range(1, borders + 1, _BORDERS_A_PIECE):
            last = min(first + _BORDERS_A_PIECE - 1, borders)
            killed = [crash for crash in crashes(dry, last) if crash.border >= first]
            asked_to_end = [crash._replace(is_polite=True) for crash in killed if not crash.again]
            name = f"{_DEATHS} {dry.story} {dry.dialect} {first}-{last}"
            yield Piece(name, (*killed, *asked_to_end))


def _seeds(night: Night) -> Iterator[Piece]:
    for seed in _own(night, night.seeds):
        yield Piece(str(seed), each_fault((seed,)))


def _run(pieces: Iterable[Piece], pool: Pool, kept: Kept) -> None:
    """Keep every process busy over the ends of pieces, and write each piece when it is complete."""
    missing = [piece for piece in pieces if piece.name not in kept.done]
    found = pool.imap(run_job, (job for piece in missing for job in piece.jobs))
    for piece in missing:
        listed = [next(found) for _ in piece.jobs]
        tally = Tally(is_shrinking=False)
        tally.take(listed)
        kept.finish(piece.name, _summed(tally, listed))
        print(f"{piece.name}: {tally.passed + tally.failed} runs, {tally.failed} failed", flush=True)


def _summed(tally: Tally, listed: Sequence[Verdict]) -> dict[str, Any]:
    failing = [verdict.case.command() for verdict in listed if verdict.violations]
    summed = {
        "runs": len(listed),
        "virtual_s": round(tally.virtual_s, 3),
        "cpu_s": round(tally.cpu_s, 3),
        "failing": failing,
    }
    counts = [verdict.counts.get("borders", 0) for verdict in listed if isinstance(verdict.case, Crash)]
    return {**summed, "borders": counts[0]} if len(listed) == 1 and counts else summed


def _told(kept: Kept) -> int:
    done, ran = kept.done, kept.all_sources()
    runs, hours = _total(kept, "runs"), _total(kept, "virtual_s") / 3600.0
    failing = [command for each in done.values() for command in each["failing"]]
    seeds = sum(name.isdigit() for name in done)
    stories = sum(name.startswith(_TOLD) for name in done)
    print("\n".join(left_out()))
    for command in failing:
        print(f"    replay: {command}")
    if len(ran) > 1:
        print(f"MIXED: the sources were changed between runs, {len(ran)} states: this speaks of none alone")
    print(
        f"night of the sources {', '.join(ran)}: {runs} runs, {seeds} seeds of every fault, "
        f"{stories} stories (each in its dialect) with their deaths, "
        f"{hours:.1f} hours of virtual time, {len(failing)} violated"
    )
    print(f"{runs - len(failing)} passed, {len(failing)} failed", flush=True)
    return int(bool(failing))


def _total(kept: Kept, name: str) -> float:
    return sum(each[name] for each in kept.done.values())
