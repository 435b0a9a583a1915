"""`python -m tests.simulation`: many seeds, or one again. Prints `N passed, N failed` at the end."""

import argparse
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from functools import partial

from tests.simulation.exchanges import DIALECTS
from tests.simulation.faults.table import FAULTS
from tests.simulation.scenario import Case, Verdict, case_of, tried


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return 1 when anything failed."""
    asked = _parsed(words)
    passed = failed = 0
    virtual = cpu = 0.0
    for verdict in _verdicts(asked):
        _tell(verdict, is_loud=asked.verbose or asked.seed is not None)
        passed, failed = passed + (not verdict.violations), failed + bool(verdict.violations)
        virtual, cpu = virtual + verdict.virtual_seconds, cpu + verdict.cpu_seconds
    count = max(passed + failed, 1)
    print(f"{virtual / 3600.0:.1f} hours of virtual time, {cpu / count:.2f} s of processor a run")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


def _verdicts(asked: argparse.Namespace) -> Iterator[Verdict]:
    """Run every case; verdicts come in the order of the cases, whoever is faster."""
    run = partial(tried, is_twice=asked.twice, is_traced=asked.trace)
    if asked.jobs == 1:
        yield from map(run, _cases(asked))
        return
    with multiprocessing.get_context("spawn").Pool(asked.jobs) as pool:
        yield from pool.imap(run, _cases(asked), chunksize=4)


def _parsed(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds")
    parser.add_argument("--seed-base", type=int, default=1, help="the first of them")
    parser.add_argument("--seed", type=int, help="this seed only, with everything it did")
    parser.add_argument("--dialect", choices=DIALECTS, default="", help="absent: the seed draws it")
    parser.add_argument(
        "--faults", help="comma-separated; 'none', 'all' (each alone); absent: the seed draws"
    )
    parser.add_argument("--twice", action="store_true", help="run each twice and compare the traces")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--trace", action="store_true", help="print every step")
    parser.add_argument("--verbose", action="store_true", help="a line for every run")
    return parser.parse_args(words)


def _cases(asked: argparse.Namespace) -> Iterator[Case]:
    first, count = (asked.seed, 1) if asked.seed is not None else (asked.seed_base, asked.seeds)
    for seed in range(first, first + count):
        if asked.faults == "all":
            for name in sorted(FAULTS):
                yield case_of(seed, (name,), asked.dialect)
            continue
        names = (
            None
            if asked.faults is None
            else tuple(n for n in asked.faults.split(",") if n not in ("", "none"))
        )
        yield case_of(seed, names, asked.dialect)


def _tell(verdict: Verdict, *, is_loud: bool) -> None:
    case = verdict.case
    if is_loud or verdict.violations:
        word = "FAILED" if verdict.violations else "passed"
        faults = ",".join(case.faults) or "none"
        print(
            f"{word} seed {case.seed} {case.dialect} faults {faults} fired {len(verdict.fired)} "
            f"unprotected {verdict.unprotected_ms} ms, {verdict.cpu_seconds:.2f} s {verdict.trace[:12]}"
        )
    if is_loud:
        print(f"    {verdict.counts}")
    for violation in verdict.violations:
        print(f"    {violation[:1000]}")
    if verdict.violations:
        print(f"    replay: {case.command()}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
