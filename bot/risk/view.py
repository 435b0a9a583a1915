"""What a margin decision may look at: one position, its market, its margin history, the account."""

import math
from typing import NamedTuple

from bot.core.position import Position
from bot.core.profile import MarginRules
from bot.risk.regime import NEUTRAL
from bot.risk.stress import Exposure


class MarginView(NamedTuple):
    """One position at one instant.

    `stop_price` 0.0: no stop rests on the venue. `sigma_day`: standard deviation of the log price
    per sqrt(day). `funding_rate`: expected next rate, fraction of notional. `entry_distance`:
    liquidation distance right after entry.

    The rest is of bot.risk.estimates, for the policies that ask for it: `atr` in price units, the other
    volatilities per sqrt(day), `trend_score` positive in a rising market (not multiplied by the side).
    NaN: not known; a policy that needs it then moves nothing. `regime`: a code of bot.risk.regime.
    `cuts`, `last_cut_ms`: volatility cuts of this position so far; 0 when there was none.
    """

    ts_ms: int
    mark: float
    mark_age_ms: int
    position: Position
    rules: MarginRules
    stop_price: float
    sigma_day: float
    funding_rate: float
    entry_distance: float
    atr: float = math.nan
    sigma_parkinson: float = math.nan
    sigma_yang_zhang: float = math.nan
    sigma_6h: float = math.nan
    sigma_10d: float = math.nan
    trend_score: float = 0.0
    is_high_volatility: bool = False
    regime: int = NEUTRAL
    cuts: int = 0
    last_cut_ms: int = 0


class MarginBook(NamedTuple):
    """What was done to this position's margin so far, and what the account can spare.

    `equity_quote` is the account's W: free balance plus all isolated wallets. `agreed_loss_quote` is
    the most the user agreed to lose on this leg when it was opened: the isolated wallet never
    exceeds it by an add. Times are 0 when it never happened.
    """

    initial_wallet_quote: float
    added_quote: float
    released_quote: float
    adds: int
    last_add_ms: int
    last_release_ms: int
    agreed_loss_quote: float
    free_quote: float
    equity_quote: float
    margin_step_quote: float


class MarginDecision(NamedTuple):
    """`action`: "hold", "add" or "release". `retry_at_ms`: before it only a new rung changes the answer.

    `wants_derisk`: margin is short and may not or cannot be added: consult the de-risk ladder.
    `cut_fraction` > 0: close that share of the quantity first, reduce-only, never below the venue's
    minimum; where that is not possible the action holds by itself.
    """

    action: str
    target_wallet_quote: float
    amount_quote: float
    reason: str
    retry_at_ms: int
    facts: dict[str, float | int | str | bool | None]
    wants_derisk: bool = False
    cut_fraction: float = 0.0


class Rung(NamedTuple):
    """One protective price of a position.

    `kind`: "liquidation", "stop", "add", "release", "trail", "take_profit". `amount`: quote for margin
    rungs, base quantity for orders, 0 when not known.
    """

    price: float
    kind: str
    amount: float


class Ladder(NamedTuple):
    """All rungs of a position, ascending by price. While sleep_low < mark < sleep_high nothing is due.

    Only rungs that the BOT acts on (add, release, trail) bound the sleep; the venue acts on the rest.
    """

    rungs: tuple[Rung, ...]
    sleep_low: float
    sleep_high: float


class TakeProfit(NamedTuple):
    price: float
    quantity: float


class EntryPlan(NamedTuple):
    """An approved entry. Quantities are on the instrument's steps; money in quote."""

    symbol: str
    side: int
    quantity: float
    leverage: int
    entry_price: float
    stop_price: float
    take_profits: tuple[TakeProfit, ...]
    required_margin_quote: float
    maintenance_margin_quote: float
    liquidation_price: float
    loss_at_stop_quote: float
    agreed_loss_quote: float
    reward_to_risk: float
    facts: dict[str, float | int | str | bool | None]


class EntryRefusal(NamedTuple):
    """Every failed check, each a sentence with its numbers."""

    checks: tuple[str, ...]
    facts: dict[str, float | int | str | bool | None]


class Portfolio(NamedTuple):
    """The account as the entry check sees it; `in_flight_...`: entries that were sent and not yet answered.

    `exposures` are what the caps on the whole book count, open positions and entries in flight alike. A
    position it does not name counts at its entry notional and with the volatility of the new entry.
    """

    free_quote: float
    equity_quote: float
    positions: tuple[Position, ...]
    in_flight_margin_quote: float
    day_start_equity_quote: float
    day_pnl_quote: float
    in_flight_count: int = 0
    exposures: tuple[Exposure, ...] = ()
