"""A small market for venue tests: one symbol, prices around 100, round numbers."""

from collections.abc import Callable

import pytest

from bot.core.event import MarkPrice, VenueEvent
from bot.core.instrument import Instrument
from bot.core.intent import Action, Intent
from bot.core.profile import BINANCE_USDM
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.sim.config import VenueConfig
from bot.sim.venue import SimulatedVenue

SYMBOL = "AAA/USDT:USDT"
TIERS = tiers_from_rows(
    [LeverageTier(0.0, 10_000.0, 0.01, 0.0, 50.0), LeverageTier(10_000.0, 1e9, 0.02, 100.0, 10.0)]
)
INSTRUMENT = Instrument(
    SYMBOL, 0.01, 0.1, 0.1, 5.0, 1e-8, 1.0, False, 0.0002, 0.0005, 0.0125, 50.0, 28_800_000, TIERS
)
FREE_TRADING = VenueConfig(half_spread_fraction=0.0, impact_fraction=0.0, depth_quote={SYMBOL: 1e9})


class Bench:
    """A venue with one price already seen, and short ways to drive it."""

    def __init__(
        self,
        config: VenueConfig = FREE_TRADING,
        deposit: float = 10_000.0,
        instrument: Instrument = INSTRUMENT,
    ) -> None:
        self.symbol = SYMBOL
        self.config = config
        self.venue = SimulatedVenue({SYMBOL: instrument}, BINANCE_USDM, config, deposit)
        self.ts_ms = 0
        self.sequence = 0
        self.tick(100.0)

    def tick(self, mark: float, last: float | None = None) -> list[VenueEvent]:
        """Move one second on."""
        self.ts_ms += 1_000
        price = MarkPrice(self.ts_ms, self.symbol, mark, mark if last is None else last)
        return list(self.venue.advance(price))

    def do(self, action: Action, client_id: str = "") -> tuple[VenueEvent, ...]:
        """Send a request with a new id, or with the given one."""
        self.sequence += 1
        name = client_id or f"id{self.sequence}"
        return self.venue.handle(Intent(self.sequence, name, self.ts_ms, action, "test", {}))

    def code(self, action: Action, client_id: str = "") -> str:
        """Return the code of a refused request; "" when it was not refused."""
        refusal = self.do(action, client_id)[-1]
        return getattr(refusal, "code", "")

    def free(self) -> float:
        return self.venue.balances()["free"]

    def wallet(self) -> float:
        return self.venue.balances()[f"wallet:{self.symbol}"]

    def order_ids(self) -> list[str]:
        return [row[1] for row in self.venue.snapshot()["orders"]]


@pytest.fixture
def bench() -> Bench:
    """Return a venue without spread, slippage and latency; leverage 20, price 100, 10,000 deposited."""
    return Bench()


@pytest.fixture
def new_bench() -> Callable[..., Bench]:
    """Return the maker of venues with another config, deposit or instrument."""
    return Bench


@pytest.fixture
def instrument() -> Instrument:
    return INSTRUMENT
