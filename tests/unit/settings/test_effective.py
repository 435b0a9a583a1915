"""The configuration as it is shown, hashed and stored."""

import json

import pytest

from bot.redaction import REDACTED
from bot.settings import Flag, config_hash, effective, load
from bot.settings.model import Settings


def test_the_effective_settings_are_plain_json_and_complete():
    shown = effective(load())
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    assert set(shown) == set(Settings.model_fields)
    assert {"run", "exchange", "margin"} < set(shown)
    assert shown["margin"]["limits"]["max_adds"] == 6


def test_effective_settings_load_as_the_same_settings():
    settings = load(flags=(Flag("run.speed", "--speed", "max"), Flag("run.for_seconds", "--for", "10m")))
    again = tuple(Flag(section, "", value) for section, value in effective(settings).items())
    assert load(flags=again) == settings


def test_the_hash_is_the_same_for_the_same_settings_and_short():
    assert config_hash(load()) == config_hash(load())
    assert len(config_hash(load())) == 12


@pytest.mark.parametrize(
    ("key", "value"),
    [("run.seed", 9), ("margin.limits", {"max_adds": 7}), ("run.speed", "max"), ("entry.max_leverage", 9)],
)
def test_any_changed_setting_changes_the_hash(key, value):
    assert config_hash(load(flags=(Flag(key, "", value),))) != config_hash(load())


def test_a_value_under_a_secret_name_is_redacted():
    params = {"mine": {"api_key": 12_345, "fast": 3}}
    shown = effective(load(flags=(Flag("strategy.params", "", params),)))
    assert shown["strategy"]["params"]["mine"] == {"api_key": REDACTED, "fast": 3}
