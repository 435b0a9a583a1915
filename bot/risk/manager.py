"""The one object the engine asks: what may be entered, when to look, how much margin to move."""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from bot.core.event import PositionRisk
from bot.core.instrument import Instrument
from bot.core.margin import (
    distance,
    liquidation_price,
    margin_ratio,
    notional,
)
from bot.core.position import Position
from bot.core.probability import liquidation_probability
from bot.core.profile import MarginRules
from bot.core.signal import Signal
from bot.risk import adjust, by_hand, pretrade, triggers
from bot.risk.band import Band
from bot.risk.book import BookLeg, BookMoney, BookPlan, placed_leg, plan_book
from bot.risk.brackets import take_profit_ladder
from bot.risk.calm import holds_between
from bot.risk.derisk import DeriskDecision, derisk
from bot.risk.derisk_case import Thesis, derisk_case, derisk_limits, restored_wallet
from bot.risk.inputs import InvalidInput, check_book, check_view
from bot.risk.limits import AllocationLimits, BracketLimits, CapLimits, EntryLimits, MarginLimits
from bot.risk.policies import POLICIES
from bot.risk.release import anchor_floor
from bot.risk.stress import CapCut, Exposure, StressCaps, cap_cuts, is_far_within
from bot.risk.trailing import trailed_stop
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

_NO_BAND: Final = Band(math.nan, math.nan, math.nan)
_ALLOCATION: Final = AllocationLimits()
_CAPS: Final = CapLimits()


class RiskSettings(NamedTuple):
    """All that a risk manager decides by."""

    policy: str
    params: Any
    margin: MarginLimits
    entry: EntryLimits
    bracket: BracketLimits
    allocation: AllocationLimits
    caps: CapLimits


class RiskManager:
    """Pure: every answer depends on the arguments and on the settings given here, on nothing else."""

    __slots__ = ("_bracket", "_entry", "_margin", "_params", "_policy", "allocation", "caps")

    def __init__(
        self,
        policy: str,
        params: Any,
        margin: MarginLimits,
        entry: EntryLimits,
        bracket: BracketLimits,
        allocation: AllocationLimits = _ALLOCATION,
        caps: CapLimits = _CAPS,
    ) -> None:
        """`policy` is a name of bot.risk.policies.POLICIES, `params` an instance of its params type.

        Raises KeyError on an unknown policy, TypeError on params of another policy.
        """
        self._policy = POLICIES[policy]
        if not isinstance(params, self._policy.params_type):
            raise TypeError(f"policy {policy} takes {self._policy.params_type.__name__}, got {params!r}")
        self._params = params
        self._margin = margin
        self._entry = entry
        self._bracket = bracket
        self.allocation = allocation
        self.caps = caps

    @property
    def policy(self) -> str:
        """The policy's name, for the journal."""
        return self._policy.name

    @property
    def settings(self) -> RiskSettings:
        """What it was made with, for whoever decides the same in another way."""
        return RiskSettings(
            self._policy.name,
            self._params,
            self._margin,
            self._entry,
            self._bracket,
            self.allocation,
            self.caps,
        )

    @property
    def entry_limits(self) -> EntryLimits:
        """What every entry must satisfy, for whoever checks one that was decided."""
        return self._entry

    def band(self, view: MarginView) -> Band:
        """Return the band that decides now: the policy's, with the funding reserve on top of it."""
        own = self._policy.band(view, self._params)
        return adjust.reserved_band(view, own, self._margin.funding_payments_ahead)

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
        market = pretrade.Market(instrument, rules, mark, sigma_day, funding_rate)
        return pretrade.evaluate_entry(signal, market, portfolio, self._entry, self._bracket, self._margin)

    def take_profits(
        self, side: int, entry_price: float, stop_price: float, quantity: float, instrument: Instrument
    ) -> tuple[TakeProfit, ...]:
        """Return the take-profit ladder of what was really filled (partial fills change the plan's)."""
        return take_profit_ladder(side, entry_price, stop_price, quantity, instrument, self._bracket)

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
        return triggers.ladder(
            view,
            self._policy.band,
            self._params,
            self._margin.funding_payments_ahead,
            take_profits,
            best_mark,
            initial_stop,
            self._bracket,
            self._margin,
        )

    def decide_margin(
        self, view: MarginView, book: MarginBook, liquidation: float | None = None
    ) -> MarginDecision:
        """Return what to do with the position's margin now; facts hold the numbers behind it.

        `liquidation`: the position's liquidation price where the caller has kept it; else it is computed.
        Numbers that no policy can be asked about (a mark of zero) are held as unusable.
        """
        if not adjust.is_measurable(view):
            return adjust.decide_margin(view, _NO_BAND, book, self._margin)
        band = self._policy.band(view, self._params)
        allowed = self._policy.permissions(view, self._params)
        if liquidation is None:
            liquidation = float(liquidation_price(view.position, view.rules))
        measured = adjust.measure_sound(view, band, self._margin.funding_payments_ahead, liquidation)
        return adjust.decision(view, measured, book, self._margin, allowed)

    def judge_by_hand(
        self, wish: by_hand.Wish, view: MarginView, book: MarginBook, instrument: Instrument
    ) -> by_hand.Answer:
        """Return what comes of a person's wish about the position."""
        return by_hand.answer(wish, self._case(view, book, instrument))

    def preview(
        self, wish: by_hand.Wish, view: MarginView, book: MarginBook, instrument: Instrument
    ) -> by_hand.Preview:
        """Return the position's risk before a person's wish and after it, without doing anything."""
        answer = self.judge_by_hand(wish, view, book, instrument)
        after = None if answer.position is None else self.risk_of(view._replace(position=answer.position))
        return by_hand.Preview(
            answer.refusal, self.risk_of(view), after, answer.amount_quote, answer.quantity
        )

    def _case(self, view: MarginView, book: MarginBook, instrument: Instrument) -> by_hand.Case:
        low = self.band(view).low if adjust.is_measurable(view) else math.nan
        return by_hand.Case(view, book, instrument, self._margin, low)

    @property
    def may_derisk(self) -> bool:
        """Whether the de-risk ladder may be consulted at all."""
        return self._margin.allow_derisk != 0

    @property
    def derisk_interval_ms(self) -> int:
        """How long the ladder is left alone after it moved something."""
        return self._margin.derisk_interval_ms

    def decide_derisk(
        self, view: MarginView, book: MarginBook, thesis: Thesis, instrument: Instrument
    ) -> DeriskDecision:
        """Return what to do where `decide_margin` wants the de-risk ladder; the numbers must be usable."""
        allowed = self._policy.permissions(view, self._params)
        case = derisk_case(
            view,
            self.band(view),
            book,
            self._margin,
            allowed,
            thesis,
            instrument,
            self._entry.stop_slippage,
        )
        return derisk(view, case, instrument, derisk_limits(self._margin))

    def restored_wallet(self, view: MarginView, book: MarginBook, target_quote: float) -> float:
        """Return the wallet to bring back after a cut paid margin out, at least the present one."""
        if self.fault_of(view, book) or view.mark_age_ms > self._margin.max_mark_age_ms:
            return view.position.isolated_wallet
        near = self._policy.permissions(view, self._params).derisk_below
        return restored_wallet(view, self.band(view), book, self._margin, near, target_quote)

    @property
    def margin_limits(self) -> MarginLimits:
        """What no policy may do, for whoever proves that nothing is done."""
        return self._margin

    @property
    def bracket_limits(self) -> BracketLimits:
        """How take-profits and the trailing stop are laid."""
        return self._bracket

    def release_wall(self, position: Position, rules: MarginRules) -> float:
        """Return the mark from which the venue lets the smallest release of a position out."""
        return triggers.release_wall(position, rules, self._margin)

    def holds_between(
        self, view: MarginView, liquidation: float, wall: float, low: float, high: float
    ) -> bool:
        """Return whether no margin moves at the view's mark and any from low to high; False: not proven.

        `liquidation` and `wall`: the position's liquidation price and `release_wall`.
        """
        if self.is_allocating:
            return False
        policy, limits = self._policy, self._margin
        allowed = policy.permissions(view, self._params)
        return holds_between(view, policy.band, self._params, allowed, limits, liquidation, wall, low, high)

    def fault_of(self, view: MarginView, book: MarginBook) -> str:
        """Return what makes the numbers unusable, field and value; "" when the policy has a band for them."""
        try:
            check_view(view)
            check_book(book)
        except InvalidInput as error:
            return str(error)
        band = self.band(view)
        is_sound = 0.0 < band.low <= band.target <= band.high
        return "" if is_sound else f"the policy {self.policy} finds no band: {band.low} to {band.high}"

    @property
    def is_allocating(self) -> bool:
        """Whether one budget over all positions moves margin, and not each position's policy."""
        return self.allocation.budget_fraction > 0.0

    def book_leg(self, view: MarginView, book: MarginBook, liquidation: float) -> BookLeg:
        """Return the position as a leg of the book; `liquidation` is its liquidation price.

        InvalidInput: a contract that is settled in its base coin.
        """
        position = view.position
        if view.rules.is_inverse:
            raise InvalidInput(f"{position.symbol}.is_inverse", True, "False: one budget needs one coin")
        permissions = self._policy.permissions(view, self._params)
        placed = placed_leg(
            view, liquidation, self.band(view), book, self._margin, permissions, self.allocation
        )
        return BookLeg(
            position.symbol,
            position.isolated_wallet,
            placed.least_move_quote,
            book.margin_step_quote,
            placed.leg,
            placed.may_add,
            placed.may_release,
        )

    def plan_book(self, legs: Sequence[BookLeg], budget_quote: float, free_quote: float) -> BookPlan:
        """Return the moves of `legs` to the cheapest split; InvalidInput where there is none."""
        return plan_book(legs, BookMoney(budget_quote, free_quote), self.allocation)

    def reserve_quote(self, equity_quote: float) -> float:
        """Return what stays free whatever an add would need."""
        return self._margin.reserve_fraction * equity_quote

    def cap_cuts(self, legs: Sequence[Exposure], equity_quote: float) -> tuple[CapCut, ...]:
        """Return what to close because the book exceeds a cap by more than `caps.cut_above` allows."""
        return cap_cuts(legs, equity_quote, self._stress_caps(), self.caps.cut_above)

    def is_far_within_caps(self, legs: Sequence[Exposure], equity_quote: float) -> bool:
        """Return whether `cap_cuts` would close nothing of these legs, nor of any that are smaller."""
        above = self.caps.cut_above
        return above == 0.0 or is_far_within(legs, equity_quote, self._stress_caps(), max(above, 1.0))

    def _stress_caps(self) -> StressCaps:
        entry = self._entry
        return StressCaps(entry.portfolio_cap_fraction, entry.risk_cap_fraction, entry.cascade_cap_fraction)

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
        return trailed_stop(side, entry_price, initial_stop, current_stop, best_mark, tick, self._bracket)

    def risk_of(self, view: MarginView) -> PositionRisk:
        """Return the numbers that are kept before and after a margin move."""
        return self.risk_at(view, float(liquidation_price(view.position, view.rules)))

    def risk_at(self, view: MarginView, liquidation: float) -> PositionRisk:
        """Return the same for a position whose liquidation price is known."""
        return PositionRisk(
            mark=view.mark,
            isolated_wallet=view.position.isolated_wallet,
            margin_ratio=float(margin_ratio(view.position, view.mark, view.rules)),
            liquidation_price=liquidation,
            distance=float(distance(view.position.side, view.mark, liquidation)),
            notional_quote=float(notional(view.position, view.mark, view.rules)),
            liquidation_probability=float(
                liquidation_probability(view.mark, liquidation, view.sigma_day, 1.0)
            ),
        )

    def is_anchor_gap_kept(self, view: MarginView) -> bool:
        """Return whether the least part of the stop anchor's buffer lies between stop and liquidation."""
        return view.position.isolated_wallet >= anchor_floor(view, self._margin)
