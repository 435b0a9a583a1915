"""The one object the engine asks: what may be entered, when to look, how much margin to move."""

from typing import Any

from bot.core.event import PositionRisk
from bot.core.instrument import Instrument
from bot.core.profile import MarginRules
from bot.core.signal import Signal
from bot.risk.band import Band
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.view import (
    EntryPlan,
    EntryRefusal,
    Ladder,
    MarginBook,
    MarginDecision,
    MarginView,
    Portfolio,
    TakeProfit,
)


class RiskManager:
    """Pure: every answer depends on the arguments and on the settings given here, on nothing else."""

    def __init__(
        self,
        policy: str,
        params: Any,
        margin: MarginLimits,
        entry: EntryLimits,
        bracket: BracketLimits,
    ) -> None:
        """`policy` is a name of bot.risk.policies.POLICIES, `params` an instance of its params type.

        Raises KeyError on an unknown policy, TypeError on params of another policy.
        """
        raise NotImplementedError

    @property
    def policy(self) -> str:
        """The policy's name, for the journal."""
        raise NotImplementedError

    def band(self, view: MarginView) -> Band:
        """Return the band that decides now: the policy's, with the funding reserve on top of it."""
        raise NotImplementedError

    def evaluate_entry(
        self,
        signal: Signal,
        instrument: Instrument,
        rules: MarginRules,
        mark: float,
        sigma_day: float,
        funding_rate: float,
        portfolio: Portfolio,
    ) -> EntryPlan | EntryRefusal:
        """Return a sized and bracketed entry, or every reason against it."""
        raise NotImplementedError

    def take_profits(
        self, side: int, entry_price: float, stop_price: float, quantity: float, instrument: Instrument
    ) -> tuple[TakeProfit, ...]:
        """Return the take-profit ladder of what was really filled (partial fills change the plan's)."""
        raise NotImplementedError

    def ladder(
        self,
        view: MarginView,
        take_profits: tuple[TakeProfit, ...],
        best_mark: float,
        initial_stop: float,
    ) -> Ladder:
        """Return every rung of the position; recompute it when anything but the mark changed.

        `best_mark`: best for the position since entry. `initial_stop`: the stop at entry, 0.0 for none.
        """
        raise NotImplementedError

    def decide_margin(self, view: MarginView, book: MarginBook) -> MarginDecision:
        """Return what to do with the position's margin now; facts hold the numbers behind it."""
        raise NotImplementedError

    def trailed_stop(
        self,
        side: int,
        entry_price: float,
        initial_stop: float,
        current_stop: float,
        best_mark: float,
        tick: float,
    ) -> float:
        """Return the stop price to move to, or 0.0 to leave the stop where it is."""
        raise NotImplementedError

    def risk_of(self, view: MarginView) -> PositionRisk:
        """Return the numbers that are kept before and after a margin move."""
        raise NotImplementedError
