"""The edges of paper trading on the prices of this moment: public streams of an exchange, money of nobody.

The simulated venue follows the exchange's own margin rules and instruments, as far as they are told without
a key.
"""

from typing import Final

from bot import logs
from bot.clock import WallClock
from bot.core.instrument import Instrument
from bot.edges import Edges
from bot.errors import RingfenceError, UserError
from bot.exchange.connect import public_feed_of, venue_of
from bot.exchange.hosts import Access
from bot.exchange.link import Link
from bot.exchange.own_machine import check_served, unserved
from bot.exchange.public_feed import PublicFeed
from bot.exchange.venues import Venue
from bot.identity import live_exchange
from bot.paper import CLIENT_ID_PREFIX, simulated_venue
from bot.settings import Settings
from bot.sim.embedded import SYMBOLS, instrument_for
from bot.sim.present import PresentFeed


async def present_edges(settings: Settings, step_ms: int) -> Edges:
    """Return the edges of a paper session on live prices, after the exchange answered.

    UserError: an exchange or symbol that cannot be used, or an exchange that cannot be reached.
    """
    exchange = settings.exchange
    access = Access("loopback" if exchange.base_url else "live", exchange.base_url, exchange.proxy)
    symbols = settings.feed.symbols
    check_served(venue_of(live_exchange(settings)), access)
    venue, link, market = public_feed_of(live_exchange(settings), access, symbols, step_ms, WallClock())
    link.hindrances.listen(logs.logger().warning)
    try:
        return await _met(settings, venue, access, link, market)
    except BaseException:
        await link.client.close()
        raise


async def _met(settings: Settings, venue: Venue, access: Access, link: Link, market: PublicFeed) -> Edges:
    try:
        instruments = await market.meet(_shipped)
    except UserError:
        raise
    except RingfenceError as error:
        fact, step = unserved(venue, access, str(error))
        if step:
            raise UserError(
                f"The prices of {venue.title} cannot be read: {fact}. Nothing was started. {step} Then start "
                "again."
            ) from error
        raise UserError(
            f"The prices of {venue.title} cannot be read: {error}. Nothing was started. Check the network "
            "and the exchange's status page and start again, or trade on paper without it: --feed synthetic."
        ) from error
    simulated = simulated_venue(settings, instruments, market.profile)
    market.on_changed = simulated.follow_rules
    feed = PresentFeed(market, simulated, settings.feed.symbols, WallClock())
    return Edges(
        instruments=instruments,
        profiles=simulated.profiles,
        exchange=simulated,
        feed=feed,
        snapshot=simulated.snapshot,
        restore=simulated.restore,
        conservation_error=simulated.conservation_error,
        venue_name=f"simulated {venue.ccxt_id}",
        mode="paper",
        prefix=CLIENT_ID_PREFIX,
        start_ms=0,
        notices=(_ASSUMED.format(venue.title, venue.without_key),),
        missed=feed.missed,
        leave=link.client.close,
    )


_ASSUMED: Final = (
    "Paper money on live prices of {}, which is asked without keys and is sent no order; assumed: {}."
)


def _shipped(symbol: str) -> Instrument:
    if symbol not in SYMBOLS:
        raise UserError(
            f"The leverage brackets of {symbol} take a key to read, and none are shipped. Without keys "
            f"paper money trades {', '.join(SYMBOLS)} there. Choose among these with --symbols."
        )
    return instrument_for(symbol)
