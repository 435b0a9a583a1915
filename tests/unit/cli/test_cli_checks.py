"""doctor, show-config, check-config, list-strategies, list-policies and calc."""

import json
from pathlib import Path

import pytest

from bot.liveness import beat
from bot.risk.policies import POLICIES
from bot.store.lock import DatabaseLock
from tests.unit.cli.conftest import assert_one_paragraph, files_in


def _json(outcome, code=0):
    assert (outcome.code, outcome.err) == (code, "")
    return json.loads(outcome.out)


def test_the_doctor_finds_nothing_wrong_here_and_writes_nothing(ringfence, workplace):
    findings = {row["check"]: row for row in _json(ringfence("doctor", "--json"))}
    assert {"python", "clock", "ccxt", "TA-Lib", "configuration", "disk", "database"} <= set(findings)
    assert all(row["verdict"] in ("ok", "note") for row in findings.values())
    assert findings["database"]["verdict"] == "note"
    assert files_in(workplace) == []


def test_the_doctor_names_what_is_wrong_and_exits_with_1(ringfence, workplace):
    (workplace / "my.toml").write_text("[entry]\nmax_leverage = 0\n")
    outcome = ringfence("doctor", "--config", "my.toml")
    assert outcome.code == 1
    assert "entry.max_leverage" in outcome.out


def test_the_doctor_finds_a_foreign_database(ringfence, workplace):
    (workplace / "other.db").write_text("no database" * 50)
    findings = {row["check"]: row for row in _json(ringfence("doctor", "--db", "other.db", "--json"), code=1)}
    assert findings["database"]["verdict"] == "wrong"


def test_the_health_check_says_alive_only_of_a_bot_that_is(ringfence, workplace):
    database = workplace / "paper.db"
    assert ringfence("doctor", "--live", "--db", "paper.db").code == 1
    with DatabaseLock(database):
        beat(database)
        assert ringfence("doctor", "--live", "--db", "paper.db").code == 0
        assert _json(ringfence("doctor", "--live", "--db", "paper.db", "--json"))["is_alive"] is True
    assert ringfence("doctor", "--live", "--db", "paper.db").code == 1


def test_the_short_health_check_asks_about_the_database_of_the_environment(ringfence, workplace, monkeypatch):
    monkeypatch.setenv("RINGFENCE__RUN__DB", "mine.db")
    with DatabaseLock(workplace / "mine.db"):
        beat(Path("mine.db"))
        assert ringfence("doctor", "--live").code == 0


def test_a_health_check_with_an_unreadable_file_is_bad_input(ringfence, workplace):
    (workplace / "my.toml").write_text("[run")
    outcome = ringfence("doctor", "--live", "--config", "my.toml")
    assert outcome.code == 2
    assert_one_paragraph(outcome)


def test_show_config_shows_every_source_and_the_hash(ringfence, workplace, monkeypatch):
    (workplace / "my.toml").write_text("[entry]\nmax_leverage = 3\n")
    monkeypatch.setenv("RINGFENCE__RUN__SEED", "21")
    shown = _json(ringfence("show-config", "--config", "my.toml", "--json"))
    assert (shown["config"]["entry"]["max_leverage"], shown["config"]["run"]["seed"]) == (3, 21)
    text = ringfence("show-config", "--config", "my.toml").out
    assert "entry.max_leverage = 3  # my.toml\n" in text
    assert "run.seed = 21  # RINGFENCE__RUN__SEED\n" in text
    assert "run.speed = 600x\n" in text
    assert shown["config_hash"] in text


def test_show_config_says_what_the_preset_sets(ringfence):
    text = ringfence("show-config", "--preset", "risk-averse").out
    assert "preset = risk-averse  # --preset\n" in text
    assert "entry.max_leverage = 5  # preset risk-averse\n" in text
    shown = _json(ringfence("show-config", "--preset", "risk-averse", "--json"))
    assert shown["origins"]["entry.max_leverage"] == "preset risk-averse"
    assert shown["origins"]["run.seed"] == "default"


def test_check_config_refuses_what_contradicts_a_preset(ringfence, workplace):
    (workplace / "my.toml").write_text("[entry]\nposition_cap_fraction = 0.3\n")
    assert ringfence("check-config", "--config", "my.toml", "--preset", "aggressive").code == 0
    outcome = ringfence("check-config", "--config", "my.toml", "--preset", "risk-averse")
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert "preset risk-averse sets margin.limits.position_cap_fraction" in outcome.err


def test_list_presets_compares_what_differs(ringfence, monkeypatch):
    monkeypatch.setenv("RINGFENCE__PRESET", "aggressive")
    listed = {row["name"]: row for row in _json(ringfence("list-presets", "--json"))}
    assert [name for name, row in listed.items() if row["is_chosen"]] == ["aggressive"]
    assert {name: row["settings"]["entry.risk_fraction"] for name, row in listed.items()} == {
        "risk-averse": 0.005,
        "balanced": 0.01,
        "aggressive": 0.02,
    }
    text = ringfence("list-presets").out
    assert "aggressive (chosen): " in text
    (row,) = [line for line in text.splitlines() if line.startswith("entry.min_strength")]
    assert row.split()[1:] == ["0", "0", "0.7"]
    assert "entry.max_positions" not in text, "the presets agree on it"


def test_list_policies_shows_the_params_of_a_preset(ringfence):
    listed = _json(ringfence("list-policies", "--preset", "risk-averse", "--json"))
    (policy,) = [row for row in listed if row["is_chosen"]]
    values = {row["name"]: row["value"] for row in policy["parameters"]}
    assert (policy["name"], values["alpha"]) == ("liquidation_probability", 0.002)


def test_show_config_never_shows_a_secret(ringfence, monkeypatch):
    monkeypatch.setenv("RINGFENCE__EXCHANGE__API_KEY", "4711.25")
    for flags in ([], ["--json"]):
        outcome = ringfence("show-config", *flags)
        assert "4711.25" not in outcome.out
        assert "[redacted]" in outcome.out


def test_check_config_accepts_what_a_run_would(ringfence, workplace):
    assert _json(ringfence("check-config", "--json"))["is_valid"] is True
    assert files_in(workplace) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[entry]\nmax_leverage = 0", "entry.max_leverage"),
        ("[strategy]\nname = 'ema_crss'", '"ema_cross"'),
        ("[strategy.params.ema_cross]\nfast = 60", "fast must be below slow"),
        ("[feed]\nkind = 'replay'\ndata = 'nowhere'", "nowhere"),
    ],
)
def test_check_config_refuses_what_a_run_would(ringfence, workplace, text, says):
    (workplace / "my.toml").write_text(text)
    outcome = ringfence("check-config", "--config", "my.toml")
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert says in outcome.err


def test_list_policies_names_every_policy_with_values_and_bounds(ringfence, workplace):
    (workplace / "my.toml").write_text("[margin.params.stop_anchor]\nlow = 0.5\n")
    listed = {row["name"]: row for row in _json(ringfence("list-policies", "--config", "my.toml", "--json"))}
    assert set(listed) == set(POLICIES)
    assert [name for name, row in listed.items() if row["is_chosen"]] == ["stop_anchor"]
    low = next(row for row in listed["stop_anchor"]["parameters"] if row["name"] == "low")
    assert (low["value"], low["high"]) == (0.5, POLICIES["stop_anchor"].bounds["low"].high)
    assert "stop_anchor (chosen)" in ringfence("list-policies").out


def test_list_strategies_shows_a_broken_file_with_its_error(ringfence, workplace, monkeypatch, root):
    folder = workplace / "mine"
    folder.mkdir()
    (folder / "ema_cross.py").write_text((root / "strategies" / "ema_cross.py").read_text())
    (folder / "broken.py").write_text("import nowhere_to_be_found")
    monkeypatch.setenv("RINGFENCE__STRATEGY__DIRECTORY", "mine")
    listed = {row["name"]: row for row in _json(ringfence("list-strategies", "--json"))}
    assert "nowhere_to_be_found" in listed["broken"]["error"]
    assert {"fast", "slow"} <= {row["name"] for row in listed["ema_cross"]["parameters"]}
    text = ringfence("list-strategies").out
    assert "ema_cross (chosen), 5m candles" in text
    assert "nowhere_to_be_found" in text


def test_calc_position_reproduces_the_worked_example(ringfence):
    """500 USDT at 10x: the whole loss is 500, and about 10 % against it liquidates."""
    report = _json(
        ringfence(
            *("calc", "position", "--side", "long", "--entry", "60000"),
            *("--leverage", "10", "--margin", "500", "--maintenance-rate", "0.004", "--json"),
        )
    )
    assert report["loss_if_liquidated"] == pytest.approx(500.0)
    assert report["notional"] == pytest.approx(5_000.0)
    assert report["liquidation_price"] == pytest.approx((60_000 - 6_000) / (1 - 0.004))
    assert report["liquidation_probability_24h"] is None


def test_calc_position_tells_the_worked_example_in_words(ringfence):
    """500 USDT at 10x on BTC at 60,000, which then falls by 5 %."""
    told = ringfence(
        *("calc", "position", "--side", "long", "--entry", "60000", "--leverage", "10"),
        *("--margin", "500", "--mark", "57000"),
    ).out
    facts = dict(line.split("  ", 1) for line in told.splitlines()[1:])
    facts = {name: text.strip() for name, text in facts.items()}
    assert facts["tiers"] == "BTC/USDT:USDT of the embedded Binance USD-M table"
    assert (facts["liquidation price"], facts["bankruptcy price"]) == ("54,216.87", "54,000.00")
    assert (facts["equity"], facts["maintenance margin"]) == ("250.00", "19.00")
    assert (facts["margin ratio"], facts["liquidation distance"]) == ("7.60 %", "4.88 %")
    assert (facts["effective leverage"], facts["loss if liquidated"]) == ("19.00x", "500.00")


def test_calc_position_says_when_no_price_liquidates(ringfence):
    sized = ("calc", "position", "--side", "long", "--entry", "100", "--leverage", "1", "--quantity", "1")
    told = ringfence(*sized, "--wallet", "200", "--maintenance-rate", "0.01").out
    assert "none: no price liquidates it" in told
    assert "one of 1.00 %, as given" in told


def test_calc_position_uses_the_tiers_of_the_symbol(ringfence):
    sized = ("calc", "position", "--side", "short", "--entry", "60000", "--leverage", "5", "--json")
    small = _json(ringfence(*sized, "--quantity", "1"))
    large = _json(ringfence(*sized, "--quantity", "100", "--sigma-day", "0.03"))
    assert small["tier"] < large["tier"]
    assert 0.0 < large["liquidation_probability_24h"] < 1.0


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--side", "lng", "--leverage", "10", "--margin", "500"], '"long" or "short"'),
        (["--side", "long", "--leverage", "0", "--margin", "500"], "leverage"),
        (["--side", "long", "--leverage", "10"], "either quantity or margin"),
        (
            ["--side", "long", "--leverage", "10", "--margin", "5", "--quantity", "1"],
            "either quantity or margin",
        ),
        (["--side", "long", "--leverage", "10", "--margin", "5", "--wallet", "-1"], "wallet"),
        (["--side", "long", "--leverage", "10", "--margin", "5", "--mark", "nan"], "mark"),
        (
            ["--side", "long", "--leverage", "10", "--margin", "5", "--maintenance-rate", "2"],
            "--maintenance-rate",
        ),
        (["--side", "long", "--leverage", "10", "--margin", "5", "--venue", "nyse"], "nyse"),
        (["--side", "long", "--leverage", "10", "--margin", "5", "--symbol", "X/USDT:USDT"], "X/USDT:USDT"),
        (["--side", "long", "--leverage", "10", "--margin", "5", "--inverse"], "--maintenance-rate"),
    ],
)
def test_calc_position_refuses_impossible_numbers(ringfence, flags, says):
    outcome = ringfence("calc", "position", "--entry", "60000", *flags)
    assert outcome.code == 2
    assert_one_paragraph(outcome)
    assert says in outcome.err
