"""The edges of paper trading: an invented or recorded market, played through the simulated venue."""

from collections.abc import Mapping
from typing import Final

from bot.clock import WallClock
from bot.core.instrument import Instrument
from bot.core.profile import VenueProfile, venue_profile
from bot.edges import Edges
from bot.errors import UserError
from bot.settings import Settings
from bot.sim.config import VenueConfig
from bot.sim.embedded import instrument_for
from bot.sim.feed import VenueFeed
from bot.sim.market import ORIGIN_MS, SyntheticMarket
from bot.sim.replay import ReplayMarket
from bot.sim.source import MarketSource
from bot.sim.venue import SimulatedVenue

CLIENT_ID_PREFIX: Final = "RFP"


def paper_edges(settings: Settings, step_ms: int) -> Edges:
    """Return the edges of a paper session on candles of `step_ms`.

    UserError: an instrument that is not known, or data that cannot be used.
    """
    instruments = {symbol: instrument_for(symbol) for symbol in settings.feed.symbols}
    profile = venue_profile(settings.venue.profile, 0.0)
    venue = simulated_venue(settings, instruments, profile)
    source, played, notices, start_ms = _source(settings, step_ms, venue)
    return Edges(
        instruments=instruments,
        profiles=venue.profiles,
        exchange=venue,
        feed=VenueFeed(source, venue, WallClock(), settings.run.speed),
        snapshot=venue.snapshot,
        restore=venue.restore,
        conservation_error=venue.conservation_error,
        venue_name=f"simulated {settings.venue.profile}",
        mode="paper",
        prefix=CLIENT_ID_PREFIX,
        start_ms=start_ms,
        played=played,
        notices=notices,
    )


def simulated_venue(
    settings: Settings, instruments: Mapping[str, Instrument], profile: VenueProfile
) -> SimulatedVenue:
    """Return the venue of the settings, empty but for the deposit."""
    chosen = settings.venue
    config = VenueConfig(
        half_spread_fraction=chosen.half_spread_fraction,
        impact_fraction=chosen.impact_fraction,
        depth_quote=dict.fromkeys(instruments, chosen.depth_quote),
        latency_ms=chosen.latency_ms,
        latency_jitter_ms=chosen.latency_jitter_ms,
        seed=settings.run.seed,
    )
    return SimulatedVenue(instruments, profile, config, chosen.deposit_quote)


def _source(
    settings: Settings, step_ms: int, venue: SimulatedVenue
) -> tuple[MarketSource, str, tuple[str, ...], int]:
    """Return the source, what it plays in words, what its user should know, and when it begins."""
    feed = settings.feed
    if feed.kind == "synthetic":
        source = SyntheticMarket(settings.run.seed, feed.symbols, step_ms, feed.tick_ms)
        return source, "", (), ORIGIN_MS
    if feed.data is None:
        raise UserError("A replay needs candles: name their folder with --data (feed.data).")
    from bot.backtest.history import load_history  # noqa: PLC0415  polars is needed by replays only

    history = load_history(feed.data, feed.symbols, feed.timerange, step_ms, allow_gaps=feed.allow_gaps)
    source = ReplayMarket(history, step_ms, venue.position_side)
    return source, history.played, history.notices, history.start_ms
