"""Positions, views and books to ask the risk package about, drawn or built by hand."""

from hypothesis import strategies as st

from bot.core.instrument import Instrument
from bot.core.margin import liquidation_distance, liquidation_price
from bot.core.position import Position
from bot.core.profile import AT_MARK, NO_CLOSE_FEE, NOT_ROUNDED, MarginRules, VenueProfile
from bot.core.tiers import LeverageTier, tiers_from_rows
from bot.risk.regime import REGIMES
from bot.risk.view import MarginBook, MarginView, Portfolio

SYMBOL = "BTC/USDT:USDT"
TIERS = tiers_from_rows(
    [
        LeverageTier(0.0, 50_000.0, 0.004, 0.0, 125.0),
        LeverageTier(50_000.0, 250_000.0, 0.005, 50.0, 100.0),
        LeverageTier(250_000.0, 1_000_000.0, 0.01, 1_300.0, 50.0),
    ]
)


def rules_of(profile: VenueProfile | None = None, tick_size: float = 0.1) -> MarginRules:
    canonical = VenueProfile(AT_MARK, NO_CLOSE_FEE, 0.0, NOT_ROUNDED, 0)
    return MarginRules(TIERS, profile or canonical, False, tick_size)


RULES = rules_of()

INSTRUMENT = Instrument(
    symbol=SYMBOL,
    tick_size=0.1,
    quantity_step=0.001,
    min_quantity=0.001,
    min_notional_quote=5.0,
    margin_step_quote=0.01,
    contract_size=1.0,
    is_inverse=False,
    maker_fee_rate=0.0002,
    taker_fee_rate=0.0005,
    liquidation_fee_rate=0.0125,
    max_leverage=125.0,
    funding_interval_ms=28_800_000,
    tiers=TIERS,
)


def position_of(
    side: int = 1,
    quantity: float = 0.1,
    entry: float = 60_000.0,
    wallet: float = 600.0,
    leverage: float = 10.0,
) -> Position:
    return Position(SYMBOL, side, quantity, entry, wallet, leverage, 0)


def view_of(
    position: Position | None = None,
    mark: float = 60_000.0,
    stop: float = 0.0,
    sigma: float = 0.03,
    funding: float = 0.0,
    ts_ms: int = 1_000_000_000,
    age_ms: int = 0,
    rules: MarginRules = RULES,
) -> MarginView:
    held = position or position_of()
    entry_distance = liquidation_distance(held, held.entry_price, rules)
    return MarginView(ts_ms, mark, age_ms, held, rules, stop, sigma, funding, entry_distance)


def book_of(
    initial: float = 600.0,
    added: float = 0.0,
    released: float = 0.0,
    adds: int = 0,
    last_add_ms: int = 0,
    last_release_ms: int = 0,
    agreed: float = 1_800.0,
    free: float = 9_000.0,
    equity: float = 10_000.0,
    step: float = 0.01,
) -> MarginBook:
    return MarginBook(
        initial, added, released, adds, last_add_ms, last_release_ms, agreed, free, equity, step
    )


def portfolio_of(
    free: float = 10_000.0,
    equity: float = 10_000.0,
    positions: tuple[Position, ...] = (),
    in_flight: float = 0.0,
    day_start: float = 10_000.0,
    day_pnl: float = 0.0,
) -> Portfolio:
    return Portfolio(free, equity, positions, in_flight, day_start, day_pnl)


def number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


@st.composite
def views(draw: st.DrawFn, with_stop: bool | None = None) -> MarginView:
    """A living position: the mark lies on the safe side of liquidation, a stop between the two."""
    side = draw(st.sampled_from([1, -1]))
    leverage = draw(st.integers(1, 50))
    entry = draw(st.sampled_from([0.37, 25.0, 3_000.0, 60_000.0]))
    value = draw(number(100.0, 400_000.0))
    wallet = value / leverage * draw(number(0.9, 4.0))
    position = position_of(side, value / entry, entry, wallet, float(leverage))
    tick = entry * draw(st.sampled_from([1e-6, 1e-4]))
    rules = rules_of(tick_size=tick)
    liquidation = liquidation_price(position, rules)
    away = draw(number(0.002, 0.8))
    mark = liquidation / (1.0 - side * away) if liquidation > 0.0 else entry * (1.0 + 0.3 * away)
    has_stop = draw(st.booleans()) if with_stop is None else with_stop
    between = draw(number(0.05, 0.95))
    stop = liquidation + between * (mark - liquidation) if has_stop else 0.0
    view = view_of(
        position,
        mark,
        stop,
        sigma=draw(number(0.003, 0.3)),
        funding=draw(number(-0.003, 0.003)),
        rules=rules,
    )
    return view._replace(
        atr=mark * draw(number(0.0005, 0.05)),
        sigma_parkinson=draw(number(0.003, 0.3)),
        sigma_yang_zhang=draw(number(0.003, 0.3)),
        trend_score=draw(number(-4.0, 4.0)),
        is_high_volatility=draw(st.booleans()) and draw(st.booleans()),
        regime=draw(st.sampled_from(range(len(REGIMES)))),
    )


@st.composite
def books(draw: st.DrawFn, view: MarginView) -> MarginBook:
    wallet = view.position.isolated_wallet
    equity = wallet * draw(number(1.0, 40.0))
    recent = st.one_of(st.just(0), st.integers(view.ts_ms - 7_200_000, view.ts_ms))
    return book_of(
        initial=wallet * draw(number(0.3, 1.2)),
        added=wallet * draw(number(0.0, 1.0)),
        adds=draw(st.integers(0, 7)),
        last_add_ms=draw(recent),
        last_release_ms=draw(recent),
        agreed=wallet * draw(number(0.5, 4.0)),
        free=(equity - wallet) * draw(number(0.0, 1.0)),
        equity=equity,
        step=draw(st.sampled_from([1e-8, 0.01, 0.1])),
    )
