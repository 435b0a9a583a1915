"""Whether a venue, a key and an account are fit to be traded on: facts, verdicts, next steps.

One reducing stop far from the market is sent where the symbol is in isolated one-way mode. With a position it
rests and is cancelled at once; without one venues refuse it. Nothing else is changed, unless a proof is asked
for: then a flat symbol is set to isolated one-way mode, and where the stop is refused a conditional order of
the least size takes its place.
"""

from collections.abc import AsyncIterator, Sequence
from operator import attrgetter
from typing import Final, Literal, NamedTuple

from bot.core.instrument import Instrument
from bot.core.position import Position, side_name
from bot.core.tiers import Tiers
from bot.errors import Fatal, Rejected, RingfenceError, Unavailable, UserError
from bot.exchange.dialect import AccountDialect
from bot.exchange.fate import RECEIVE_WINDOW_MS
from bot.exchange.hosts import Access
from bot.exchange.key_faults import short_fault
from bot.exchange.lane import Urgency
from bot.exchange.link import Link
from bot.exchange.own_machine import unserved
from bot.exchange.rights import Rights, rights_of
from bot.exchange.rows import Settings
from bot.exchange.symbols import symbol_fault
from bot.exchange.trial_stop import try_entry, try_stop
from bot.exchange.venue_words import venue_words
from bot.exchange.venues import Venue

Verdict = Literal["ok", "note", "wrong"]

_TOLERABLE_SKEW_MS: Final = 1_000
_CLOCK_READINGS: Final = 3  # the first one opens the connection as well; the quickest is the surest


class Line(NamedTuple):
    """`verdict`: "ok", "note" (worth knowing), "wrong" (trading would fail or be unsafe)."""

    verdict: Verdict
    check: str
    fact: str
    next_step: str


class _Skew(NamedTuple):
    """How far this clock is ahead of the exchange's, give or take half a round trip and a millisecond."""

    ms: int
    uncertainty_ms: int


_UNCERTAINTY: Final = attrgetter("uncertainty_ms")


class Proof(NamedTuple):
    """Whether a stop is to be proved at any account. `command`: what asks for it, for the next step."""

    is_wanted: bool
    command: str


class Examination:
    """Asks a venue through a link; `lines` ends early where going on would only repeat the failure."""

    def __init__(
        self,
        link: Link,
        venue: Venue,
        dialect: AccountDialect,
        access: Access,
        symbols: Sequence[str],
        proof: Proof,
    ) -> None:
        self._proof = proof
        self._link, self._venue, self._dialect = link, venue, dialect
        self._access, self._symbols = access, tuple(symbols)
        self._instruments: dict[str, Instrument] = {}
        self._held: tuple[Position, ...] = ()
        self._modes: dict[str, str] = {}

    async def lines(self) -> AsyncIterator[Line]:
        """Yield one line per check."""
        yield self._place()
        for part in (self._clock, self._key, self._markets, self._account, self._positions, self._stop):
            is_wrong = False
            async for line in part():
                is_wrong = is_wrong or line.verdict == "wrong"
                yield line
            if is_wrong:
                return

    def _place(self) -> Line:
        environment = self._access.environment
        where = self._access.base_url if environment == "loopback" else f"its {environment} environment"
        return Line("ok", "venue", f"{self._venue.title}, {where}", "")

    # --- reach and clock --------------------------------------------------------------------------

    async def _clock(self) -> AsyncIterator[Line]:
        client = self._link.client
        try:
            skew = min([await self._skew() for _ in range(_CLOCK_READINGS)], key=_UNCERTAINTY)
        except RingfenceError as error:
            fact, step = unserved(self._venue, self._access, str(error))
            yield Line("wrong", "reach", fact or f"no answer: {_said(error)}", step or "Check the network.")
            return
        yield _skew_line(skew)
        if abs(skew.ms) > _TOLERABLE_SKEW_MS:
            await self._link.read(client.load_time_difference, Urgency.NORMAL)

    async def _skew(self) -> "_Skew":
        """Return one reading: the exchange read its clock some time between request and reply."""
        clock = self._link.clock
        before_ms = clock.now_ms()
        venue_ms = await self._link.read(self._link.client.fetch_time, Urgency.NORMAL)
        after_ms = clock.now_ms()
        return _Skew(round((before_ms + after_ms) / 2.0 - venue_ms), (after_ms - before_ms + 1) // 2 + 1)

    # --- key --------------------------------------------------------------------------------------

    async def _key(self) -> AsyncIterator[Line]:
        client = self._link.client
        try:
            rights = await self._link.read(
                lambda: rights_of(client, self._venue.ccxt_id, self._access), Urgency.NORMAL
            )
        except Fatal as error:
            yield Line("wrong", "key", short_fault(str(error)), self._other_key())
            return
        except RingfenceError as error:
            yield Line(
                "wrong", "key", f"the exchange did not say what the key may do: {_said(error)}", _AGAIN
            )
            return
        for line in _rights_lines(rights):
            yield line

    def _other_key(self) -> str:
        kind = {"testnet": "a key of the test environment", "live": "a live key", "loopback": "its own key"}
        parts = "key, secret and passphrase" if "password" in self._venue.credentials else "key and secret"
        return (
            f"Check {parts}, that the key has not expired, that this machine's address is on its "
            f"list, and that it is {kind[self._access.environment]}."
        )

    # --- markets ----------------------------------------------------------------------------------

    async def _markets(self) -> AsyncIterator[Line]:
        client = self._link.client
        try:
            await self._link.read(lambda: self._dialect.instruments(client, ()), Urgency.NORMAL)
            faults = [fault for symbol in self._symbols if (fault := symbol_fault(symbol, client.markets))]
            for fault in faults:
                yield Line("wrong", "symbol", fault.fact, fault.next_step)
            if faults:
                return
            self._instruments = await self._link.read(
                lambda: self._dialect.instruments(client, self._symbols), Urgency.NORMAL
            )
        except RingfenceError as error:
            yield Line("wrong", "markets", f"markets or tiers are not readable: {_said(error)}", _AGAIN)
            return
        for instrument in self._instruments.values():
            yield Line("ok", "tiers", f"{instrument.symbol}: {_tiers_text(instrument.tiers)}", "")
            yield Line("ok", "sizes", f"{instrument.symbol}: {_sizes_text(instrument)}", "")

    # --- account ----------------------------------------------------------------------------------

    async def _account(self) -> AsyncIterator[Line]:
        client, dialect = self._link.client, self._dialect
        try:
            money = await self._link.read(lambda: dialect.money(client), Urgency.NORMAL)
            fact = f"{money.free_quote:,.2f} free of {money.wallet_quote:,.2f}"
            is_empty = money.free_quote <= 0.0
            yield Line("note" if is_empty else "ok", "funds", fact, _FUND if is_empty else "")
            for symbol in self._symbols:
                now = await self._link.read(lambda key=symbol: dialect.settings(client, key), Urgency.NORMAL)
                mode = self._modes[symbol] = _unfit_mode(now)
                fact = f"{symbol}: {mode or 'isolated, one-way'}, {now.leverage}x"
                yield Line("note" if mode else "ok", "modes", fact, _MODES if mode else "")
                if now.is_auto_add:
                    fact = (
                        f"{symbol}: the exchange's own auto-add-margin is on, and would fight the bot's moves"
                    )
                    yield Line("wrong", "auto-add", fact, _AUTO_ADD)
        except RingfenceError as error:
            yield Line("wrong", "account", f"the account is not readable: {_said(error)}", _AGAIN)

    async def _positions(self) -> AsyncIterator[Line]:
        client, dialect = self._link.client, self._dialect
        try:
            self._held = await self._link.read(lambda: dialect.positions(client, {}), Urgency.NORMAL)
        except UserError as error:
            fact, _, step = str(error).rpartition(". ")
            yield Line("wrong", "positions", f"{fact}.", step)
            return
        except RingfenceError as error:
            yield Line("wrong", "positions", f"positions are not readable: {_said(error)}", _AGAIN)
            return
        if not self._held:
            yield Line("ok", "positions", "none is open", "")
            return
        for each in self._held:
            if self._modes.get(each.symbol):
                fact = f"{each.symbol} has an open position in {self._modes[each.symbol]}"
                yield Line("wrong", "positions", fact, _CLOSE)
                return
        names = ", ".join(f"{each.symbol} {side_name(each.side)} {each.quantity:g}" for each in self._held)
        yield Line("note", "positions", f"open: {names}", _FOREIGN)

    # --- a stop -----------------------------------------------------------------------------------

    async def _stop(self) -> AsyncIterator[Line]:
        held = next((each for each in self._held if each.symbol in self._instruments), None)
        symbol = self._symbols[0] if held is None else held.symbol
        if self._modes[symbol] and not self._proof.is_wanted:
            fact = f"none was sent: {symbol} is in {self._modes[symbol]}; whether stops work is not proved"
            yield Line("note", "stop", fact, self._to_prove())
            return
        try:
            if self._modes[symbol]:
                yield await self._set_modes(symbol)
            async for line in self._tried(symbol, held):
                yield line
        except Rejected as refusal:
            code, message = refusal.args
            yield Line("wrong", "stop", f"a far stop was refused ({code}): {venue_words(message)}", _STOP)
        except (Fatal, Unavailable) as error:
            yield Line("wrong", "stop", f"a far stop could not be tried: {_said(error)}", _STOP)
        except RingfenceError as error:
            yield Line("wrong", "stop", f"what became of a far stop is not known: {_said(error)}", _LEFT)

    async def _tried(self, symbol: str, held: Position | None) -> AsyncIterator[Line]:
        instrument = self._instruments[symbol]
        try:
            yield Line("ok", "stop", await try_stop(self._link, self._dialect, instrument, held), "")
        except Rejected as refusal:
            code, message = refusal.args
            if held is not None or code not in ("no_position", "reduce_only"):
                raise
            if self._proof.is_wanted:
                fact = await try_entry(self._link, self._dialect, instrument)
                yield Line("ok", "stop", fact, "")
            else:
                yield Line("note", "stop", f"{symbol}: {_PROVED} ({venue_words(message)})", self._to_prove())

    async def _set_modes(self, symbol: str) -> Line:
        """Set isolated one-way mode and read it back. Rejected: it is not what was asked for."""
        client, dialect, link = self._link.client, self._dialect, self._link
        now = await link.read(lambda: dialect.settings(client, symbol), Urgency.NORMAL)
        if not now.is_one_way:
            await link.write(lambda: dialect.set_one_way(client), Urgency.NORMAL)
        if not now.is_isolated:
            leverage = max(now.leverage, 1)
            await link.write(lambda: dialect.set_isolated(client, symbol, leverage), Urgency.NORMAL)
        now = await link.read(lambda: dialect.settings(client, symbol), Urgency.NORMAL)
        if (mode := _unfit_mode(now)) != "":
            raise Rejected("margin_mode_refused", f"{symbol} is in {mode} still")
        return Line("ok", "modes", f"{symbol}: isolated one-way mode was set, and stays so", "")

    def _to_prove(self) -> str:
        return f"See one rest and go: {self._proof.command}"


_AGAIN: Final = "Run doctor again; if it stays, look at the exchange's status page."
_FUND: Final = "Move funds to the futures account before trading."
_MODES: Final = "The bot sets isolated one-way mode before an entry; that needs no open position or order."
_AUTO_ADD: Final = "Switch it off at the exchange: nothing is entered in the symbol while it is on."
_CLOSE: Final = "Close it at the exchange, or leave the symbol out of feed.symbols."
_FOREIGN: Final = "The bot halts entries until positions that its database did not open are closed."
_PROVED: Final = (
    "a far reducing stop was sent and refused because no position is open: that it is signed and read as an "
    "order is proved, that one rests and can be cancelled is not"
)
_STOP: Final = "Do not trade here before this is solved: a position could not be protected."
_LEFT: Final = "Look for a resting stop of an id that begins with DR and cancel it by hand."


def _unfit_mode(now: Settings) -> str:
    """Return what is not as the bot trades; "" when all is."""
    unfit = ["cross margin"] * (not now.is_isolated) + ["hedge mode"] * (not now.is_one_way)
    return " and ".join(unfit)


def _skew_line(skew: _Skew) -> Line:
    skew_ms, within = skew.ms, f"{skew.uncertainty_ms} ms"
    way = "ahead of" if skew_ms > 0 else "behind"
    fact = f"this clock is {abs(skew_ms)} ms {way} the exchange's, give or take {within}"
    if abs(skew_ms) <= skew.uncertainty_ms:
        return Line("ok", "clock", f"this clock and the exchange's agree to within {within}", "")
    if abs(skew_ms) <= _TOLERABLE_SKEW_MS:
        return Line("ok", "clock", fact, "")
    if abs(skew_ms) <= RECEIVE_WINDOW_MS:
        return Line("note", "clock", fact, "The bot corrects it; synchronise the clock (NTP) anyway.")
    step = "Synchronise the clock (NTP): requests signed on it are refused as too old or too new."
    return Line("wrong", "clock", fact, step)


def _rights_lines(rights: Rights) -> list[Line]:
    if rights.may_withdraw:
        fact = "the key may withdraw: whoever gets it gets the money"
        return [Line("wrong", "key", fact, "Make a key without withdrawals and delete this one.")]
    if rights.may_trade is False:
        return [Line("wrong", "key", "the key may read only", "Allow futures trading for the key.")]
    if rights.may_withdraw is None:
        fact = "the key is accepted; the exchange does not tell here whether it may withdraw"
        return [Line("note", "key", fact, "See on the exchange's key page that withdrawals are off.")]
    lines = [Line("ok", "key", "the key may trade and may not withdraw", "")]
    if rights.is_bound is False:
        step = "Bind the key to this machine's address on the exchange's key page."
        lines.append(Line("note", "key", "the key is accepted from any address", step))
    return lines


def _tiers_text(tiers: Tiers) -> str:
    count, cap = len(tiers.max_leverage), float(tiers.notional_cap[0])
    rate = 100.0 * float(tiers.maintenance_margin_rate[0])
    word = "tier" if count == 1 else "tiers"
    return f"{count} {word}, up to {tiers.max_leverage[0]:g}x, maintenance {rate:g} % up to {cap:,.0f}"


def _sizes_text(instrument: Instrument) -> str:
    least = f"{instrument.min_quantity:g}"
    if instrument.min_notional_quote > 0.0:
        least += f" and {instrument.min_notional_quote:g} quote"
    return f"at least {least}, step {instrument.quantity_step:g}, tick {instrument.tick_size:g}"


def _said(error: Exception) -> str:
    return venue_words(str(error.args[-1]) if error.args else str(error))
