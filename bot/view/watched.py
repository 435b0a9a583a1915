"""What the makers of pictures need to know of a running bot; bot/app.py provides it."""

from pathlib import Path
from typing import Protocol

from bot.edges import Edges
from bot.engine.engine import Engine
from bot.engine.run import Session
from bot.settings import Settings


class Watched(Protocol):
    """A bot that runs, seen from outside: nobody who holds it this way changes anything."""

    settings: Settings
    engine: Engine
    session: Session
    timeframe_name: str
    edges: Edges
    path: Path

    @property
    def strategy_name(self) -> str:
        """Return the strategy's name as the user gave it."""
        ...
