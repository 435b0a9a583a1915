"""The kernel as an engine of a backtest: what it refuses, whether its machine code is made, a run of it."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.backtest import kernel
from bot.backtest.compiler import can_compile
from bot.backtest.exact_setup import engine_and_venue
from bot.backtest.plan import Plan
from bot.backtest.result import Result
from bot.backtest.stage import Stage, stage_of
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.backtest.kernel.run import KernelRun

_CACHE: Final = Path(str(kernel.__file__)).parent / "__pycache__"


def refusal(plan: Plan) -> str:
    """Return, as a clause, what of a plan the kernel does not do; "" when it does all of it."""
    if not can_compile():
        return "The kernel needs numba, which is not installed"
    from bot.backtest.kernel.run import refusal_of  # noqa: PLC0415  needs numba

    found = refusal_of(*engine_and_venue(plan, {}))
    return f"The kernel does not {found}" if found else ""


def is_warm() -> bool:
    """Return whether the machine code of these very sources was made here before."""
    return can_compile() and _marker().exists()


def play(plan: Plan, stage: Stage | None = None) -> Result:
    """Play a plan. UserError: the kernel does not do something of it, or cannot finish it."""
    stage = stage or stage_of(plan)
    result = _run_of(plan, stage).run(follows=stage.follows)
    _note_warm()
    return result


def _run_of(plan: Plan, stage: Stage) -> "KernelRun":
    """The run of a plan. One by the same rules is told what this strategy says: to set up takes as long."""
    from bot.backtest.kernel.run import KernelRun  # noqa: PLC0415  needs numba

    told, market = stage.told(plan), stage.market(plan)
    if stage.newest_run is not None and _is_by_the_same_rules(stage.newest_run[0], plan):
        run = stage.newest_run[1].told_otherwise(told, market, plan.strategy.warmup)
    else:
        run = KernelRun(*engine_and_venue(plan, {}), plan.history, told, market)
    stage.newest_run = (plan, run)
    return run


def _is_by_the_same_rules(one: Plan, other: Plan) -> bool:
    """Whether plans of one stage differ in nothing but the strategy and its parameters."""
    return (
        one.history is other.history
        and one.fee_rate == other.fee_rate
        and all(
            getattr(one.settings, name) is getattr(other.settings, name)
            for name in type(one.settings).model_fields
            if name != "strategy"
        )
    )


def check_compiler() -> None:
    """Raise UserError unless numba is installed."""
    if not can_compile():
        raise UserError(
            "The kernel needs numba, which is not installed. Install it (make research, or pip install "
            "ringfence[backtest]); without it the exact engine plays every backtest."
        )


def warm_up() -> None:
    """Make the machine code, or load what is there. UserError: numba is not installed."""
    check_compiler()
    from bot.backtest.kernel import warming  # noqa: PLC0415  needs numba

    warming.warm_up()
    _note_warm()


@lru_cache(maxsize=1)
def _marker() -> Path:
    """The file that says so; its name holds the sources, which do not change while a process lives."""
    from bot.backtest.kernel.machine_code import sources_digest  # noqa: PLC0415  needs numba

    return _CACHE / f"kernel-{sources_digest()[:16]}.made"


def _note_warm() -> None:
    marker = _marker()
    if marker.exists():
        return
    try:
        marker.parent.mkdir(exist_ok=True)
        for older in marker.parent.glob("kernel-*.made"):
            older.unlink()
        marker.touch()
    except OSError:  # a read-only installation: numba keeps its code elsewhere, and nothing is remembered
        return
