"""Builds the embedded exchange from settings and runs it until a signal comes."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Final, NamedTuple

from bot.cli.exchange_dialects import SPOKEN, DialectServer, Limits, Spoken
from bot.clock import WallClock
from bot.core.timeframe import MINUTE_MS
from bot.errors import UserError
from bot.settings import Settings
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.market import SyntheticMarket
from bot.sim.replay import ReplayMarket
from bot.sim.server.auth import PAPER_PASSPHRASE, ApiKey
from bot.sim.server.control import Control
from bot.sim.server.exchange import EmbeddedExchange
from bot.sim.server.faults import Faults
from bot.sim.server.pump import Pump
from bot.sim.server.serve import LoopbackServer, bind, server_for
from bot.sim.server.state import StateFile
from bot.sim.source import MarketSource
from bot.sim.venue import SimulatedVenue
from bot.store.lock import DatabaseLock

_REPEAT_SECONDS: Final = 1.0


class Served(NamedTuple):
    """How the exchange is offered."""

    dialect: str
    host: str
    port: int
    state: Path | None
    key: str | None
    has_control: bool
    is_paused: bool
    weight_limit: int
    order_limit: int
    quiet_ms: int = 0


def serve_until_stopped(settings: Settings, served: Served) -> int:
    """Serve; return the exit code. UserError: anything that cannot be served."""
    if served.dialect not in SPOKEN:
        raise UserError(
            f'There is no dialect "{served.dialect}": this exchange speaks {", ".join(SPOKEN)}. '
            "Choose one of them with --dialect."
        )
    spoken = SPOKEN[served.dialect]
    keys = (_key(served.key, spoken),)
    exchange = built(settings, served)
    lock = contextlib.nullcontext() if served.state is None else DatabaseLock(served.state, "--state")
    with lock:
        exchange.open()
        try:
            asyncio.run(_serve(settings, served, exchange, keys))
        finally:
            exchange.close()
    return 0


def built(settings: Settings, served: Served) -> EmbeddedExchange:
    """Return the exchange that the settings describe, not yet opened."""
    feed, chosen, spoken = settings.feed, settings.venue, SPOKEN[served.dialect]
    instruments = {symbol: spoken.terms(instrument_for(symbol)) for symbol in feed.symbols}
    # No latency of its own: here the network is real.
    config = VenueConfig(
        chosen.half_spread_fraction,
        chosen.impact_fraction,
        dict.fromkeys(instruments, chosen.depth_quote),
        seed=settings.run.seed,
    )
    venue = SimulatedVenue(instruments, spoken.profile(0.0), config, chosen.deposit_quote)
    source, base_ms = _source(settings, venue)
    identity = {
        "dialect": served.dialect,
        "feed": feed.kind,
        "symbols": list(feed.symbols),
        "seed": settings.run.seed,
        "data": str(feed.data.resolve()) if feed.data else None,
        "timerange": list(feed.timerange) if feed.timerange else None,
        "deposit": chosen.deposit_quote,
    }
    file = StateFile(served.state, identity)
    return EmbeddedExchange(venue, source, file, base_ms, chosen.deposit_quote)


def _source(settings: Settings, venue: SimulatedVenue) -> tuple[MarketSource, int]:
    feed = settings.feed
    if feed.kind == "synthetic":
        return SyntheticMarket(settings.run.seed, feed.symbols, MINUTE_MS, feed.tick_ms), MINUTE_MS
    if feed.kind == "live":
        raise UserError(
            "An exchange on this machine plays a synthetic market or a replay, not the prices of another "
            "exchange. Give --feed synthetic or --feed replay."
        )
    if feed.data is None:
        raise UserError("A replay needs candles: name their folder with --data (feed.data).")
    from bot.backtest.history import load_history

    history = load_history(
        feed.data, feed.symbols, feed.timerange, 60 * MINUTE_MS, allow_gaps=feed.allow_gaps
    )
    return ReplayMarket(history, history.timeframe_ms, venue.position_side), history.timeframe_ms


def _key(text: str | None, spoken: Spoken) -> ApiKey:
    if text is None:
        return spoken.key
    key, _, secret = text.partition(":")
    passphrase = PAPER_PASSPHRASE
    if spoken.has_passphrase:
        secret, _, passphrase = secret.partition(":")
    if not (key and secret and passphrase):
        form = "KEY:SECRET:PASSPHRASE" if spoken.has_passphrase else "KEY:SECRET"
        raise UserError(
            f"--key (RINGFENCE_EXCHANGE_KEY) lacks a part: {spoken.title}'s keys are {form}, with colons "
            "between. Write it so, or leave it out for the paper key."
        )
    return ApiKey(key, secret, passphrase)


async def _serve(
    settings: Settings, served: Served, exchange: EmbeddedExchange, keys: tuple[ApiKey, ...]
) -> None:
    bound = bind(served.host, served.port)
    clock, faults = WallClock(), Faults()
    limits = Limits(served.weight_limit, served.order_limit)
    dialect = SPOKEN[served.dialect].serve(exchange, clock, keys, limits, faults)
    pump = Pump(exchange, clock, settings.run.speed, served.quiet_ms)
    if served.is_paused:
        pump.pause()
    extra = Control(exchange, pump, faults, dialect).routes() if served.has_control else ()
    server = server_for(dialect.application(*extra))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    if settings.run.for_seconds is not None:
        loop.call_later(settings.run.for_seconds, server.stop)
    _announce(bound.getsockname()[1], served, keys[0])
    playing = asyncio.create_task(pump.run(dialect.hub.most_waiting))
    playing.add_done_callback(lambda task: _end_on_error(task, server))
    repeating = asyncio.create_task(_every_second(dialect, exchange))
    try:
        await server.serve(sockets=[bound])
    finally:
        repeating.cancel()
        playing.cancel()
        await asyncio.wait({playing, repeating})
    if not playing.cancelled() and (error := playing.exception()):
        raise error


def _end_on_error(playing: "asyncio.Task[None]", server: LoopbackServer) -> None:
    """A market that cannot go on (its state cannot be written) ends the exchange."""
    if not playing.cancelled() and playing.exception():
        server.stop()


async def _every_second(dialect: DialectServer, exchange: EmbeddedExchange) -> None:
    """Say the newest prices again when the market has been still for a second."""
    before_ms = -1
    while True:
        await asyncio.sleep(_REPEAT_SECONDS)
        dialect.tick()
        if exchange.market_ms == before_ms:
            dialect.repeat_prices()
        before_ms = exchange.market_ms


def _announce(port: int, served: Served, key: ApiKey) -> None:
    where = f"[{served.host}]:{port}" if ":" in served.host else f"{served.host}:{port}"
    base = f"http://{where}"
    spoken, shown = SPOKEN[served.dialect], f"key {key.key}"
    if served.key is None:
        shown += f", secret {key.secret}"
        shown += f", passphrase {key.passphrase}" if spoken.has_passphrase else ""
    streams = f"ws://{where}{spoken.streams}"
    kept = "in memory only" if served.state is None else f"kept in {served.state}"
    print(
        f"Exchange in {spoken.title}'s dialect on {base} (streams {streams}), {shown}, "
        f"state {kept}. Ctrl-C stops.",
        file=sys.stderr,
        flush=True,
    )
