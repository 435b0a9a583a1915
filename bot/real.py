"""The edges of testnet and live trading: an account at an exchange, reached through ccxt."""

import secrets
from collections.abc import Sequence
from typing import Final

from bot import logs
from bot.clock import WallClock
from bot.edges import Edges
from bot.errors import Fatal, Rejected, RingfenceError, UserError
from bot.exchange.connect import Connection, Credentials, connect, venue_of
from bot.exchange.dialect import profile_of
from bot.exchange.hosts import Access, Environment
from bot.exchange.lane import Urgency
from bot.exchange.own_machine import check_served, unserved
from bot.exchange.rights import Rights, rights_of
from bot.exchange.symbols import symbol_fault
from bot.installed import check_ccxt, foreign_start_files
from bot.settings import Settings
from bot.settings.sources import SECRETS_VARIABLE, secret_variables
from bot.settings.values import plain

_PREFIX: Final = {"testnet": "RFT", "live": "RFL"}
_EPOCH_BYTES: Final = 3
_DAY_MS: Final = 86_400_000
_OLD_KEY_DAYS: Final = 180


async def real_edges(settings: Settings, step_ms: int) -> Edges:
    """Return the edges of a session on the exchange of the settings, after it answered.

    UserError: keys, symbols or an account that cannot be used, or an exchange that cannot be reached.
    """
    leave_no_core()
    exchange = settings.exchange
    if settings.run.mode == "live":
        check_ccxt()
    check_served(venue_of(exchange.name), access(settings))
    connection = connect(
        exchange.name,
        access(settings),
        credentials(settings),
        settings.feed.symbols,
        WallClock(),
        exchange.weight_per_minute,
    )
    connection.link.is_starting = True
    connection.link.hindrances.listen(logs.logger().warning)
    try:
        return await _met(connection, settings, step_ms)
    except BaseException:
        await connection.close()
        raise


async def _met(connection: Connection, settings: Settings, step_ms: int) -> Edges:
    gateway, mode = connection.gateway, settings.run.mode
    try:
        rights = await _check_rights(connection, access(settings))
        instruments = await gateway.instruments()
    except UserError:
        raise
    except Fatal as error:
        raise UserError(
            f"{connection.venue.title} cannot be used: {str(error).rstrip('.')}. Nothing was started; start "
            "again when that is done."
        ) from error
    except Rejected as refusal:
        raise _symbols_refused(connection, settings.feed.symbols, refusal) from refusal
    except RingfenceError as error:
        fact, step = unserved(connection.venue, access(settings), str(error))
        step = step or "Check the keys, the network and the exchange's status page."
        raise UserError(
            f"{connection.venue.title} cannot be used: {fact or error}. Nothing was started. {step} Then "
            "start again."
        ) from error
    return Edges(
        instruments=dict(instruments),
        profiles={key: profile_of(gateway.dialect, each) for key, each in instruments.items()},
        exchange=gateway,
        feed=connection.feed(step_ms),
        snapshot=gateway.snapshot,
        restore=gateway.restore,
        conservation_error=_not_ours,
        venue_name=f"{settings.exchange.name}{' on this machine' if settings.exchange.base_url else ''}",
        mode=mode,
        prefix=_PREFIX[mode],
        start_ms=0,
        epoch=secrets.token_hex(_EPOCH_BYTES),
        inherit=gateway.book.inherit,
        missed=gateway.catch_up,
        leave=connection.close,
        silence_ms=settings.feed.silence_ms,
        read_ms=lambda symbol: gateway.book.read_ms.get(symbol, 0),
        covered_ms=lambda symbol: gateway.book.covered_ms.get(symbol, 0),
        notices=() if settings.exchange.base_url else _notices(rights, connection, mode),
    )


def leave_no_core() -> None:
    """Have the system write no core file when this process crashes: its memory holds the keys."""
    try:
        import resource  # noqa: PLC0415  absent on Windows, which writes none by itself
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _notices(rights: Rights, connection: Connection, mode: str) -> tuple[str, ...]:
    of_key = key_notices(rights, connection.venue.title, connection.link.clock.now_ms())
    return (*of_key, *start_file_notices()) if mode == "live" else of_key


def start_file_notices() -> tuple[str, ...]:
    """Return a sentence on each file that every Python runs here and that we did not bring."""
    return tuple(f"{each.words}. If you do not know it, remove it." for each in foreign_start_files())


def key_notices(rights: Rights, title: str, now_ms: int) -> tuple[str, ...]:
    """Return what is legal and unwise about the key and where it stands."""
    notices = []
    days = (now_ms - rights.made_ms) // _DAY_MS
    if rights.made_ms and days >= _OLD_KEY_DAYS:
        notices.append(
            f"The API key is {days} days old. Make a new one at {title} twice a year, and delete this one."
        )
    if rights.is_bound is False:
        notices.append(
            "The API key works from any address: whoever gets it can trade. "
            f"Bind it to this machine's at {title}."
        )
    variables = secret_variables()
    if variables:
        notices.append(
            f"Keys stand in the environment ({', '.join(variables)}), which every program started from here "
            f"inherits. Files in a folder named by {SECRETS_VARIABLE} are safer."
        )
    return tuple(notices)


async def _check_rights(connection: Connection, where: Access) -> Rights:
    """Return the rights when the key is one for a bot. UserError: it may withdraw, or it may not trade."""
    client, venue = connection.link.client, connection.venue
    rights = await connection.link.read(lambda: rights_of(client, venue.ccxt_id, where), Urgency.NORMAL)
    if rights.may_withdraw:
        raise UserError(
            f"The API key may withdraw from {venue.title}. Whoever steals it from a bot empties the account. "
            "Nothing was started. Make a key that may trade futures and nothing else."
        )
    if rights.may_trade is False:
        raise UserError(
            f"The API key may only read at {venue.title}, so that no stop could be placed. Nothing was "
            "started. Allow it to trade futures; leave withdrawals off."
        )
    return rights


def _symbols_refused(connection: Connection, symbols: Sequence[str], refusal: Rejected) -> UserError:
    """Return what is wrong with the first symbol that is none of the exchange's linear perpetuals."""
    title, markets = connection.venue.title, connection.link.client.markets or {}
    faults = (symbol_fault(symbol, markets) for symbol in symbols)
    fault = next((each for each in faults if each is not None), None)
    if fault is None:
        return UserError(f"{title} refuses: {refusal.args[-1]}. Nothing was started. Correct feed.symbols.")
    return UserError(f"{fault.fact} ({title}). Nothing was started. {fault.next_step}")


def access(settings: Settings) -> Access:
    """Return which hosts may be asked: production only in live mode."""
    environment: Environment = "live" if settings.run.mode == "live" else "testnet"
    if settings.exchange.base_url:
        environment = "loopback"
    return Access(environment, settings.exchange.base_url, settings.exchange.proxy)


def credentials(settings: Settings) -> Credentials:
    """Return the keys of the settings."""
    exchange = settings.exchange
    return Credentials(
        plain(exchange.api_key),
        plain(exchange.secret),
        plain(exchange.password),
        exchange.wallet_address,
        plain(exchange.private_key),
    )


def _not_ours() -> float:
    return 0.0
