"""Each invariant fires once when its state is broken, and again when it breaks anew."""

from collections.abc import Callable

import pytest

from bot.core.event import FundingDue, FundingSettled, InvariantBroken, MarginAdjusted, OrderFilled
from bot.engine.state import RestingStop
from tests.unit.engine.desk_builder import A, Bench


def held_bench() -> Bench:
    bench = Bench()
    bench.enter()
    bench.tick(100.0)
    return bench


def look(bench: Bench) -> list[str]:
    """Let the engine take a step that needs no action; return what it found broken so far."""
    bench.is_deaf = True
    bench.hear(FundingDue(bench.ts_ms, A, 0.0))
    return [note.invariant for note in bench.told(InvariantBroken)]


def lose_stop(bench: Bench) -> None:
    bench.holding().stop = None


def loosen_stop(bench: Bench) -> None:
    bench.holding().stop = RestingStop("x", 90.0)


def add_too_much(bench: Bench) -> None:
    held = bench.holding()
    held.adds, held.position = 1, held.position._replace(isolated_wallet=held.agreed_loss_quote + 1.0)


def lose_quantity(bench: Bench) -> None:
    held = bench.holding()
    held.position = held.position._replace(quantity=0.0)


def lose_wallet(bench: Bench) -> None:
    held = bench.holding()
    held.position = held.position._replace(isolated_wallet=float("nan"))


BREAKS: dict[str, tuple[Callable[[Bench], None], str]] = {
    "no stop": (lose_stop, "I1"),
    "stop beyond liquidation": (loosen_stop, "I2"),
    "more margin than agreed": (add_too_much, "I3"),
    "quantity of zero": (lose_quantity, "I9"),
    "wallet not a number": (lose_wallet, "I9"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_state_is_told_and_counted_once(name: str) -> None:
    bench, (spoil, invariant) = held_bench(), BREAKS[name]
    assert look(bench) == []
    spoil(bench)
    assert invariant in look(bench)
    told = look(bench)
    assert told == look(bench)
    assert told.count(invariant) == 1
    assert bench.engine.state.tally.invariant_violations == len(told)


def test_a_breach_that_was_mended_is_told_again() -> None:
    bench = held_bench()
    stop = bench.stop()
    for _ in range(2):
        bench.holding().stop = None
        look(bench)
        bench.holding().stop = stop
        look(bench)
    assert [note.invariant for note in bench.told(InvariantBroken)] == ["I1", "I1"]


@pytest.mark.parametrize("spoil", [lose_stop, loosen_stop])
def test_a_position_being_closed_needs_no_stop(spoil: Callable[[Bench], None]) -> None:
    bench = held_bench()
    bench.holding().is_closing = True
    spoil(bench)
    assert look(bench) == []


@pytest.mark.parametrize(("side", "quantity"), [(1, 50.0), (-1, 10.0)])
def test_an_exit_that_enlarges_or_turns_a_position_is_told(side: int, quantity: float) -> None:
    bench = held_bench()
    after = bench.holding().position._replace(side=side, quantity=quantity)
    bench.is_deaf = True
    fill = OrderFilled(
        bench.ts_ms, A, "x", 9, "take_profit", -1, 100.0, 1.0, 0.0, 0.0, False, 0.0, after, 9_000.0
    )
    bench.hear(fill)
    assert "I9" in [note.invariant for note in bench.told(InvariantBroken)]


def test_margin_that_somebody_else_added_breaks_no_budget() -> None:
    bench = held_bench()
    held = bench.holding()
    held.adds, much = 1, held.agreed_loss_quote + 50.0
    amount = much - held.position.isolated_wallet
    bench.is_deaf = True
    wallet = held.position._replace(isolated_wallet=much)
    bench.hear(MarginAdjusted(bench.ts_ms, A, "", amount, wallet, 9_000.0))
    assert look(bench) == []
    held.position = wallet._replace(isolated_wallet=much + held.agreed_loss_quote)
    assert look(bench) == ["I3"]


def pay_funding(bench: Bench, amount: float) -> None:
    """Let the venue tell a settlement of so much."""
    held = bench.holding().position
    paid = held._replace(isolated_wallet=held.isolated_wallet + amount)
    bench.hear(FundingSettled(bench.ts_ms, A, 0.0, 100.0, amount, paid, 9_000.0))


def test_funding_that_comes_back_breaks_no_budget() -> None:
    """Paid, made good by adds up to the agreed loss, and received again: the adds kept to what was agreed."""
    bench = held_bench()
    bench.is_deaf = True
    pay_funding(bench, -10.0)
    held = bench.holding()
    held.adds, held.position = 1, held.position._replace(isolated_wallet=held.agreed_loss_quote)
    pay_funding(bench, 4.0)
    pay_funding(bench, -2.0)
    pay_funding(bench, 6.0)
    assert look(bench) == []
    held.position = held.position._replace(isolated_wallet=held.agreed_loss_quote + 8.001)
    assert look(bench) == ["I3"]


def test_margin_that_somebody_took_and_put_back_breaks_no_budget() -> None:
    bench = held_bench()
    bench.is_deaf = True
    for amount in (-10.0, 10.0):
        held = bench.holding()
        moved = held.position._replace(isolated_wallet=held.position.isolated_wallet + amount)
        bench.hear(MarginAdjusted(bench.ts_ms, A, "", amount, moved, 9_000.0))
        if amount < 0.0:  # the adds that made it good
            held.adds, held.position = 1, moved._replace(isolated_wallet=held.agreed_loss_quote)
    assert look(bench) == []


def test_a_checkpoint_without_the_lowest_gain_breaks_no_budget() -> None:
    bench = held_bench()
    bench.is_deaf = True
    held = bench.holding()
    held.adds, held.funding_quote = 1, -10.0
    held.position = held.position._replace(isolated_wallet=held.agreed_loss_quote)
    assert look(bench) == []
    pay_funding(bench, 4.0)
    assert look(bench) == []
