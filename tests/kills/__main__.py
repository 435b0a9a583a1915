"""`python -m tests.kills`: real deaths of a trading bot. Prints `N deaths, N failed` at the end."""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.kills.deaths import drawn
from tests.kills.rig import Rig
from tests.kills.trial import Failed, Trial
from tests.simulation.exchanges import DRAWN

_PACE: Final = 60.0


def main(words: Sequence[str] | None = None) -> int:
    """Bring about what the command line asks for; return 1 when something did not hold."""
    asked = _parsed(words)
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="kills-"))
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "deaths.jsonl"
    done = kept.read_text().splitlines() if kept.exists() else []
    deaths = drawn(asked.seed, asked.kills, asked.terms)
    rig = Rig(folder, asked.dialect, asked.seed, asked.pace)
    trial, began, why = Trial(rig), time.monotonic(), ""
    rig.exchange.order("resume")
    number = len(done)
    try:
        for death in deaths[len(done) :]:
            number = death.number
            told = trial.suffer(death)
            print(f"{number}/{len(deaths)} {death.words()}: {told}", flush=True)
            with kept.open("a") as lines:
                lines.write(json.dumps({"death": number, "told": told}) + "\n")
        print(f"a last start: {trial.live()}")
    except Failed as failure:
        why = str(failure)
        print(f"{number}/{len(deaths)} {deaths[number - 1].words()}: FAILED: {why}")
    finally:
        rig.bot.end()
        rig.exchange.die(signal.SIGTERM)
    for line in (*trial.figures.lines(), trial.figures.promise()):
        print(line)
    print(
        f"{time.monotonic() - began:.0f} s, {trial.held} recoveries with open positions, {trial.activity()}"
    )
    if why:
        print(f"kept: {folder}\nagain: {_command(asked)}")
    print(f"{number} deaths, {int(bool(why))} failed")
    return int(bool(why))


def _command(asked: argparse.Namespace) -> str:
    numbers = f"--kills {asked.kills} --terms {asked.terms} --seed {asked.seed}"
    return f"python -m tests.kills {numbers} --dialect {asked.dialect} --pace {asked.pace:g}"


def _parsed(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    add = parser.add_argument
    add("--kills", type=int, default=20, help="how many SIGKILLs")
    add("--terms", type=int, default=5, help="how many SIGTERMs")
    add("--seed", type=int, default=1, help="draws the market and every death")
    add("--dialect", choices=DRAWN, default="binance", help="what the exchange speaks")
    add("--pace", type=float, default=_PACE, help="market seconds in one of ours")
    add("--folder", type=Path, help="kept; begun again in it, it goes on after the last death")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
