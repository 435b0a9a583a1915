"""What a proposal is judged by: the state of one instant, and whether that is recent enough."""

from pathlib import Path
from typing import Final, NamedTuple

from bot.core.halt import DISCONNECTED
from bot.core.position import side_name
from bot.engine.state import Market, State
from bot.errors import UserError
from bot.liveness import liveness
from bot.ordering import Seen, held, risk_of
from bot.outlook import last_state
from bot.proposals.limits import judged
from bot.risk.by_hand import Wish
from bot.risk.manager import RiskManager
from bot.store.location import existing_file
from bot.store.proposals import Proposal
from bot.store.queries import run_config, status
from bot.store.reader import open_reader

OLDEST_MS: Final = 30_000  # a running bot commits every second
_LOG: Final = "-wal"


class Ground(NamedTuple):
    """`age_ms`: wall time since the state was true. `mode`: "paper", "testnet" or "live"."""

    mode: str
    state: State
    risk: RiskManager
    max_mark_age_ms: int
    age_ms: int

    def is_blind(self, market: Market) -> bool:
        """Return whether the market's prices are missing, or too old to move margin by."""
        now_ms = self.state.now_ms
        return now_ms < market.gap_until_ms or now_ms - market.mark_ms > self.max_mark_age_ms


def ground_of(path: Path, now_ms: int) -> Ground:
    """Return the state of the last commit. `now_ms`: wall time. UserError: no database, or no session yet."""
    full = existing_file(path)
    age_ms = commit_age_ms(full, now_ms)  # before it is read: what is read is no older
    with open_reader(full) as reader:
        mode, config = status(reader).mode, run_config(reader)
    if not config:
        raise UserError(f"The database {full} holds no session yet. Start one with `ringfence trade`.")
    max_mark_age_ms = config["margin"]["limits"]["max_mark_age_ms"]
    return Ground(mode, last_state(full), risk_of(config), max_mark_age_ms, age_ms)


def commit_age_ms(path: Path, now_ms: int) -> int:
    """Return the wall time since something was written to the database, at least 0."""
    files = (path, path.with_name(path.name + _LOG))
    newest_ms = max(int(file.stat().st_mtime * 1_000) for file in files if file.exists())
    return max(now_ms - newest_ms, 0)


def check_bot(path: Path) -> None:
    """UserError: no bot is alive on the database, so that an order about a position has nobody to do it."""
    alive = liveness(path)
    if not alive.is_alive:
        raise UserError(
            f"{alive.words} What is proposed about a position needs one that runs. Nothing was ordered. "
            "Start it with `ringfence trade`, or look at the exchange."
        )


def seen(ground: Ground, name: str, wish: Wish) -> Seen:
    """Return what a wish about a position would come to now. `name`: its symbol, or its coin.

    UserError: no such position, prices too old, or a limit is against it.
    """
    market, holding = held(ground.state, name)
    symbol, position = market.instrument.symbol, holding.position
    if fault := _staleness(ground, market):
        raise UserError(f"{fault} Nothing was ordered. Look again when prices are back.")
    is_blind = ground.is_blind(market)
    preview = judged(ground.state, ground.risk, symbol, wish, is_blind=is_blind)
    if preview.refusal:
        raise UserError(f"{preview.refusal} Nothing was ordered.")
    about = (symbol, holding.position_id, position.side, position.quantity, market.instrument.tick_size)
    return Seen(ground.mode, False, *about, preview)  # a person is there, or it is not confirmed


def seen_again(ground: Ground, proposal: Proposal) -> Seen:
    """Return what a proposal about a position would come to now, of the position it was made for.

    UserError: another one is open, prices are too old, or a limit is against it.
    """
    found = seen(ground, proposal.symbol, wish_of(proposal))
    if found.position_id != proposal.position_id:
        raise UserError(
            f"It was proposed for position {proposal.position_id}, and {side_name(found.side)} "
            f"{found.quantity:.10g} {found.symbol} is position {found.position_id}. Nothing was ordered. "
            "Decline it."
        )
    return found


def wish_of(proposal: Proposal) -> Wish:
    """Return a proposal about a position as the wish that a person would have."""
    return Wish(proposal.verb, proposal.amount_quote, proposal.fraction)


def _staleness(ground: Ground, market: Market) -> str:
    symbol = market.instrument.symbol
    if ground.age_ms > OLDEST_MS:
        return f"The bot wrote its last figures {ground.age_ms / 1_000:.0f} s ago: they are stale."
    if ground.state.halt_level() == DISCONNECTED:
        return "The bot hears nothing of its market (DISCONNECTED): its figures are stale."
    if ground.is_blind(market):
        age_s = (ground.state.now_ms - market.mark_ms) / 1_000
        return f"The newest mark of {symbol} is stale: {age_s:.0f} s old, or in a gap of the feed."
    return ""
