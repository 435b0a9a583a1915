"""Every verb of `ringfence calc`: its JSON by hand, what it tells people, and what it refuses."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

LONG = ("--side", "long", "--entry", "60000", "--leverage", "10", "--margin", "500")
TRADE = ("--side", "long", "--entry", "60000", "--stop", "58200")
CANDLES = """timestamp,open,high,low,close
1738454400000,60000,60100,59000,59500
1738454460000,59500,60000,54000,59000
"""


@pytest.fixture
def calc(ringfence):
    """Run a verb of calc and return its JSON."""

    def command(*arguments: str) -> Any:
        outcome = ringfence("calc", *arguments, "--json")
        assert (outcome.code, outcome.err) == (0, "")
        return json.loads(outcome.out)

    return command


@pytest.fixture
def book(workplace: Path) -> str:
    """The guide's second case study as a file, with a free balance."""
    text = """free = 1000
[[positions]]
symbol = "BTC"
side = "long"
entry = 60000
leverage = 10
margin = 500
sigma_day = "2.5%"
stop = 56000
[[positions]]
symbol = "ETH/USDT:USDT"
side = "long"
entry = 3000
leverage = 8
margin = 300
sigma_day = 0.03
"""
    (workplace / "book.toml").write_text(text, encoding="utf-8")
    return "book.toml"


def test_position_says_distance_in_percent_ranges_and_odds(calc):
    report = calc("position", *LONG, "--mark", "57000", "--atr", "500", "--sigma-day", "3%")
    liquidation = 54_000.0 / 0.996
    assert report["liquidation_price"] == pytest.approx(liquidation)
    assert report["bankruptcy_price"] == pytest.approx(54_000.0)
    assert report["liquidation_distance"] == pytest.approx((57_000 - liquidation) / 57_000)
    assert report["liquidation_distance_atr"] == pytest.approx((57_000 - liquidation) / 500)
    assert 0.0 < report["liquidation_probability_1h"] < report["liquidation_probability_24h"] < 1.0


def test_a_file_of_positions_is_answered_with_a_list(calc, ringfence, book):
    answer = calc("position", "--file", book)
    assert [row["symbol"] for row in answer["positions"]] == ["BTC/USDT:USDT", "ETH/USDT:USDT"]
    assert (answer["free_quote"], answer["source"]) == (1000.0, book)
    told = ringfence("calc", "position", "--file", book).out.splitlines()
    assert len(told) == 3
    assert told[1].startswith("BTC/USDT  long")


def test_one_position_may_stand_alone_in_json(calc, workplace):
    single = {"side": "short", "entry": 100, "leverage": "5x", "quantity": 2, "symbol": "SOL"}
    (workplace / "one.json").write_text(json.dumps(single), encoding="utf-8")
    (row,) = calc("position", "--file", "one.json")["positions"]
    assert (row["side"], row["required_margin"]) == ("short", 40.0)


def test_leverage_is_the_highest_that_liquidates_beyond_the_stop(calc):
    answer = calc("leverage", *TRADE, "--quantity", "0.1", "--buffer", "1%", "--max-leverage", "50")
    wanted = 58_200.0 * 0.99
    of = {n: (60_000.0 - 60_000.0 / n) / 0.996 for n in (answer["leverage"], answer["leverage"] + 1)}
    assert of[answer["leverage"]] <= wanted < of[answer["leverage"] + 1]
    assert answer["limit"] == "stop"
    by_margin = calc("leverage", *TRADE, "--margin", "500", "--buffer", "1%", "--max-leverage", "50")
    assert by_margin["leverage"] == answer["leverage"]
    assert by_margin["quantity"] == pytest.approx(500.0 * answer["leverage"] / 60_000.0)


def test_leverage_of_a_file_says_which_position_has_no_stop(calc, ringfence, book):
    btc, eth = calc("leverage", "--file", book)["positions"]
    assert (btc["leverage_setting"], eth["leverage"]) == (10.0, None)
    assert btc["leverage"] > 5
    assert "ETH/USDT: no stop on the losing side" in ringfence("calc", "leverage", "--file", book).out


def test_size_loses_the_risk_at_the_stop(calc):
    answer = calc("size", *TRADE, "--equity", "10000", "--risk", "1%", "--sigma-day", "3%")
    away, kept = 0.03, 0.97
    loss = away + 0.0005 * kept + 0.0005 * (1 + kept)
    assert answer["quantity"] == pytest.approx(math.floor(100.0 / loss / 60_000.0 / 0.001) * 0.001)
    assert answer["loss_at_stop_quote"] == pytest.approx(answer["notional_quote"] * loss)
    assert answer["target_price"] == pytest.approx(60_000.0 + 2.25 * 1_800.0)
    assert answer["is_liquidation_beyond_stop"] is True
    assert answer["tier"] == 1
    assert answer["stop_first"] > answer["target_first"] > 0.0


def test_size_without_a_volatility_has_no_odds_and_says_so(calc, ringfence):
    answer = calc("size", *TRADE, "--equity", "10000")
    assert (answer["stop_first"], answer["liquidation_probability_24h"]) == (None, None)
    assert "Give --sigma-day" in ringfence("calc", "size", *TRADE, "--equity", "10000").out


def test_size_without_a_stop_is_the_margin_that_volatility_asks_for(calc, ringfence):
    flags = ("--side", "long", "--entry", "60000", "--leverage", "10", "--quantity", "0.1")
    calm = calc("size", *flags, "--sigma-day", "0.5%")
    wild = calc("size", *flags, "--sigma-day", "6%", "--probability", "1%", "--horizon", "1d")
    assert calm["required_margin"] == pytest.approx(600.0)
    assert wild["required_margin"] == wild["by_volatility"] > 600.0
    assert "within 1 day, or by leverage" in ringfence("calc", "size", *flags, "--sigma-day", "3%").out


def test_size_of_a_file_answers_each_position_as_its_flags_would(calc, ringfence, book):
    flags = ("--equity", "10000", "--risk", "2%")
    stopped, open_ended = calc("size", "--file", book, *flags)["positions"]
    alone = ("--side", "long", "--entry", "60000", "--stop", "56000", "--sigma-day", "2.5%")
    same = calc("size", *alone, *flags)
    assert {name: stopped[name] for name in same} == same
    assert stopped["quantity_held"] == pytest.approx(500.0 * 10 / 60_000.0)
    without = ("--side", "long", "--entry", "3000", "--leverage", "8", "--symbol", "ETH")
    same = calc("size", *without, "--quantity", "0.8", "--sigma-day", "3%")
    assert {name: open_ended[name] for name in same} == pytest.approx(same)
    told = ringfence("calc", "size", "--file", book, *flags).out
    assert "BTC/USDT" in told
    assert "Without a stop nothing limits the loss" in told


def test_topup_reaches_the_distance_the_price_or_the_chance(calc):
    fallen = ("topup", *LONG, "--mark", "57000")
    by_distance = calc(*fallen, "--distance", "10%")
    assert by_distance["amount"] == pytest.approx(242.10)
    assert calc(*fallen, "--liquidation", "51300")["amount"] == pytest.approx(242.10)
    by_chance = calc(*fallen, "--probability", "1%", "--sigma-day", "3%")
    told = calc(
        "position", *LONG, "--mark", "57000", "--wallet", str(by_chance["target_wallet"]), "--sigma-day", "3%"
    )
    assert told["liquidation_probability_24h"] == pytest.approx(0.01)
    assert calc("topup", *LONG, "--distance", "5%")["amount"] < 0.0


def test_funding_is_paid_by_the_long_and_received_by_the_short(calc, ringfence):
    paid = calc("funding", *LONG, "--funding-rate", "0.01%")
    assert [paid[f"cost_per_{length}"] for length in ("payment", "day", "week")] == pytest.approx(
        [0.5, 1.5, 10.5]
    )
    assert paid["days_to_liquidation"] == pytest.approx(480.0 / 1.5)
    hourly = ringfence("calc", "funding", *LONG, "--funding-rate", "-0.01%", "--every", "1h").out
    assert "received a day         12.00" in hourly
    assert "never" in hourly


def test_funding_takes_the_rate_of_the_flag_over_a_file(calc, workplace):
    (workplace / "one.toml").write_text(
        'side = "long"\nentry = 60000\nleverage = 10\nmargin = 500\nfunding_rate = 0.0001\n', encoding="utf-8"
    )
    (own,) = calc("funding", "--file", "one.toml")["positions"]
    (asked,) = calc("funding", "--file", "one.toml", "--funding-rate", "0.03%")["positions"]
    assert asked["cost_per_day"] == pytest.approx(3.0 * own["cost_per_day"])


def test_tiers_are_the_market_s_and_a_position_stands_in_one(calc):
    (market,) = calc("tiers", "--symbol", "sol")["markets"]
    assert (market["symbol"], len(market["tiers"])) == ("SOL/USDT:USDT", 10)
    answer = calc("tiers", "--side", "long", "--entry", "60000", "--leverage", "5", "--quantity", "6")
    (standing,) = answer["positions"]
    assert (standing["tier"], standing["room"]) == (2, 440_000.0)


def test_a_gap_leaves_no_time_for_a_stop_and_a_walk_does(calc):
    answer = calc(
        "whatif", *LONG, "--stop", "57000", "--free", "1500", "--sigma-day", "3%", "--shock", "-12%"
    )
    (scenario,) = answer["scenarios"]
    gap = {way["way"]: way["pnl"] for way in scenario["ways"]}
    assert gap == pytest.approx({"isolated": -500.0, "cross": -600.0, "exchange_auto_add": -600.0})
    walk = {way["way"]: way for way in scenario["walk"]}
    assert walk["isolated"]["stopped"] == ["BTC/USDT:USDT"]
    # Evenly in 60 steps of 120: the first mark at or below 57,000 is 57,000 itself.
    assert walk["isolated"]["pnl"] == pytest.approx(-3_000.0 / 12.0)
    assert set(walk) >= {"volatility", "stop_anchor", "hurdle", "trend_regime"}
    assert "static" not in walk, "it is what the isolated row says"


def test_a_book_is_shocked_by_symbol_and_all_alike(calc, book):
    first, second = calc("whatif", "--file", book, "--shock", "-5%", "--shock", "-2%,eth=-14%")["scenarios"]
    assert first["shocks"] == {"BTC/USDT:USDT": -0.05, "ETH/USDT:USDT": -0.05}
    assert second["shocks"] == {"BTC/USDT:USDT": -0.02, "ETH/USDT:USDT": -0.14}
    assert [leg["is_liquidated"] for leg in second["ways"][0]["legs"]] == [False, True]


def test_results_of_gap_and_walk_count_from_the_same_balances(calc):
    flags = (*LONG, "--mark", "59000", "--free", "1500", "--sigma-day", "3%", "--shock", "-5%")
    (scenario,) = calc("whatif", *flags, "--policy", "static")["scenarios"]
    results = [way["pnl"] for way in (*scenario["ways"], *scenario["walk"])]
    assert results == pytest.approx([(59_000 * 0.95 - 60_000) / 12.0] * len(results))
    assert [way["way"] for way in scenario["walk"]][3:] == ["static"]


def test_a_straight_path_shows_every_policy(calc, ringfence):
    flags = ("whatif", *LONG, "--free", "5000", "--sigma-day", "3%", "--to", "-8%", "--over", "24h")
    answer = calc(*flags)
    assert (answer["path"]["steps"], answer["path"]["hours"]) == (1440, 24.0)
    ways = {way["way"]: way for way in answer["ways"]}
    assert all(way["pnl"] == pytest.approx(-400.0) for way in ways.values())
    assert ways["volatility"]["added"] > 0.0
    assert ways["volatility"]["least_distance"] > ways["isolated"]["least_distance"]
    told = ringfence("calc", *flags).out
    assert "volatility, trend and regime of now" in told
    assert "\x1b" not in told
    assert "⠤" not in told


def test_a_recorded_path_meets_the_low_inside_a_candle(calc, workplace):
    (workplace / "btc.csv").write_text(CANDLES, encoding="utf-8")
    flags = (*LONG, "--free", "3000", "--sigma-day", "3%", "--path", "btc.csv")
    answer = calc("whatif", *flags)
    assert answer["path"]["steps"] == 8
    assert answer["path"]["hours"] == pytest.approx(2.0 / 60.0)
    assert {way["way"]: way["liquidated"] for way in answer["ways"]}["isolated"] == ["BTC/USDT:USDT"]
    short = ("--side", "short", *LONG[2:], "--sigma-day", "3%", "--path", "BTC=btc.csv")
    assert calc("whatif", *short)["ways"][0]["pnl"] == pytest.approx(1_000.0 / 12.0)


def test_a_relative_path_takes_only_the_moves(calc, workplace):
    rows = "timestamp,mark\n1738454400000,100\n1738454460000,95\n"
    (workplace / "marks.csv").write_text(rows, encoding="utf-8")
    answer = calc("whatif", *LONG, "--sigma-day", "3%", "--path", "marks.csv", "--relative")
    assert answer["ways"][0]["pnl"] == pytest.approx(-250.0)


def test_a_folder_of_candles_is_a_path_and_a_position_without_one_stays(calc, workplace, book):
    (workplace / "data").mkdir()
    (workplace / "data" / "BTCUSDT_1m.csv").write_text(
        CANDLES.replace(",close", ",close,volume")
        .replace("500\n", "500,1\n")
        .replace(",59000\n", ",59000,1\n"),
        encoding="utf-8",
    )
    answer = calc("whatif", *LONG, "--sigma-day", "3%", "--data", "data")
    assert answer["path"]["steps"] == 8
    assert "Replaying 1m candles from BTCUSDT_1m.csv: 8 prices" in answer["path"]["words"]
    (workplace / "btc.csv").write_text(CANDLES, encoding="utf-8")
    both = calc("whatif", "--file", book, "--path", "btc=btc.csv")
    assert any("ETH/USDT:USDT has no path and stays" in note for note in both["path"]["notes"])


def test_the_first_case_study_is_what_the_formulas_say(calc):
    study = calc("scenario", "btc-500")
    quantity, entry, mark, rate = 500.0 * 10 / 60_000.0, 60_000.0, 57_000.0, 0.004
    equity = 500.0 + quantity * (mark - entry)
    assert study["before"]["notional"] == pytest.approx(5_000.0)
    assert study["before"]["liquidation_price"] == pytest.approx((entry - 500.0 / quantity) / (1.0 - rate))
    assert study["after"]["equity"] == pytest.approx(equity) == pytest.approx(250.0)
    assert study["after"]["margin_ratio"] == pytest.approx(quantity * mark * rate / equity)
    assert study["after"]["effective_leverage"] == pytest.approx(quantity * mark / equity)
    wanted = 0.9 * mark
    needed = quantity * wanted * rate - quantity * (wanted - entry)
    assert study["restore"]["amount"] == pytest.approx(needed - 500.0)
    table = {row["measure"]: (row["isolated"], row["cross"]) for row in study["comparison"]}
    assert table["most one position can take"] == (500.0, 2_000.0)
    assert table["lost in this shock"] == pytest.approx((250.0, 250.0))
    assert table["most leverage of a position"] == pytest.approx((10.0, 2.5))
    ends = [
        (entry - (entry - wallet / quantity) / (1.0 - rate)) / entry / 0.05 for wallet in (500.0, 2_000.0)
    ]
    assert table["shock at first liquidation"] == pytest.approx(ends)
    assert table["margin to come through it"] == pytest.approx([250.0 + 19.0] * 2)


def test_the_second_case_study_is_what_the_formulas_say(calc):
    study = calc("scenario", "portfolio")
    isolated, cross, _ = study["ways"]
    assert [leg["pnl"] for leg in isolated["legs"]] == pytest.approx([-400.0, -300.0, 150.0])
    assert [leg["is_liquidated"] for leg in isolated["legs"]] == [False, True, False]
    assert cross["pnl"] == pytest.approx(5_000 * -0.08 + 2_400 * -0.14 + 1_000 * 0.15)
    assert isolated["pnl"] == pytest.approx(-550.0)
    assert study["cross"]["effective_leverage"] == pytest.approx((5_000 + 2_400 + 1_000) / 1_000)
    assert study["cross"]["maintenance_margin"] == pytest.approx(5_000 * 0.004 + 2_400 * 0.005 + 1_000 * 0.01)
    table = {row["measure"]: (row["isolated"], row["cross"]) for row in study["comparison"]}
    eth = 0.8
    liquidation = (3_000.0 - 300.0 / eth) / (1.0 - 0.005)
    assert table["shock at first liquidation"][0] == pytest.approx((1.0 - liquidation / 3_000.0) / 0.14)
    loss, kept = 586.0, 4_600 * 0.004 + 2_064 * 0.005 + 850 * 0.01
    assert table["margin to come through it"][1] == pytest.approx(loss + kept)
    btc, ether = 400.0 + 4_600 * 0.004, 336.0 + 2_064 * 0.005
    assert table["margin to come through it"][0] == pytest.approx(btc + ether + 1_000 * 0.01)


def test_both_case_studies_are_told_with_the_table_of_the_guide(ringfence):
    for name, says in (
        ("btc-500", "add 242.10, liquidation at 51,300.00"),
        ("portfolio", "liquidated, -300.00"),
    ):
        told = ringfence("calc", "scenario", name)
        assert (told.code, told.err) == (0, "")
        assert says in told.out
        features = (
            "risk exposure",
            "leverage flexibility",
            "liquidation risk",
            "capital efficiency",
            "best for",
        )
        assert all(feature in told.out for feature in features)
    assert calc_account(ringfence) == 3_000.0


def calc_account(ringfence: Any) -> float:
    return json.loads(ringfence("calc", "scenario", "btc-500", "--account", "3000", "--json").out)[
        "account_quote"
    ]


def test_the_open_positions_of_a_database_are_answered_and_nothing_is_written(calc, paper_session):
    before = [(path, path.stat().st_mtime_ns) for path in sorted(paper_session.path.parent.glob("*.db"))]
    answer = calc("position", "--db", str(paper_session.path))
    held = {position.symbol: position for position in paper_session.state.positions()}
    assert {row["symbol"] for row in answer["positions"]} == set(held)
    for row in answer["positions"]:
        assert row["isolated_wallet"] == held[row["symbol"]].isolated_wallet
        assert row["liquidation_probability_24h"] is not None
    assert answer["free_quote"] == pytest.approx(paper_session.state.free_quote)
    for verb in (("leverage",), ("topup", "--distance", "10%"), ("funding",), ("tiers",)):
        assert calc(*verb, "--db", str(paper_session.path))
    walked = calc("whatif", "--db", str(paper_session.path), "--shock", "-3%", "--over", "10m")
    assert len(walked["scenarios"][0]["walk"]) > 5
    sized = calc("size", "--db", str(paper_session.path), "--side", "long", "--stop", "1", "--target", "1e6")
    assert sized["equity_quote"] == pytest.approx(paper_session.state.equity_quote())
    assert before == [
        (path, path.stat().st_mtime_ns) for path in sorted(paper_session.path.parent.glob("*.db"))
    ]


def test_the_example_file_shows_every_key_and_the_readme_its_answer(ringfence, root, monkeypatch):
    from bot.cli.calculators.position_file import read_positions
    from bot.cli.calculators.position_keys import READERS

    example = root / "config" / "positions.toml"
    assert len(read_positions(example).positions) == 2
    assert [key for key in READERS if key not in example.read_text(encoding="utf-8")] == []
    monkeypatch.chdir(root)
    readme = (root / "README.md").read_text(encoding="utf-8").splitlines()
    (command,) = [line for line in readme if line.startswith("ringfence calc whatif")]
    told = ringfence(*command.split()[1:])
    shown = readme[readme.index(next(line for line in readme if line.startswith("held  "))) :]
    rows = shown[: shown.index("```")]
    assert len(rows) == 3
    assert [row for row in rows if row not in told.out.splitlines()] == []
