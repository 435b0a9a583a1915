"""Laws of the journal over random histories, against a model of a few dictionaries."""

from decimal import Decimal
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.core.event import FundingSettled, Liquidated, OrderFilled
from bot.core.intent import AddMargin, Intent
from bot.core.position import Position
from bot.errors import Fatal
from bot.ports import Checkpoint, Commit, Recovered, Resolution
from bot.store.books import books_error
from bot.store.database import Binding
from bot.store.journal import SqliteJournal
from bot.store.memory import memory_journal
from bot.store.types import exact_text, json_text, json_value

SYMBOL = "ETH/USDT:USDT"
BINDING = Binding("simulated", "paper", "default")
finite = st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(finite)
def test_exact_text_of_a_float_reads_back_as_the_same_float(value: float) -> None:
    assert float(Decimal(exact_text(value))) == value
    assert exact_text(np.float64(value)) == exact_text(value)


@given(plain)
def test_json_text_reads_back_as_the_same_value(value: object) -> None:
    assert json_value(json_text(value)) == value


class Model(NamedTuple):
    pending: dict[int, Intent]
    ended: dict[int, str]


class JournalAgainstModel(RuleBasedStateMachine):
    """Commits that are right are kept whole; commits that are wrong change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.journal: SqliteJournal = memory_journal(BINDING)
        self.model = Model({}, {})
        self.step = 0

    def teardown(self) -> None:
        self.journal.close()

    def intent(self, seq: int) -> Intent:
        return Intent(seq, f"c{seq}", seq, AddMargin(SYMBOL, 1.0 + seq), "touched_add", {"mark": 0.1 * seq})

    def commit(self, intents: tuple[Intent, ...], resolutions: tuple[Resolution, ...]) -> None:
        cut = Checkpoint({"step": self.step + 1}, {}, {})
        self.journal.commit(Commit(self.step, (), intents, resolutions, (), cut))
        self.step += 1

    @initialize()
    def begin(self) -> None:
        assert self.journal.recover() is None
        self.commit((), ())

    @rule(count=st.integers(1, 3))
    def intend(self, count: int) -> None:
        first = len(self.model.pending) + len(self.model.ended) + 1
        intents = tuple(self.intent(seq) for seq in range(first, first + count))
        self.commit(intents, ())
        self.model.pending.update((intent.seq, intent) for intent in intents)

    @rule(seq=st.integers(1, 12), status=st.sampled_from(["done", "refused", "unknown", "superseded"]))
    def resolve(self, seq: int, status: str) -> None:
        resolution = (Resolution(seq, status, ""),)
        allowed = seq in self.model.pending or self.model.ended.get(seq) == status
        if not allowed:
            self.refused((), resolution)
            return
        self.commit((), resolution)
        if status != "unknown" and seq in self.model.pending:
            del self.model.pending[seq]
            self.model.ended[seq] = status

    @rule(seq=st.integers(1, 12))
    def intend_again(self, seq: int) -> None:
        if seq in self.model.pending or seq in self.model.ended:
            self.refused((self.intent(seq),), ())

    def refused(self, intents: tuple[Intent, ...], resolutions: tuple[Resolution, ...]) -> None:
        first_ok = self.intent(1000)
        try:
            self.commit((first_ok, *intents), resolutions)
        except Fatal:
            return
        raise AssertionError("a commit that contradicts the journal was taken")

    @invariant()
    def recovers_what_the_model_holds(self) -> None:
        recovered = self.journal.recover()
        if self.step:
            pending = tuple(self.model.pending[seq] for seq in sorted(self.model.pending))
            assert recovered == Recovered(Checkpoint({"step": self.step}, {}, {}), pending)


TestJournalAgainstModel = JournalAgainstModel.TestCase

cents = st.integers(-500_000, 500_000).map(lambda number: number / 100.0)
happening = st.tuples(st.sampled_from(["fill", "funding", "liquidation"]), cents, st.integers(0, 9999))


@given(st.lists(happening, max_size=25))
def test_the_books_close_over_any_history_however_often_it_is_told(history: list[tuple]) -> None:
    journal = memory_journal(BINDING)
    wallet = Decimal(100_000)
    position = Position(SYMBOL, 1, 1.0, 100.0, 10.0, 10.0, 1)
    for number, (kind, amount, fee_cents) in enumerate(history, 1):
        fee = fee_cents / 100.0
        if kind == "fill":
            event = OrderFilled(
                number,
                SYMBOL,
                f"c{number}",
                number,
                "entry",
                1,
                100.0,
                1.0,
                0.0,
                fee,
                False,
                amount,
                position,
                0.0,
            )
            wallet += Decimal(str(amount)) - Decimal(str(fee))
        elif kind == "funding":
            event = FundingSettled(number, SYMBOL, 0.0001, 100.0, amount, position, 0.0)
            wallet += Decimal(str(amount))
        else:
            event = Liquidated(number, SYMBOL, number, 1, 1.0, 90.0, 90.0, 89.0, fee, 0.1, 0.1, 0.0)
            wallet -= Decimal(str(fee))
        journal.commit(Commit(number, (event, event)))
    with journal.read() as reader:
        assert books_error(reader, 100_000.0, wallet) < 1e-15
        assert books_error(reader, 100_000.0, wallet + 1) > 0.0
    journal.close()
