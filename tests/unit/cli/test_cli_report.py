"""`ringfence margin report`: figures by hand, plain words, and honesty about too little."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.core.event import (
    EquityMarked,
    ForecastResolved,
    MarginMoved,
    PositionClosed,
    PositionOpened,
    TradeEvidence,
)
from bot.findings import findings
from bot.ports import Commit
from bot.store.database import open_journal
from tests.unit.cli.conftest import Outcome
from tests.unit.store.story import AFTER, BEFORE, BINDING, DEPOSIT, RUN, write

BTC, ETH = "BTC/USDT:USDT", "ETH/USDT:USDT"
MOVES = ((1, "emergency"), (2, "below_band"), (3, "emergency"))
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS

ONE = TradeEvidence(
    ts_ms=2 * DAY_MS,
    symbol=BTC,
    position_id=1,
    side=1,
    policy="stop_anchor",
    opened_ms=DAY_MS,
    closed_ms=2 * DAY_MS,
    closed_by="stop",
    pnl_quote=-20.0,
    liquidated=False,
    shadow_closed_ms=2 * DAY_MS,
    shadow_closed_by="stop",
    shadow_pnl_quote=-20.0,
    shadow_liquidated=False,
    added_quote=0.0,
    added_lost_quote=0.0,
    adds_without_reentry=0,
    margin_quote_hours=2_400.0,
    shadow_margin_quote_hours=4_800.0,
    released_redeployed_quote_hours=600.0,
    least_distance=0.021,
    least_distance_sigma_hours=3.5,
    near_miss_ms=0,
    stop_beyond_liquidation_ms=0,
    loss_beyond_stop_fraction=0.0004,
    moves=1,
    moves_refused=0,
    stale_holds=0,
)
RESCUED = ONE._replace(
    closed_by="take_profit",
    pnl_quote=40.0,
    shadow_closed_by="liquidation",
    shadow_liquidated=True,
    shadow_pnl_quote=-50.0,
    added_quote=60.0,
    adds_without_reentry=1,
    near_miss_ms=90_000,
    least_distance=0.004,
    least_distance_sigma_hours=0.5,
    loss_beyond_stop_fraction=0.0,
)
FED = RESCUED._replace(closed_by="liquidation", liquidated=True, pnl_quote=-110.0, added_lost_quote=60.0)


@pytest.fixture
def database(workplace: Path) -> Callable[..., Path]:
    """Return a function that writes a database with these trades and forecasts."""

    def make(*trades: TradeEvidence, forecasts: tuple[tuple[float, bool], ...] = ()) -> Path:
        path = workplace / "evidence.db"
        journal = open_journal(path, BINDING)
        journal.start_run(RUN)
        journal.set_deposit(DEPOSIT)
        numbered = [trade._replace(position_id=index) for index, trade in enumerate(trades, start=1)]
        lives = [note for trade in numbered for note in _life(trade)]
        told = [
            ForecastResolved(ONE.ts_ms, BTC, 1, DAY_MS + index, DAY_MS, chance, 90.0, touched)
            for index, (chance, touched) in enumerate(forecasts)
        ]
        write(journal, [Commit(3 * DAY_MS, notes=(*lives, *numbered, *told))])
        journal.close()
        return path

    return make


def _life(trade: TradeEvidence) -> tuple[PositionOpened, PositionClosed]:
    symbol, number = trade.symbol, trade.position_id
    return (
        PositionOpened(trade.opened_ms, symbol, number, 1, 1.0, 100.0, 10.0, 10.0, 95.0, 6.0),
        PositionClosed(trade.closed_ms, symbol, number, 1, "stop", 95.0, -5.0, 0.1, 0.0, 0.0, 0.0),
    )


def test_nothing_closed_yet_is_said_and_is_no_error(
    ringfence: Callable[..., Outcome], database: Callable[..., Path]
) -> None:
    found = ringfence("margin", "report", "--db", str(database()))
    assert found.code == 0
    assert found.out.startswith("Nothing closed yet")
    data = json.loads(ringfence("margin", "report", "--db", "evidence.db", "--json").out)
    assert (data["trades"], data["difference"]["mean"]) == (0, None)


def test_figures_of_three_trades_by_hand(database: Callable[..., Path]) -> None:
    found = findings(database(ONE, RESCUED, FED))
    assert found.results[:2] == (-90.0, -120.0)
    assert found.difference.mean == pytest.approx((0.0 + 90.0 - 60.0) / 3.0)
    assert found.rescues.rescued_better == (1, 90.0)
    assert found.rescues.still_liquidated == (1, -60.0)
    assert found.good_after_bad == (120.0, 60.0, 0.5, 2)
    assert found.capital[:4] == pytest.approx((300.0, 600.0, 300.0, 0.25))
    assert found.capital.pnl_per_1000_quote_days == pytest.approx(-300.0)
    assert found.dead_weight.capital_quote == pytest.approx(-7_200.0 / 8_760.0 * 0.2)
    assert found.defence.closed_by == {"stop": 1, "take_profit": 1, "liquidation": 1}
    assert found.defence.beyond_stop_most == 0.0004
    assert found.operations.least_distance == 0.004
    assert (found.operations.moves, found.operations.moves_per_day) == (3, 1.0)


def test_the_account_s_margins_emergencies_and_days_are_counted(
    ringfence: Callable[..., Outcome], workplace: Path
) -> None:
    path = workplace / "account.db"
    journal = open_journal(path, BINDING)
    journal.start_run(RUN)
    journal.set_deposit(DEPOSIT)
    lives = [_life(trade) for trade in (ONE, FED._replace(position_id=2, closed_ms=3 * DAY_MS))]
    notes = [
        *(note for life in lives for note in life),
        ONE,
        FED._replace(position_id=2, closed_ms=3 * DAY_MS),
        *(MarginMoved(DAY_MS, BTC, 1, f"p{n}M", 5.0, "hurdle", why, BEFORE, AFTER) for n, why in MOVES),
        EquityMarked(DAY_MS, "", 600.0, 1_000.0, 400.0, 0.0),
        EquityMarked(2 * DAY_MS, "", 300.0, 500.0, 200.0, 0.0),
        EquityMarked(3 * DAY_MS, "", 450.0, 500.0, 50.0, 0.0),
    ]
    write(journal, [Commit(3 * DAY_MS, notes=tuple(notes))])
    journal.close()
    found = findings(path)
    assert found.envelope == (50.0, 0.1, 400.0, DAY_MS, 0.4)
    assert found.operations.emergencies == 2
    assert found.days == ((2 * DAY_MS, 1, -20.0, -20.0, 0, 0), (3 * DAY_MS, 1, -110.0, -50.0, 1, 1))
    out = ringfence("margin", "report", "--db", str(path)).out
    assert "50.00, the most the positions can lose by contract" in out
    assert "10.0 % now, 40.0 % at most" in out
    data = json.loads(ringfence("margin", "report", "--db", str(path), "--json").out)
    assert [day["pnl"] for day in data["days"]] == [-20.0, -110.0]


def test_the_capital_of_the_ledger_is_said_to_be_saved_or_paid(
    ringfence: Callable[..., Outcome], database: Callable[..., Path]
) -> None:
    out = ringfence("margin", "report", "--db", str(database(ONE))).out
    assert "the capital for it  0.05 saved, less margin was locked, at 20 % a year" in out


def test_report_of_few_trades_claims_nothing(
    ringfence: Callable[..., Outcome], database: Callable[..., Path]
) -> None:
    trades = [RESCUED, FED, ONE, RESCUED._replace(opened_ms=2 * WEEK_MS, closed_ms=2 * WEEK_MS + DAY_MS)]
    out = ringfence("margin", "report", "--db", str(database(*trades))).out
    assert "not yet distinguishable from zero: trades of at least 8 weeks are needed, these are of 2" in out
    assert "rescued, ended better    2 (+180.00)" in out
    assert "liquidated all the same  1 (-60.00)" in out
    assert "none has come to its end yet" in out


def test_report_says_how_many_more_trades_it_would_take(
    ringfence: Callable[..., Outcome], database: Callable[..., Path]
) -> None:
    trades = [
        ONE._replace(opened_ms=week * WEEK_MS, closed_ms=week * WEEK_MS + DAY_MS, pnl_quote=-20.0 + change)
        for week, change in enumerate([10.0, -9.0, 8.0, -8.0, 9.0, -7.0, 8.0, -9.0, 7.0, -6.0])
    ]
    out = ringfence("margin", "report", "--db", str(database(*trades))).out
    assert "more trades of this kind would be needed" in out


def test_report_distinguishes_what_is_plain(
    ringfence: Callable[..., Outcome], database: Callable[..., Path]
) -> None:
    trades = [
        ONE._replace(opened_ms=week * WEEK_MS, closed_ms=week * WEEK_MS + DAY_MS, pnl_quote=-10.0 + week % 3)
        for week in range(12)
    ]
    assert "better than static margin" in ringfence("margin", "report", "--db", str(database(*trades))).out


def test_float_noise_is_no_difference(
    ringfence: Callable[..., Outcome], database: Callable[..., Path]
) -> None:
    noisy = [ONE._replace(pnl_quote=-20.0 + 1e-12 * week, opened_ms=week * WEEK_MS) for week in (1, 2, 3)]
    ended = [trade._replace(closed_ms=trade.opened_ms + DAY_MS) for trade in noisy]
    assert "the same in every trade" in ringfence("margin", "report", "--db", str(database(*ended))).out


def test_symbol_leaves_the_others_out(database: Callable[..., Path]) -> None:
    path = database(ONE, RESCUED._replace(symbol=ETH))
    assert findings(path, ETH).trades == 1
    assert findings(path, ETH).rescues.static_liquidations == 1
    assert findings(path, "SOL/USDT:USDT").trades == 0


def test_reliability_table_and_alarm(
    ringfence: Callable[..., Outcome], database: Callable[..., Path]
) -> None:
    told = tuple((0.02 if index % 2 else 0.10, index % 5 == 0) for index in range(300))
    path = database(ONE, forecasts=told)
    out = ringfence("margin", "report", "--db", str(path)).out
    assert "300, 60 came true, 18.0 were expected" in out
    assert "liquidation comes at least twice as often as forecast" in out
    assert [line.split()[:5] for line in out.splitlines() if "10.00 %" in line] == [
        ["150", "10.00", "%", "20.00", "%"]
    ]
    assert findings(path).calibration.is_alarming
