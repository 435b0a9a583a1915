"""A person's orders about one position, from outside the bot: previewed, given, and how they ended.

The view is that of the last commit, judged by the settings that the bot runs with; the bot decides anew by
what it knows then.
"""

import os
from pathlib import Path
from typing import Any, NamedTuple

from bot.clock import WallClock
from bot.engine import by_hand
from bot.engine.errand import Errand
from bot.engine.state import Holding, Market, State
from bot.errors import UserError
from bot.liveness import is_locked
from bot.outlook import last_state
from bot.ports import Command
from bot.risk.by_hand import Preview, Wish
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.manager import RiskManager
from bot.risk.policies import POLICIES
from bot.store.commands import CommandFiles
from bot.store.location import existing_file
from bot.store.queries import run_config, status
from bot.store.reader import open_reader


class Seen(NamedTuple):
    """One open position and what a wish would come to. `mode`: "paper", "testnet" or "live".

    `may_be_unattended`: the bot's settings let a script order it with real money.
    """

    mode: str
    may_be_unattended: bool
    symbol: str
    position_id: int
    side: int
    quantity: float
    tick_size: float
    preview: Preview


def look(path: Path, name: str, wish: Wish) -> Seen:
    """Return what a wish about a position would come to. `name`: its symbol, or its coin if one is open.

    UserError: no database, no such position, or the wish would be refused as things stand.
    """
    state = last_state(path)
    market, holding = held(state, name)
    with open_reader(path) as reader:
        mode, config = status(reader).mode, run_config(reader)
    symbol = market.instrument.symbol
    preview = by_hand.preview(state, risk_of(config), symbol, wish)
    if preview.refusal:
        raise UserError(f"{preview.refusal} Nothing was ordered.")
    position = holding.position
    tick_size = market.instrument.tick_size
    may_be_unattended = allows_unattended_orders(config)
    return Seen(
        *(mode, may_be_unattended, symbol, holding.position_id),
        *(position.side, position.quantity, tick_size, preview),
    )


def allows_unattended_orders(config: dict[str, Any]) -> bool:
    """Return whether the settings that a run keeps let real money be moved with nobody at the terminal."""
    return config["exchange"].get("allow_unattended_orders") is True  # a run of before the setting: no


def risk_of(config: dict[str, Any]) -> RiskManager:
    """Return what decides about margin under the settings that a run keeps (`settings.effective`)."""
    margin = config["margin"]
    policy = POLICIES[margin["policy"]]
    known, limits = margin["params"].get(policy.name, {}), margin["limits"]
    return RiskManager(
        policy.name,
        policy.params_type(**known),
        MarginLimits(**{name: limits[name] for name in MarginLimits._fields if name in limits}),
        EntryLimits(),
        BracketLimits(),
    )


def give(path: Path, symbol: str, wish: Wish, position_id: int) -> str:
    """Leave the order for the running bot and return its id. UserError: no bot runs, or no file is left."""
    command_id = f"{WallClock().now_ms():015d}-{os.getpid()}"
    about = (symbol, wish.amount_quote, wish.fraction, position_id)
    hand_over(path, Command(command_id, wish.verb, "", "", *about))
    return command_id


def hand_over(path: Path, command: Command) -> None:
    """Leave an order that has its id already. UserError: no bot runs, or no file is left."""
    if not is_locked(existing_file(path)):
        raise UserError(
            f"No bot is running on {path}, and orders about a position are not kept for later: prices move "
            "on. Nothing was ordered. Start the bot with `ringfence trade`, or do it at the exchange."
        )
    CommandFiles(existing_file(path)).send(command)


def withdraw(path: Path, command_id: str) -> None:
    """Take back an order that no bot has taken; one that was taken is carried out all the same."""
    CommandFiles(existing_file(path)).done(command_id)


def is_taken(path: Path, command_id: str) -> bool:
    """Return whether the bot has the order in its database."""
    return not CommandFiles(existing_file(path)).is_waiting(command_id)


def outcome(path: Path, command_id: str) -> Errand | None:
    """Return how far an order is, None for one that no bot has taken, or that is long past."""
    errands = last_state(path).errands
    return next((errand for errand in errands if errand.command_id == command_id), None)


def held(state: State, name: str) -> tuple[Market, Holding]:
    """Return the open position of a symbol, or of a coin if one is open. UserError: there is none."""
    open_ones = {market.instrument.symbol: market for market in state.markets.values() if market.holding}
    wanted = name.upper()
    found = [symbol for symbol in open_ones if wanted in (symbol.upper(), symbol.partition("/")[0].upper())]
    if len(found) == 1:
        market = open_ones[found[0]]
        assert market.holding is not None
        return market, market.holding
    known = f"Open are: {', '.join(open_ones)}." if open_ones else "Nothing is open."
    which = "is not unique" if found else "is no open position of this bot"
    raise UserError(f'"{name}" {which}. {known} Nothing was ordered.')
