"""`python -m tests.simulation`: many seeds, or one again. Prints `N passed, N failed` at the end."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from tests.simulation import page
from tests.simulation.exchanges import DIALECTS
from tests.simulation.faults.table import FAULTS
from tests.simulation.jobs import (
    GATES,
    Gate,
    Twice,
    compared,
    dry_runs,
    dry_runs_of,
    gate,
    keep_quiet,
    left_out,
    swept,
    verdicts,
)
from tests.simulation.night import INTERRUPTED, Night, run_night
from tests.simulation.planted import page as planted_page
from tests.simulation.planted import run as planted
from tests.simulation.planted.table import PLANTED
from tests.simulation.report import Tally
from tests.simulation.scenario import STORY_SECONDS, Case, case_of, run_case
from tests.simulation.sources import described_sources
from tests.simulation.stories import STORIES
from tests.simulation.sweep import Crash, tell


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return 1 when anything failed."""
    asked = _parsed(words)
    keep_quiet()
    if asked.planted:
        return _planted(asked)
    if asked.page:
        return page.write(asked.seeds, asked.jobs)
    if asked.gate:
        return _gate(GATES[asked.gate], asked.jobs)
    if asked.night is not None:
        return run_night(_night(asked), asked.jobs)
    tally = Tally(is_loud=asked.verbose or asked.seed is not None, is_shrinking=not asked.no_shrink)
    if asked.sweep:
        _sweep(asked, tally)
    elif asked.trace:
        lines: list[str] = []
        tally.take(run_case(case, lines) for case in _cases(asked))
        print("\n".join(lines))
    elif asked.twice:
        doubled = chain.from_iterable((Twice(case),) * 2 for case in _cases(asked))
        tally.take(compared(verdicts(doubled, asked.jobs)))
    else:
        tally.take(verdicts(_cases(asked), asked.jobs))
    return tally.close()


def _night(asked: argparse.Namespace) -> Night:
    seeds = range(asked.seed_base, asked.seed_base + asked.seeds)
    return Night(seeds, asked.night, described_sources(), *asked.share)


def _gate(size: Gate, processes: int) -> int:
    """Run a gate, part by part."""
    tally, began = Tally(), time.monotonic()
    for part in gate(size):
        found = verdicts(part.jobs, processes)
        tally.take(compared(found) if isinstance(part.jobs[0], Twice) else found)
        print(f"{part.title}: {tally.passed + tally.failed} runs so far, {tally.failed} failed", flush=True)
    print("\n".join(left_out()))
    dry = list(verdicts(dry_runs_of(size), processes))
    deaths = swept(dry)
    tally.take(chain(dry, verdicts(deaths, processes)))
    print(f"crash sweep: {len(STORIES)} stories, told {len(dry)} times, {len(deaths)} deaths")
    print(f"{time.monotonic() - began:.0f} s with {processes} processes, {tally.cpu_s:.0f} s of processor")
    return tally.close()


def _planted(asked: argparse.Namespace) -> int:
    """Plant bugs in the bot, one at a time, and see whether they are noticed."""
    began = time.monotonic()
    findings = planted.run(
        asked.only or tuple(PLANTED),
        asked.jobs,
        most=asked.most,
        is_afresh=asked.afresh,
        is_kept=asked.page,
    )
    if asked.page:
        planted.write(findings)
        planted_page.write()
    return planted.close(findings, began)


def _sweep(asked: argparse.Namespace, tally: Tally) -> None:
    names = STORIES if asked.sweep == "all" else (asked.sweep,)
    dialects = (asked.dialect,) if asked.dialect else DIALECTS
    if asked.border is not None:
        seed = asked.seed if asked.seed is not None else STORIES[asked.sweep].seed
        crash = Crash(asked.sweep, dialects[0], asked.border, asked.again, asked.every, seed, asked.polite)
        lines: list[str] | None = [] if asked.trace else None
        tally.take([tell(crash, lines)])
        print("\n".join(lines or ()))
        return
    dry = list(verdicts(dry_runs(names, dialects, is_every=asked.every), asked.jobs))
    deaths = (crash._replace(is_polite=asked.polite) for crash in swept(dry))
    tally.take(chain(dry, verdicts(deaths, asked.jobs)))


def _parsed(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    add = parser.add_argument
    add("--seeds", type=_count, default=10, help="how many seeds")
    add("--seed-base", type=int, default=1, help="the first of them")
    add("--seed", type=int, help="this seed only, with everything it did")
    add("--dialect", choices=DIALECTS, default="", help="absent: the seed draws it; sweep: all")
    add("--faults", type=_faults, help="comma-separated; 'none', 'all' (each alone); absent: the seed draws")
    add("--seconds", type=int, default=STORY_SECONDS, help="how long the story is")
    add("--twice", action="store_true", help="run each twice and compare the traces")
    add("--sweep", choices=("all", *STORIES), help="die at every border of a story")
    add("--border", type=int, help="of the sweep: this border only; 0: nobody dies")
    add("--again", type=int, default=0, help="of the sweep: the step at which the recovery dies")
    add("--every", action="store_true", help="of the sweep: the borders of reads as well")
    add("--polite", action="store_true", help="of the sweep: SIGTERM instead of SIGKILL")
    add("--gate", choices=sorted(GATES), help="test: what make test runs; short: a look")
    add("--night", type=Path, metavar="FILE", help="every fault with every seed; go on after what FILE holds")
    add("--share", type=_share, default=(1, 1), metavar="I/N", help="of the night: the I-th of N parts")
    add("--page", action="store_true", help="write FAULTS.md, or with --planted PLANTED.md")
    add("--planted", action="store_true", help="plant bugs in the bot; fail when too few are noticed")
    add("--only", nargs="+", choices=PLANTED, metavar="NAME", help="of the planted bugs: these")
    add("--most", type=int, default=0, help="of the planted bugs: runs for each; 0: all of the gate's")
    add("--afresh", action="store_true", help="of the planted bugs: without what is known to notice them")
    add("--jobs", type=int, default=1, help="processes")
    add("--trace", action="store_true", help="print every step")
    add("--verbose", action="store_true", help="a line for every run")
    add("--no-shrink", action="store_true", help="do not look for a smaller failure")
    return parser.parse_args(words)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number}: one at least")
    return number


def _share(text: str) -> tuple[int, int]:
    share, _, shares = text.partition("/")
    if not 1 <= int(share) <= int(shares):
        raise argparse.ArgumentTypeError(f"{text}: such as 1/2 and 2/2")
    return int(share), int(shares)


def _faults(text: str) -> str:
    unknown = [name for name in text.split(",") if name not in ("", "none", "all") and name not in FAULTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not injected; FAULTS.md lists them all")
    return text


def _cases(asked: argparse.Namespace) -> Iterator[Case]:
    first, count = (asked.seed, 1) if asked.seed is not None else (asked.seed_base, asked.seeds)
    for seed in range(first, first + count):
        for names in _fault_names(asked.faults):
            yield case_of(seed, names, asked.dialect)._replace(seconds=asked.seconds)


def _fault_names(asked: str | None) -> Sequence[tuple[str, ...] | None]:
    if asked is None:
        return (None,)
    if asked == "all":
        return [(name,) for name in sorted(FAULTS)]
    return (tuple(name for name in asked.split(",") if name not in ("", "none")),)


def _interruptible() -> int:
    try:
        return main()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(_interruptible())
