"""The account that walks along a path: what is held, what was moved, what is gone. Changes in place."""

import math
from dataclasses import dataclass, field

from bot.calc.autoadd import added_by_exchange
from bot.core.margin import equity, liquidation_distance, liquidation_price, unrealised_pnl
from bot.core.position import Position
from bot.core.steps import step_down
from bot.risk.limits import MarginLimits
from bot.risk.view import MarginBook, MarginDecision, MarginView


@dataclass(slots=True)
class HeldLeg:
    """One leg: `view` is its newest, `is_open` ends at stop or liquidation; the rest is its history.

    `..._before`: what was done before the path; `agreed_loss` 0.0: that of a position just opened.
    """

    view: MarginView
    margin_step: float
    initial_wallet: float
    is_open: bool = True
    adds: int = 0
    added: float = 0.0
    releases: int = 0
    released: float = 0.0
    last_add_ms: int = 0
    last_release_ms: int = 0
    adds_before: int = 0
    added_before: float = 0.0
    released_before: float = 0.0
    agreed_loss: float = 0.0
    quantity_step: float = 0.0
    cuts: int = 0
    derisk_asks: int = 0

    @property
    def wallet(self) -> float:
        """The isolated wallet, quote."""
        return self.view.position.isolated_wallet


@dataclass(slots=True)
class Account:
    """All legs and the free balance; `least_distance` and `margin_hours` change with every step."""

    free: float
    legs: list[HeldLeg]
    liquidated: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    least_distance: float = math.inf
    margin_hours: float = 0.0

    def open_legs(self) -> list[HeldLeg]:
        """Return the legs that are still held."""
        return [leg for leg in self.legs if leg.is_open]

    def left(self) -> float:
        """Return free balance and the equity of what is still held, quote."""
        legs = self.open_legs()
        return self.free + sum(equity(leg.view.position, leg.view.mark, leg.view.rules) for leg in legs)

    def advance(self, leg: HeldLeg, mark: float, ts_ms: int) -> None:
        """Bring the leg's view to a new mark."""
        leg.view = leg.view._replace(mark=mark, ts_ms=ts_ms, mark_age_ms=0)

    def settle(self, leg: HeldLeg) -> None:
        """Close the leg at its stop or its liquidation, whichever the mark met first on the way."""
        view = leg.view
        side, liquidation = view.position.side, liquidation_price(view.position, view.rules)
        is_past_stop = view.stop_price > 0.0 and side * (view.mark - view.stop_price) <= 0.0
        if is_past_stop and side * (view.stop_price - liquidation) > 0.0:
            self._close(leg, _paid_out(view, liquidation))
            self.stopped.append(view.position.symbol)
        elif side * (view.mark - liquidation) <= 0.0:
            self._close(leg, 0.0)
            self.least_distance = 0.0
            self.liquidated.append(view.position.symbol)

    def rescue(self, leg: HeldLeg) -> None:
        """Let the exchange's own switch add what it would."""
        view = leg.view
        self.move(leg, added_by_exchange(view.position, view.mark, self.free, view.rules))

    def move(self, leg: HeldLeg, amount: float) -> None:
        """Move `amount` into the leg's wallet, out of it when negative, and write it down."""
        if amount == 0.0:
            return
        self.free -= amount
        leg.view = leg.view._replace(position=_with_wallet(leg.view.position, leg.wallet + amount))
        if amount > 0.0:
            leg.adds, leg.added, leg.last_add_ms = leg.adds + 1, leg.added + amount, leg.view.ts_ms
        else:
            leg.releases, leg.released = leg.releases + 1, leg.released - amount
            leg.last_release_ms = leg.view.ts_ms

    def obey(self, leg: HeldLeg, decision: MarginDecision) -> None:
        """Make the cut that a policy decided, else its margin move; count how often it asked for less risk.

        A cut comes first and alone: the move was decided for the position before it.
        """
        leg.derisk_asks += decision.wants_derisk
        if decision.cut_fraction > 0.0 and self.cut(leg, decision.cut_fraction):
            return
        signs = {"add": 1.0, "release": -1.0}
        self.move(leg, signs.get(decision.action, 0.0) * decision.amount_quote)

    def book(self, leg: HeldLeg, limits: MarginLimits) -> MarginBook:
        """Return what a margin decision may know of the leg's history and of the account."""
        return MarginBook(
            initial_wallet_quote=leg.initial_wallet,
            added_quote=leg.added_before + leg.added,
            released_quote=leg.released_before + leg.released,
            adds=leg.adds_before + leg.adds,
            last_add_ms=leg.last_add_ms,
            last_release_ms=leg.last_release_ms,
            agreed_loss_quote=leg.agreed_loss or leg.initial_wallet * (1.0 + limits.max_added_fraction),
            free_quote=self.free,
            equity_quote=self.free + sum(other.wallet for other in self.open_legs()),
            margin_step_quote=leg.margin_step,
        )

    def cut(self, leg: HeldLeg, fraction: float) -> bool:
        """Close `fraction` of the quantity at the mark, without fees; False when it is less than a step.

        Its share of the wallet and its PnL go to the free balance, as the venue settles a smaller position.
        """
        position = leg.view.position
        closed = step_down(fraction * position.quantity, leg.quantity_step)
        if closed <= 0.0:
            return False
        share = closed / position.quantity
        freed = share * (leg.wallet + unrealised_pnl(position, leg.view.mark, leg.view.rules))
        self.free += max(freed, 0.0)
        smaller = position._replace(
            quantity=position.quantity - closed, isolated_wallet=position.isolated_wallet * (1.0 - share)
        )
        cuts, ts_ms = leg.view.cuts + 1, leg.view.ts_ms
        leg.view = leg.view._replace(position=smaller, cuts=cuts, last_cut_ms=ts_ms)
        leg.cuts += 1
        return True

    def measure(self, hours: float) -> None:
        """Count `hours` of what is locked, and how near it came to liquidation."""
        for leg in self.open_legs():
            away = liquidation_distance(leg.view.position, leg.view.mark, leg.view.rules)
            self.least_distance = min(self.least_distance, away)
            self.margin_hours += leg.wallet * hours

    def _close(self, leg: HeldLeg, paid_out: float) -> None:
        self.free += paid_out
        leg.is_open = False


def _paid_out(view: MarginView, liquidation: float) -> float:
    """What a stop pays back: filled at the worse of stop and mark, but not past liquidation."""
    side = view.position.side
    fill = max(min(view.stop_price * side, view.mark * side), liquidation * side) * side
    return max(view.position.isolated_wallet + unrealised_pnl(view.position, fill, view.rules), 0.0)


def _with_wallet(position: Position, wallet: float) -> Position:
    return position._replace(isolated_wallet=wallet)
