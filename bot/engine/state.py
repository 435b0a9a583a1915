"""What the engine knows: markets, holdings, the account, and what is in flight. Plain data, one owner.

`snapshot` and `restore` are exact inverses for everything that later decisions depend on; candle
windows are not in it, because the feed gives them back for any place.
"""

import math
from dataclasses import dataclass, field, fields
from typing import Any, Final

from bot.core.codec import from_json, to_json
from bot.core.halt import NO_ENTRY, Halt, rank
from bot.core.instrument import Instrument
from bot.core.intent import Intent
from bot.core.margin import liquidation_price
from bot.core.position import Position
from bot.core.profile import MarginRules
from bot.engine.errand import Errand
from bot.engine.evidence import MarketEvidence, evidence_from, evidence_json
from bot.engine.pending import PendingEntry, RestingStop, entry_from, entry_json
from bot.engine.window import CandleWindow
from bot.risk.estimates import UNKNOWN, MarketEstimates
from bot.risk.rebalance import MarginMove
from bot.risk.regime import NEUTRAL
from bot.risk.view import MarginBook, MarginView, Rung, TakeProfit

NEVER_MS: Final = 2**62


@dataclass(slots=True)
class Holding:
    """One open position and everything the bot did for it.

    Between `sleep_low` and `sleep_high`, before `recheck_at_ms`, nothing is due. `quiet_low` and `quiet_high`
    lie within them and bound the fast path: inside them there is no evidence to take either.
    `solved_probability`: of liquidation when the book's margin was last split, below 0 before the first time.
    `unprotected_since_ms` is 0 while a stop rests at the venue. The three `..._again_ms` say when
    the venue may be asked again after it refused a stop, a close or a margin move; `derisk_again_ms`
    when the de-risk ladder may act again. `kept_share` is what cuts have left of the quantity,
    `restored_quote` the part of `added_quote` that a cut had paid out before, and `does_reenter` whether
    the strategy's newest belief would enter here again. `by_hand_quote` is what somebody else added to its
    margin, less what they took out; `drained_quote` the least that this and funding together ever came to
    while it was managed. `lost_stop` is the price of the last stop that vanished, `lost_stop_ms` a clock that
    each of them puts forward. `elder_stop` is the id of a looser stop over all of it, kept while `stop` is
    for less.
    """

    position: Position
    position_id: int
    opened_ms: int
    initial_wallet_quote: float
    initial_stop: float
    entry_distance: float
    agreed_loss_quote: float
    best_mark: float
    stop: RestingStop | None = None
    take_profits: dict[str, TakeProfit] = field(default_factory=dict)
    is_filled: bool = False
    is_closing: bool = False
    unprotected_since_ms: int = 0
    added_quote: float = 0.0
    released_quote: float = 0.0
    adds: int = 0
    last_add_ms: int = 0
    last_release_ms: int = 0
    regime: int = NEUTRAL
    regime_since_ms: int = 0
    cuts: int = 0
    last_cut_ms: int = 0
    derisk_cuts: int = 0
    derisk_again_ms: int = 0
    kept_share: float = 1.0
    restored_quote: float = 0.0
    does_reenter: bool = False
    realised_pnl_quote: float = 0.0
    fees_quote: float = 0.0
    funding_quote: float = 0.0
    last_hold_reason: str = ""
    sleep_low: float = 0.0
    sleep_high: float = 0.0
    recheck_at_ms: int = 0
    stop_again_ms: int = 0
    close_again_ms: int = 0
    margin_again_ms: int = 0
    solved_probability: float = -1.0
    rungs: tuple[Rung, ...] = ()
    quiet_low: float = 0.0
    quiet_high: float = 0.0
    by_hand_quote: float = 0.0
    drained_quote: float = 0.0
    lost_stop: float = 0.0
    lost_stop_ms: int = 0
    elder_stop: str = ""
    cover_again_ms: int = 0

    def gain(self, *, funding_quote: float = 0.0, by_hand_quote: float = 0.0) -> None:
        """Book what the wallet got, or lost, beside the moves of this bot."""
        before = self.funding_quote + self.by_hand_quote
        self.funding_quote += funding_quote
        self.by_hand_quote += by_hand_quote
        self.drained_quote = min(self.drained_quote, before, self.funding_quote + self.by_hand_quote)

    def wake(self) -> None:
        """Forget the sleep bounds, so that the next mark is looked at."""
        self.sleep_low = self.sleep_high = self.quiet_low = self.quiet_high = 0.0


@dataclass(slots=True)
class Market:
    """One symbol: its rules, its last prices and what is held in it.

    `alerts`: the position id for which a cause was raised, 0 for none. `fault`: what is wrong with the
    rules themselves, "" for nothing; no margin moves while it says something. `foreign`: what somebody else
    holds there, or a lost database of ours (`foreign_is_ours`). `cool_until_ms`: nothing is entered before,
    for the venue liquidated or deleveraged what was held. `is_leaving`: what is held is managed, nothing is
    entered; not kept, each start says it anew.
    """

    instrument: Instrument
    rules: MarginRules
    window: CandleWindow
    mark: float = 0.0
    last: float = 0.0
    mark_ms: int = 0
    sigma_day: float = 0.0
    estimates: MarketEstimates = UNKNOWN
    funding_rate: float = 0.0
    gap_until_ms: int = 0
    leverage: int = 0
    holding: Holding | None = None
    entry: PendingEntry | None = None
    liquidation_of: tuple[Position | None, float] = (None, 0.0)
    evidence: MarketEvidence = field(default_factory=MarketEvidence)
    alerts: dict[str, int] = field(default_factory=dict)
    fault: str = ""
    foreign: Position | None = None
    foreign_is_ours: bool = False
    is_leaving: bool = False
    cool_until_ms: int = 0

    def liquidation_price(self, position: Position) -> float:
        """Return the position's liquidation price; the answer for the last one is kept."""
        known, price = self.liquidation_of
        if known is not position:
            price = liquidation_price(position, self.rules)
            self.liquidation_of = (position, price)
        return price


@dataclass(slots=True)
class Tally:
    """Counts since the first start of this database; what `--summary` reports."""

    trades: int = 0
    liquidations: int = 0
    margin_adds: int = 0
    margin_releases: int = 0
    margin_added: float = 0.0
    margin_released: float = 0.0
    volatility_cuts: int = 0
    derisk_cuts: int = 0
    derisk_closes: int = 0
    alerts: int = 0
    stops_filled: int = 0
    take_profits_filled: int = 0
    entries_refused: int = 0
    max_unprotected_ms: int = 0
    invariant_violations: int = 0
    marks_processed: int = 0


@dataclass(slots=True)
class Rebalance:
    """How the book's margin is being split: what waits for the venue, and what follows then.

    `waiting`: client ids of moves without an outcome, with their symbols. `adds` are sent when the releases
    among them have happened. `solved_ms`: when the last split began, or its last move ended; `tried_ms`:
    when one was last computed, also in vain; `held_reason`: why in vain.
    """

    solved_ms: int = 0
    tried_ms: int = 0
    held_reason: str = ""
    waiting: dict[str, str] = field(default_factory=dict)
    adds: tuple[MarginMove, ...] = ()


@dataclass(slots=True)
class State:
    """The whole session. `wallet_start_quote` is what the account held at the very first start.

    `epoch` names this run in every client id, so that no two runs ever share one; `runs`: the
    last that this database had. `commands`: ids of the last orders of a person that were obeyed; `errands`:
    their last ones about a position. Equity the day's loss and the drawdown are measured from includes
    unrealised PnL; 0: from the next look. The lists hold when the newest requests were made.
    `stale_since_ms`: when a held symbol was first found silent while others were heard.
    """

    markets: dict[str, Market]
    timeframe_ms: int = 0
    free_quote: float = 0.0
    wallet_start_quote: float = 0.0
    now_ms: int = 0
    day_start_ms: int = 0
    day_start_equity_quote: float = 0.0
    hour_ms: int = 0
    epoch: str = ""
    runs: list[str] = field(default_factory=list)
    next_seq: int = 1
    next_position_id: int = 1
    halts: dict[str, Halt] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    errands: list[Errand] = field(default_factory=list)
    loss_base_quote: float = 0.0
    peak_equity_quote: float = 0.0
    ordered_ms: list[int] = field(default_factory=list)
    sent_ms: list[int] = field(default_factory=list)
    refused_ms: list[int] = field(default_factory=list)
    stale_since_ms: dict[str, int] = field(default_factory=dict)
    in_flight: dict[str, Intent] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    caps_again_ms: int = 0
    rebalance: Rebalance = field(default_factory=Rebalance)

    def halt_level(self) -> str:
        """Return the highest level of every halt that stands, "" while there is none."""
        return max((halt.level for halt in self.halts.values()), key=rank, default="")

    def equity_quote(self) -> float:
        """Return free balance plus isolated wallets, without unrealised PnL."""
        return self.free_quote + sum(position.isolated_wallet for position in self.positions())

    def positions(self) -> tuple[Position, ...]:
        """Return every open position."""
        return tuple(m.holding.position for m in self.markets.values() if m.holding is not None)

    def view(self, market: Market, holding: Holding) -> MarginView:
        """Return what the risk manager may know of a holding now."""
        # By position: names would cost half as much again, and a view is built at every look.
        estimates = market.estimates
        return MarginView(
            self.now_ms,
            market.mark,
            max(self.now_ms - market.mark_ms, 0),  # a candle may come after newer marks
            holding.position,
            market.rules,
            holding.stop.trigger_price if holding.stop is not None else 0.0,
            market.sigma_day,
            market.funding_rate,
            holding.entry_distance,
            estimates.atr,
            estimates.sigma_parkinson,
            estimates.sigma_yang_zhang,
            estimates.sigma_6h,
            estimates.sigma_10d,
            estimates.trend_score,
            estimates.is_high_volatility,
            holding.regime,
            holding.cuts,
            holding.last_cut_ms,
        )

    def book(self, market: Market, holding: Holding) -> MarginBook:
        """Return what was done to the holding's margin so far, and what the account can spare.

        What is lost already counts against the agreed loss; margin that a cut paid out and that was brought
        back was not added.
        """
        return self.book_of(market, holding, self.equity_quote())

    def book_of(self, market: Market, holding: Holding, equity_quote: float) -> MarginBook:
        """Return the same for an equity that is known already: it is a sum over all positions."""
        return MarginBook(
            holding.initial_wallet_quote,
            holding.added_quote - holding.restored_quote,
            holding.released_quote,
            holding.adds,
            holding.last_add_ms,
            holding.last_release_ms,
            max(holding.agreed_loss_quote + min(holding.realised_pnl_quote, 0.0), 0.0),
            self.free_quote,
            equity_quote,
            market.instrument.margin_step_quote,
        )


_SESSION_FIELDS: Final = tuple(
    f.name
    for f in fields(State)
    if f.name not in ("markets", "tally", "in_flight", "rebalance", "halts", "errands")
)
_MARKET_FIELDS: Final = (
    "mark",
    "last",
    "mark_ms",
    "sigma_day",
    "funding_rate",
    "gap_until_ms",
    "leverage",
    "cool_until_ms",
    "foreign_is_ours",
)


def snapshot(state: State) -> dict[str, Any]:
    """Return the state as plain JSON values; floats survive exactly."""
    return {
        **{name: getattr(state, name) for name in _SESSION_FIELDS},
        "halts": {cause: list(halt) for cause, halt in state.halts.items()},
        "tally": _fields_of(state.tally),
        "in_flight": {key: to_json(intent) for key, intent in state.in_flight.items()},
        "rebalance": _rebalance_snapshot(state.rebalance),
        "markets": {symbol: _market_snapshot(market) for symbol, market in state.markets.items()},
        **({"errands": [list(errand) for errand in state.errands]} if state.errands else {}),
    }


def restore(state: State, saved: dict[str, Any]) -> None:
    """Put `saved` back into `state`, whose markets must hold every symbol of the snapshot."""
    for name in _SESSION_FIELDS:
        setattr(state, name, saved.get(name, getattr(state, name)))  # absent: written before it existed
    state.halts = {cause: _halt_from(halt) for cause, halt in saved["halts"].items()}
    state.tally = Tally(**saved["tally"])
    state.in_flight = {key: from_json(intent) for key, intent in saved["in_flight"].items()}
    state.rebalance = _rebalance_from(saved["rebalance"])
    state.errands = [Errand(*errand) for errand in saved.get("errands", ())]
    for symbol, market in saved["markets"].items():
        _restore_market(state.markets[symbol], market)


def _halt_from(saved: Any) -> Halt:
    if isinstance(saved, str):  # written before there were levels
        return Halt(NO_ENTRY, saved, 0, False)
    return Halt(*saved)


def _fields_of(record: Any) -> dict[str, Any]:
    return {f.name: getattr(record, f.name) for f in fields(record)}


def _rebalance_snapshot(rebalance: Rebalance) -> dict[str, Any]:
    saved = _fields_of(rebalance)
    saved["waiting"] = dict(rebalance.waiting)
    saved["adds"] = [[*move[:3], list(move.paid_by)] for move in rebalance.adds]
    return saved


def _rebalance_from(saved: dict[str, Any]) -> Rebalance:
    adds = tuple(
        MarginMove(symbol, kind, amount, tuple(paid)) for symbol, kind, amount, paid in saved["adds"]
    )
    return Rebalance(**{**saved, "waiting": dict(saved["waiting"]), "adds": adds})


def _market_snapshot(market: Market) -> dict[str, Any]:
    saved: dict[str, Any] = {name: getattr(market, name) for name in _MARKET_FIELDS}
    # NaN is "not known" and no JSON number.
    saved["estimates"] = [None if math.isnan(value) else value for value in market.estimates]
    saved["alerts"] = dict(market.alerts)
    saved["holding"] = _holding_snapshot(market.holding) if market.holding is not None else None
    saved["foreign"] = list(market.foreign) if market.foreign is not None else None
    saved["evidence"] = evidence_json(market.evidence)
    saved["entry"] = entry_json(market.entry) if market.entry is not None else None
    return saved


def _restore_market(market: Market, saved: dict[str, Any]) -> None:
    for name in _MARKET_FIELDS:
        setattr(market, name, saved.get(name, getattr(market, name)))  # absent: written before it existed
    known: list[Any] = [math.nan if value is None else value for value in saved["estimates"]]
    market.estimates = MarketEstimates(*known)
    market.alerts = dict(saved.get("alerts", {}))  # absent: written before there were alerts
    market.holding = _holding_from(saved["holding"]) if saved["holding"] is not None else None
    foreign = saved.get("foreign")  # absent: written before it was kept
    market.foreign = Position(*foreign) if foreign is not None else None
    if "evidence" in saved:  # a checkpoint of revision 0001 has none: its positions end without a row
        market.evidence = evidence_from(saved["evidence"])
    market.entry = entry_from(saved["entry"]) if saved["entry"] is not None else None


def _holding_snapshot(holding: Holding) -> dict[str, Any]:
    saved = _fields_of(holding)
    saved["position"] = list(holding.position)
    saved["stop"] = _fields_of(holding.stop) if holding.stop is not None else None
    saved["take_profits"] = {key: list(value) for key, value in holding.take_profits.items()}
    saved["rungs"] = [list(rung) for rung in holding.rungs]
    return saved


def _holding_from(saved: dict[str, Any]) -> Holding:
    values = dict(saved)
    values["position"] = Position(*saved["position"])
    values["stop"] = RestingStop(**saved["stop"]) if saved["stop"] is not None else None
    values["take_profits"] = {key: TakeProfit(*value) for key, value in saved["take_profits"].items()}
    values["rungs"] = tuple(Rung(*rung) for rung in saved["rungs"])
    return Holding(**values)
