"""A preset gives defaults: stronger than none, weaker than every word of a person."""

import json
import os

import pytest

from bot.errors import UserError
from bot.risk.limits import EntryLimits
from bot.risk.policies import POLICIES
from bot.risk.presets import PRESETS
from bot.settings import Flag, Settings, config_hash, effective, load, load_with_origins
from bot.settings.keys import known_keys
from bot.settings.near_misses import setting_paths
from bot.settings.preset import differing, own_values, preset_values


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in [name for name in os.environ if name.upper().startswith("RINGFENCE_")]:
        monkeypatch.delenv(name)


def chosen(name: str, *flags: Flag) -> Settings:
    return load(flags=(Flag("preset", "--preset", name), *flags))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_alone_is_in_force_whole(name):
    settings, preset = chosen(name), PRESETS[name]
    assert (settings.entry, settings.brackets) == (preset.entry, preset.bracket)
    assert (settings.margin.policy, settings.margin.limits) == (preset.policy, preset.margin)
    assert settings.margin.policy_params == preset.params


def test_without_a_word_balanced_is_in_force_and_nothing_but_the_defaults():
    assert load() == chosen("balanced") == Settings()
    assert own_values("balanced") == {}


def test_whatever_a_person_writes_wins_over_the_preset_key_by_key(tmp_path, monkeypatch):
    file = tmp_path / "my.toml"
    file.write_text('preset = "aggressive"\n[entry]\nrisk_fraction = 0.003\n[margin.limits]\nmax_adds = 2\n')
    monkeypatch.setenv("RINGFENCE__ENTRY__MIN_STRENGTH", "0.1")
    settings = load(file, (Flag("entry.buffer_sigmas", "--flag", 2.0),))
    aggressive = PRESETS["aggressive"]
    assert settings.entry == aggressive.entry._replace(
        risk_fraction=0.003, min_strength=0.1, buffer_sigmas=2.0
    )
    assert settings.margin.limits == aggressive.margin._replace(max_adds=2)


def test_a_value_written_as_the_default_still_wins_over_the_preset():
    written = Flag("entry.max_leverage", "--flag", EntryLimits().max_leverage)
    assert chosen("risk-averse", written).entry.max_leverage == EntryLimits().max_leverage


def test_another_policy_leaves_the_limits_of_the_preset_and_takes_its_own_params():
    settings = chosen("risk-averse", Flag("margin.policy", "--policy", "volatility"))
    assert settings.margin.policy == "volatility"
    assert settings.margin.policy_params == POLICIES["volatility"].default
    assert settings.margin.limits == PRESETS["risk-averse"].margin


def test_a_param_that_is_written_leaves_the_presets_other_params():
    entry_share = Flag("margin.params.liquidation_probability.entry_share", "--flag", 2.0)
    params = chosen("risk-averse", entry_share).margin.policy_params
    assert (params.alpha, params.entry_share) == (0.002, 2.0)


@pytest.mark.parametrize("place", ["flag", "environment", "file"])
def test_the_strongest_place_names_the_preset(place, tmp_path, monkeypatch):
    file = tmp_path / "my.toml"
    file.write_text('preset = "risk-averse"\n' if place == "file" else 'preset = "balanced"\n')
    if place != "file":
        monkeypatch.setenv("RINGFENCE__PRESET", "risk-averse" if place == "environment" else "balanced")
    flags = (Flag("preset", "--preset", "risk-averse"),) if place == "flag" else ()
    assert load(file, flags).entry == PRESETS["risk-averse"].entry


@pytest.mark.parametrize(
    ("name", "meant"),
    [("agressive", '"aggressive"'), ("risk_averse", '"risk-averse"'), ("", "balanced"), ("yolo", "known: ")],
)
def test_an_unknown_preset_is_refused_with_the_nearest(name, meant):
    with pytest.raises(UserError) as caught:
        chosen(name)
    assert f'--preset was "{name}", but there is no such preset' in str(caught.value)
    assert meant in str(caught.value)


def test_a_preset_under_a_misspelt_variable_is_not_passed_over(monkeypatch):
    monkeypatch.setenv("RINGFENCE_PRESET", "aggressive")
    with pytest.raises(UserError, match="RINGFENCE__PRESET"):
        load()


def test_what_contradicts_a_value_of_the_preset_is_refused_with_the_presets_name():
    with pytest.raises(UserError) as caught:
        chosen("risk-averse", Flag("entry.position_cap_fraction", "--flag", 0.3))
    assert "0.15 is below entry.position_cap_fraction 0.3" in str(caught.value)
    assert "(preset risk-averse sets margin.limits.position_cap_fraction)" in str(caught.value)


def test_every_setting_says_where_it_comes_from(tmp_path, monkeypatch):
    file = tmp_path / "my.toml"
    file.write_text("[brackets]\n[entry]\nmax_leverage = 3\n[strategy.params.ema_cross]\nfast = 5\n")
    monkeypatch.setenv("RINGFENCE__RUN__SEED", "3")
    settings, origins = load_with_origins(file, (Flag("preset", "--preset", "risk-averse"),))
    assert origins["preset"] == "--preset"
    assert origins["run.seed"] == "RINGFENCE__RUN__SEED"
    assert origins["entry.max_leverage"] == str(file)
    assert origins["strategy.params.ema_cross.fast"] == str(file)
    assert origins["entry.risk_fraction"] == "preset risk-averse"
    assert origins["margin.params.liquidation_probability.alpha"] == "preset risk-averse"
    assert origins["entry.max_positions"] == origins["brackets.trail_distance_r"] == "default"
    of_preset = {key for key, origin in origins.items() if origin == "preset risk-averse"}
    assert of_preset == {".".join(path) for path in own_values("risk-averse")} - {"entry.max_leverage"}
    assert set(origins) >= {".".join(path) for path in preset_values(settings.preset)}


def test_a_weaker_place_is_not_named(tmp_path, monkeypatch):
    file = tmp_path / "my.toml"
    file.write_text("[run]\nseed = 2\n")
    monkeypatch.setenv("RINGFENCE__RUN__SEED", "3")
    assert load_with_origins(file).origins["run.seed"] == "RINGFENCE__RUN__SEED"


def test_the_hash_tells_presets_apart_and_the_stored_settings_load_without_the_preset():
    assert len({config_hash(chosen(name)) for name in PRESETS}) == len(PRESETS)
    stored = json.loads(json.dumps(effective(chosen("aggressive"))))
    assert load(flags=tuple(Flag(key, "", value) for key, value in stored.items())) == chosen("aggressive")


def test_presets_differ_in_settings_that_exist():
    known = set(setting_paths(known_keys(Settings)))
    paths = list(differing())
    assert paths
    assert set(paths) <= known
    for path in paths:
        assert len({preset_values(name).get(path) for name in PRESETS}) > 1, path
