"""The documents of the settings are those of the models, and the profiles in config/ are usable."""

import re
import tomllib
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.risk.presets import PRESETS
from bot.settings import Flag, load
from bot.settings.keys import known_keys
from bot.settings.model import Settings
from bot.settings.reference import PROFILE_HEAD, profile, tables, with_table

_MAKE = "run: python -m bot.settings.reference config"


@pytest.fixture
def config(root) -> Path:
    return root / "config"


def _leaves(tree: dict, above: str = "") -> set[str]:
    found = set()
    for name, below in tree.items():
        is_open = "*" in below
        found |= {above + name} if not below or is_open else _leaves(below, f"{above}{name}.")
    return found


def test_the_reference_holds_every_setting_and_nothing_else():
    documented = {entry.name for table in tables() for entry in table.entries}
    without_settings = {"margin.params.static"}
    assert documented == _leaves(known_keys(Settings)) - without_settings


def test_every_setting_has_a_meaning_and_every_number_its_bounds():
    for table in tables():
        for entry in table.entries:
            assert entry.meaning.endswith("."), f"{entry.name}: {entry.meaning!r}"
            is_number = isinstance(entry.default, int | float) and not isinstance(entry.default, bool)
            assert entry.bounds or not is_number, f"{entry.name} has no bounds"


def test_the_table_in_the_readme_is_up_to_date(config):
    text = (config / "README.md").read_text()
    assert text == with_table(text), _MAKE


def test_the_paper_profile_is_up_to_date(config):
    assert (config / "paper.toml").read_text() == PROFILE_HEAD + profile(), _MAKE


def test_the_paper_profile_says_what_the_defaults_are(config):
    assert load(config / "paper.toml") == load()


@pytest.mark.parametrize("name", PRESETS)
def test_the_paper_profile_leaves_the_choice_of_a_preset(config, name):
    flags = (Flag("preset", "--preset", name),)
    assert load(config / "paper.toml", flags) == load(flags=flags)


def test_a_default_out_of_the_profile_is_accepted_when_uncommented(config):
    """An example behind a comment sign must work when the sign is taken away."""
    bare = re.sub(r"^# (?=[a-z_]+ = )", "", profile(), flags=re.MULTILINE)
    values = tomllib.loads(bare)
    assert values["run"]["for_seconds"] == "10m"
    flags = tuple(Flag(section, "", value) for section, value in values.items())
    assert load(flags=flags).run.for_seconds == 600.0


def test_the_replay_profile_is_usable(config):
    settings = load(config / "replay.toml")
    assert (settings.feed.kind, settings.run.headless) == ("replay", True)


def test_the_testnet_example_is_usable_and_the_live_one_only_when_live_is_allowed(config, tmp_path):
    assert load(config / "testnet.example.toml").exchange.name == "binanceusdm"
    path = config / "live.example.toml"
    with pytest.raises(UserError, match="allow_live is false"):
        load(path)
    allowed = tmp_path / "live.toml"
    allowed.write_text(path.read_text().replace("allow_live = false", "allow_live = true"))
    assert load(allowed).run.mode == "live"


def test_bounds_said_in_hand_written_profiles_are_the_true_ones(config):
    """A comment "[from 1 to 125, x]" above a key must be what the reference says of it."""
    said = {
        entry.name: ", ".join(text for text in (entry.bounds, entry.unit) if text)
        for table in tables()
        for entry in table.entries
    }
    checked = 0
    for path in sorted(config.glob("*.toml")):
        table, comment = "", ""
        for line in path.read_text().splitlines():
            if line.startswith("["):
                table = line.strip("[]")
            elif line.startswith("# "):
                comment = line
            elif " = " in line and comment.endswith("]"):
                key = f"{table}.{line.partition(' = ')[0]}".lstrip(".")
                assert comment.endswith(f"[{said[key]}]"), f"{path.name}: {key}"
                checked += 1
                comment = ""
    assert checked > 40
