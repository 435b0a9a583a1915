"""`bot.ports.Exchange` over ccxt: each request is sent once, then the account is read.

The truth is what the venue answers to reads. A reply that says "done" is believed only for what a read
cannot tell apart; a reply that does not come raises OutcomeUnknown, and `outcome_of` finds out by reading.
"""

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from bot.core.event import AutoAddSwitched, InstrumentChanged, LeverageSet, Refused, VenueEvent
from bot.core.instrument import Instrument
from bot.core.intent import (
    AddMargin,
    CancelOrder,
    Intent,
    OpenPosition,
    PlaceStop,
    PlaceTakeProfit,
    PlaceTrailingStop,
    ReducePosition,
    ReleaseMargin,
    SetLeverage,
)
from bot.core.position import Position
from bot.errors import OutcomeUnknown, Rejected, Transient, Unavailable
from bot.exchange.book import Book
from bot.exchange.changes import Move
from bot.exchange.cross_check import CrossCheck
from bot.exchange.dialect import Dialect, profile_of
from bot.exchange.dialects.open_positions import mode_of, not_managed
from bot.exchange.fate import fate_of
from bot.exchange.freshness import Freshness, is_changed
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.margin_amount import margin_amount, paid_up
from bot.exchange.orders import OrderDesk
from bot.exchange.rows import Settings, VenueOrder
from bot.exchange.sweep import Sweeper
from bot.ports import Account, Json

_MODES_HOLD_MS: Final = 300_000  # a person may change them at the venue at any time
_OF_STALE_RULES: Final = (
    "leverage_refused",
    "position_limit",
    "precision",
    "below_minimum",
    "unknown_symbol",
)


class CcxtGateway:
    """The exchange of testnet and live trading. `start` must be awaited once before anything else."""

    def __init__(self, link: Link, dialect: Dialect, symbols: Sequence[str]) -> None:
        self._link, self._dialect, self._symbols = link, dialect, tuple(symbols)
        self._instruments: dict[str, Instrument] = {}
        self._checked_ms: dict[str, int] = {}
        self._modes_read_ms: dict[str, int] = {}
        self._sent_ms: dict[str, int] = {}
        self._told_when_held: set[str] = set()
        self._entered: set[str] = set()
        self._freshness = Freshness(self._symbols)
        self.book = Book()
        self.sweeper = Sweeper(link, dialect, self.book, self._instruments)
        self._cross_check = CrossCheck(link, dialect, self.book, self._instruments)
        self.orders = OrderDesk(link, dialect, self.book, self.sweeper, self._instruments)
        self._desk: dict[type, Callable[[Intent, Any], Awaitable[None]]] = {
            SetLeverage: self._set_leverage,
            OpenPosition: self._open_position,
            PlaceStop: self.orders.place_stop,
            PlaceTakeProfit: self.orders.place_take_profit,
            PlaceTrailingStop: self.orders.place_trailing_stop,
            CancelOrder: self.orders.cancel_order,
            ReducePosition: self.orders.reduce_position,
            AddMargin: self._move_margin,
            ReleaseMargin: self._move_margin,
        }

    # --- the exchange port ------------------------------------------------------------------------

    async def instruments(self) -> Mapping[str, Instrument]:
        """Return the session's instruments with the tiers of now; asking again refreshes them."""
        await self._read_instruments(self._symbols, Urgency.NORMAL)
        return self._instruments

    async def refresh(self) -> None:
        """Read tiers and steps again when an hour has passed, or after a refusal that they explain.

        The modes of held symbols are read every five minutes: a person may switch auto-add-margin on. They
        are read right after an entry, too, where only a position tells of it: then it is switched off.
        Clock and liquidation prices are compared with ours.

        What changed since waits in the outbox.
        """
        now_ms = self._link.clock.now_ms()
        due = self._freshness.due(now_ms)
        if due:
            await self._read_instruments(due, Urgency.POLL)
        for symbol in tuple(self.book.positions):
            if symbol in self._entered:
                await self._settle_in(symbol)
            elif symbol in self._symbols and self._are_modes_old(symbol, self._checked_ms.get(symbol, 0)):
                self._checked_ms[symbol] = now_ms
                await self._settings(symbol, Urgency.POLL)
        await self._cross_check.look()

    async def _settle_in(self, symbol: str) -> None:
        """Look once at what was just entered; a switch that stays on is told, and the position is managed."""
        now = await self._settings(symbol)
        self._entered.discard(symbol)
        with contextlib.suppress(Rejected):
            await self._without_auto_add(symbol, now)

    async def _read_instruments(self, symbols: Sequence[str], urgency: Urgency) -> None:
        dialect, kept = self._dialect, self._dialect.margin_keepers
        found = await self._link.read(lambda: dialect.instruments(self._link.client, symbols), urgency)
        self._freshness.read(found, self._link.clock.now_ms())
        for symbol, instrument in found.items():
            known = self._instruments.get(symbol)
            is_kept = (symbol in kept) == (symbol in dialect.margin_keepers)
            if known is not None and is_kept and not is_changed(known, instrument):
                continue
            self._instruments[symbol] = instrument
            if known is not None:
                profile = profile_of(dialect, instrument)
                event = InstrumentChanged(self.book.handed_ms, symbol, instrument, profile)
                self.book.outbox.append(event)

    async def account(self) -> Account:
        """Return the venue's truth now: positions of the whole account, orders of the session's symbols.

        Urgent: what is held may have lost its stop. UserError: a position is hedged or in cross margin.
        """
        await self._start()
        client, dialect, now = self._link.client, self._dialect, Urgency.URGENT
        leverage = await self._link.read(lambda: dialect.leverages(client, self._symbols), now)
        self.book.leverage.update(leverage)
        positions = await self._link.read(lambda: dialect.positions(client, self.book.leverage), now)
        await self._check_modes(positions)
        money = await self._link.read(lambda: dialect.money(client), now)
        orders: list[VenueOrder] = []
        for symbol in self._symbols:
            orders += await self.sweeper.resting(symbol)
        orders += self.book.unseen({each.symbol for each in positions}, self._link.clock.now_ms())
        return Account(
            self.book.now_ms,
            money.free_quote,
            money.wallet_quote,
            tuple(self._with_birth(position) for position in positions),
            tuple(order.as_open_order() for order in sorted(orders, key=lambda order: order.created_ms)),
            {symbol: self.book.leverage.get(symbol, 0) for symbol in self._symbols},
        )

    async def _check_modes(self, positions: Sequence[Position]) -> None:
        """A row need not tell: what Bybit writes of a cross position's margin depends on the account.

        A start asks for the account twice, and the modes weigh as much as two readings of everything else.
        """
        held = {each.symbol for each in positions}.intersection(self._symbols)
        for symbol in filter(self._are_modes_old, sorted(held)):
            now = await self._settings(symbol, Urgency.URGENT)
            mode = mode_of(is_hedged=not now.is_one_way, is_cross=not now.is_isolated)
            if mode:
                raise not_managed(symbol, mode)

    def _are_modes_old(self, symbol: str, asked_ms: int = 0) -> bool:
        looked_ms = max(self._modes_read_ms.get(symbol, 0), asked_ms)
        return self._link.clock.now_ms() - looked_ms >= _MODES_HOLD_MS

    async def execute(self, intent: Intent) -> tuple[VenueEvent, ...]:
        """Perform the intent once; return what happened, and before it what was not handed out yet.

        Raises OutcomeUnknown or Unavailable (ask `outcome_of`), Transient (nothing was done) or Fatal.
        What is known by then stays in the outbox.
        """
        await self._start()
        self.book.hand_out(intent.ts_ms)
        self._sent_ms[intent.client_id] = self._link.clock.now_ms()
        self.book.version += 1
        self.book.calm.clear()
        try:
            await self._desk[type(intent.action)](intent, intent.action)
        except Rejected as refusal:
            await self._refused(intent, *refusal.args)
        except Transient:
            self.book.written.discard(intent.client_id)
            raise
        except (OutcomeUnknown, Unavailable):
            self.book.doubt(intent)
            raise
        finally:
            self.book.version += 1
            self.book.calm.set()
        del self._sent_ms[intent.client_id]
        self.book.report(intent.client_id)
        return self.book.take_outbox()

    async def outcome_of(self, intent: Intent) -> tuple[VenueEvent, ...] | None:
        """Return what an earlier send of this intent did, or None when it provably never arrived."""
        await self._start()
        self.book.hand_out(intent.ts_ms)
        return await fate_of(self, intent)

    # --- what the application and the feed use ----------------------------------------------------

    async def sweep(self, symbol: str) -> tuple[VenueEvent, ...]:
        """Return what happened to the symbol since it was last looked at."""
        await self._start()
        await self.sweeper.sweep(symbol)
        return self.book.take_outbox()

    async def sweep_behind(self, symbol: str, urgency: Urgency) -> None:
        """Sweep without ever being in a write's way; what is found waits in the outbox."""
        await self._start()
        await self.sweeper.sweep(symbol, urgency, is_behind=True)

    async def catch_up(self) -> tuple[VenueEvent, ...]:
        """Return everything that happened since the snapshot, for a start before truth is adopted."""
        await self._start()
        for symbol in self._symbols:
            await self.sweeper.sweep(symbol, Urgency.URGENT)
        return self.book.take_outbox()

    def snapshot(self) -> Json:
        """Return what a restart needs, as JSON values: part of every checkpoint."""
        return self.book.snapshot()

    def restore(self, values: Json) -> None:
        """Go on from a snapshot; an empty one begins anew, and so does a symbol that it does not know."""
        if values:
            self.book.restore(values)
            self.book.keep_only(self._symbols)
            self._dialect.not_before(self._link.client, self.book.now_ms)

    @property
    def symbols(self) -> tuple[str, ...]:
        return self._symbols

    @property
    def link(self) -> Link:
        return self._link

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    def sent_ms(self, intent: Intent) -> int:
        """Return when the intent was last sent by this process, by the clock; else when it was decided."""
        return self._sent_ms.get(intent.client_id, intent.ts_ms)

    def was_unsent(self, intent: Intent) -> bool:
        """Return whether this process tried it, and nothing of its margin move left."""
        return intent.client_id in self._sent_ms and intent.client_id not in self.book.written

    def margin_step(self, symbol: str) -> float:
        """Return the least margin that can be moved, in quote."""
        return self._instruments[symbol].margin_step_quote

    # --- leverage ---------------------------------------------------------------------------------

    async def _set_leverage(self, intent: Intent, action: SetLeverage) -> None:
        """Set position mode, margin mode and leverage where they differ, and read them back."""
        client, dialect, symbol = self._link.client, self._dialect, action.symbol
        now = await self._without_auto_add(symbol, await self._settings(symbol))
        if not now.is_one_way:
            await self._link.write(lambda: dialect.set_one_way(client), Urgency.NORMAL)
        if not now.is_isolated:
            await self._link.write(
                lambda: dialect.set_isolated(client, symbol, action.leverage), Urgency.NORMAL
            )
        if now.leverage != action.leverage:
            await self._link.write(
                lambda: dialect.set_leverage(client, symbol, action.leverage), Urgency.NORMAL
            )
        await self.leverage_set(intent, action)

    async def leverage_set(self, intent: Intent, action: SetLeverage) -> None:
        """Read the settings back and say so. Rejected: they are not what was asked for."""
        now = await self._settings(action.symbol)
        _check_modes(action.symbol, now)
        if now.leverage != action.leverage:
            message = f"asked for {action.leverage}x, the venue says {now.leverage}x"
            raise Rejected("leverage_refused", message)
        self._checked_ms[action.symbol] = self._link.clock.now_ms()
        self.book.asked[action.symbol] = now.leverage
        event = LeverageSet(self.book.handed_ms, action.symbol, intent.client_id, now.leverage)
        self.book.outbox.append(event)

    async def _settings(self, symbol: str, urgency: Urgency = Urgency.NORMAL) -> Settings:
        found = await self._link.read(lambda: self._dialect.settings(self._link.client, symbol), urgency)
        self.book.leverage[symbol] = found.leverage
        self._modes_read_ms[symbol] = self._link.clock.now_ms()
        if found.is_auto_add is None:
            self._told_when_held.add(symbol)
        elif self.book.note_auto_add(symbol, found.is_auto_add):
            self.book.outbox.append(AutoAddSwitched(self.book.handed_ms, symbol, found.is_auto_add))
        return found

    async def _without_auto_add(self, symbol: str, now: Settings) -> Settings:
        """The venue's own margin moves would fight ours: switch them off before an entry, where one can."""
        if not now.is_auto_add:
            return now
        client, dialect = self._link.client, self._dialect
        await self._link.write(lambda: dialect.stop_auto_add(client, symbol), Urgency.NORMAL)
        return await self._settings(symbol)

    # --- orders -----------------------------------------------------------------------------------

    async def _open_position(self, intent: Intent, action: OpenPosition) -> None:
        await self._check_isolated(action.symbol)
        if action.symbol in self._told_when_held:
            self._entered.add(action.symbol)
        await self.orders.open_position(intent, action)

    async def _check_isolated(self, symbol: str) -> None:
        """An entry into a cross or hedged symbol would risk the whole account: refuse it unsent."""
        now_ms = self._link.clock.now_ms()
        if now_ms - self._checked_ms.get(symbol, 0) < _MODES_HOLD_MS:
            return
        now = await self._without_auto_add(symbol, await self._settings(symbol))
        _check_modes(symbol, now)
        asked = self.book.asked.get(symbol, 0)
        if now.leverage == 0 and asked > 0:
            # The venue keeps none (KuCoin), and a new process has forgotten what its orders must say.
            client, dialect = self._link.client, self._dialect
            await self._link.write(lambda: dialect.set_leverage(client, symbol, asked), Urgency.NORMAL)
            self.book.leverage[symbol] = asked
        self._checked_ms[symbol] = now_ms

    # --- margin -----------------------------------------------------------------------------------

    async def _move_margin(self, intent: Intent, action: AddMargin | ReleaseMargin) -> None:
        """Move the difference between the target and what is read; read again."""
        symbol = action.symbol
        urgency = Urgency.URGENT if isinstance(action, AddMargin) else Urgency.NORMAL
        if not 0.0 < action.target_wallet < float("inf"):
            message = f"target wallet must be a positive number, not {action.target_wallet}"
            raise Rejected("not_finite", message)
        if self.book.doubts.get(symbol, intent.client_id) != intent.client_id:
            raise Rejected("unavailable", f"the last margin move of {symbol} does not show yet")
        held = await self.sweeper.observer.position(symbol, urgency)
        if held is None:
            raise Rejected("no_position", f"there is no position in {symbol}")
        unshown = await self.sweeper.observer.unshown_quote(held, urgency)
        amount = self.margin_amount(action, paid_up(action, held, unshown))
        if amount == 0.0:
            verb = "add" if isinstance(action, AddMargin) else "release"
            wallet = held.isolated_wallet
            raise Rejected("below_minimum", f"nothing to {verb}: the wallet is {wallet:.8f} already")
        client = self._link.client
        self.book.version += 1
        self.book.written.add(intent.client_id)
        self.book.wanted[intent.client_id] = amount
        await self._link.write(
            lambda: self._dialect.move_margin(client, symbol, held.side, amount, intent.client_id), urgency
        )
        self.book.acknowledged[intent.client_id] = amount
        await self.sweeper.sweep(symbol, urgency, Move(intent.client_id, amount))
        if intent.client_id not in self.book.reported:
            raise OutcomeUnknown(f"margin of {symbol} was moved, and the position does not show it yet")

    def margin_amount(self, action: AddMargin | ReleaseMargin, held: Position) -> float:
        """Return what reaches the target: added > 0, released < 0; 0.0 if it is reached."""
        return margin_amount(action, held, self._instruments[action.symbol])

    # --- refusals ---------------------------------------------------------------------------------

    async def _refused(self, intent: Intent, code: str, message: str) -> None:
        """Say the refusal after what the account shows: there may be no position any more."""
        symbol = intent.action.symbol
        if code in ("reduce_only", "no_position", "unknown_order", "in_liquidation", "beyond_removable"):
            await self.sweeper.sweep(symbol, Urgency.NORMAL)
        if code in _OF_STALE_RULES and not isinstance(intent.action, AddMargin | ReleaseMargin):
            self._freshness.suspect(symbol)
        if code == "reduce_only" and symbol not in self.book.positions:
            code = "no_position"
        self.book.outbox.append(Refused(self.book.handed_ms, symbol, intent.client_id, code, message))

    # --- start ------------------------------------------------------------------------------------

    async def _start(self) -> None:
        if not self._instruments:
            await self.instruments()
        fresh = [each for each in self._symbols if each not in self.book.trades]
        if fresh or not self.book.is_started:
            await self.sweeper.start(fresh if self.book.is_started else self._symbols)

    def _with_birth(self, position: Position) -> Position:
        known = self.book.positions.get(position.symbol)
        return position if known is None else position._replace(opened_ms=known.opened_ms)


def _check_modes(symbol: str, now: Settings) -> None:
    """Raise Rejected for a symbol that is not the bot's alone to move margin in."""
    if not (now.is_isolated and now.is_one_way):
        raise Rejected("margin_mode_refused", f"{symbol} is not isolated in one-way mode: {now}")
    if now.is_auto_add:
        raise Rejected("margin_mode_refused", f"auto-add-margin stays on for {symbol}: switch it off there")
