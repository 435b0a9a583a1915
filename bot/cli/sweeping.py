"""The flags that only `ringfence sweep` has."""

from pathlib import Path
from typing import Annotated

import typer

Param = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="NAME=LOW:HIGH[:STEP]", help="What is varied; or NAME=A,B,C, or NAME."),
]
Sampler = Annotated[
    str, typer.Option("--sampler", metavar="grid|random|tpe|nsga2|cmaes", help="How to look.")
]
Trials = Annotated[
    int | None,
    typer.Option("--trials", min=1, max=1_000_000, help="How often; default: 200, or the whole grid."),
]
Objectives = Annotated[
    list[str] | None,
    typer.Option(
        "--objective",
        metavar="NAME",
        help="return, sharpe, drawdown, worst, margin-hours, liquidations, win-rate; several: a front.",
    ),
]
WalkForward = Annotated[
    int,
    typer.Option(
        "--walk-forward", min=0, max=100, help="Choose on the past, judge on the next part, N times."
    ),
]
Folds = Annotated[
    int,
    typer.Option("--folds", min=0, max=100, help="Choose on all parts but one, judge on that, N times."),
]
Purge = Annotated[
    str,
    typer.Option("--purge", metavar="DURATION", help="Left out between what is chosen on and judged on."),
]
Batch = Annotated[
    int, typer.Option("--batch", min=1, max=10_000, help="Tries asked for together; part of the result.")
]
Jobs = Annotated[int | None, typer.Option("--jobs", min=1, max=1_024, help="Processes; default: one a core.")]
Cluster = Annotated[
    str, typer.Option("--cluster", metavar="tcp://HOST:PORT", help="A Dask scheduler instead.")
]
Kept = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="Keep every try here; the same command goes on."),
]
Export = Annotated[
    Path | None, typer.Option("--export", metavar="DIR", help="Write every try and a page to read here.")
]
