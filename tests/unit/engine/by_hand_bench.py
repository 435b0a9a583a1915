"""A bench on which a person gives orders about an open long."""

from typing import Any

from bot.core.event import CommandDone
from bot.engine import by_hand
from bot.ports import Command
from bot.risk.limits import BracketLimits, MarginLimits
from bot.risk.policies.distance_band import DistanceBandParams
from tests.unit.engine.desk_builder import START_MS, A, Bench

WIDE = DistanceBandParams(low=0.5, high=3.0)
NARROW = DistanceBandParams(low=0.9, high=1.1)
CALM = BracketLimits(trail_activate_r=0.0, first_take_profit_r=3.0, second_take_profit_r=6.0)


def held_bench(params: DistanceBandParams = WIDE, **rules: Any) -> Bench:
    """A long of 10,000 at 100 with 20x, and a stop at 98; the policy has no wish of its own near 100."""
    limits = MarginLimits(**{"release_cooldown_ms": 1_000, **rules.pop("limits", {})})
    bench = Bench(policy="distance_band", params=params, margin=limits, bracket=CALM, **rules)
    bench.engine.desk.began_ms = START_MS
    bench.enter()
    bench.tick(100.0)
    return bench


def order(bench: Bench, verb: str, number: float = 0.0, **about: Any) -> CommandDone | None:
    """Give an order and let the engine look at it; return what was told of it."""
    give(bench, verb, number, **about)
    bench.perform(bench.engine.obey())
    told = bench.told(CommandDone)
    return told[-1] if told else None


def give(bench: Bench, verb: str, number: float = 0.0, command_id: str = "1", **about: Any) -> None:
    amounts = {"fraction": number} if verb == "reduce" else {"amount_quote": number}
    by_hand.take(bench.engine.desk, Command(command_id, verb, "", "", **{"symbol": A, **amounts, **about}))


def wallet(bench: Bench) -> float:
    return bench.holding().position.isolated_wallet


def by_hand_intents(bench: Bench) -> list[Any]:
    return [intent for intent in bench.sent if intent.reason == by_hand.REASON]
