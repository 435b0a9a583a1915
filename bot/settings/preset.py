"""A preset as a source of settings: weaker than all that a person wrote, stronger than the defaults."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from bot.risk.policies import POLICIES
from bot.risk.presets import DEFAULT_PRESET, PRESETS
from bot.settings.keys import Path

Values = dict[Path, Any]


class PresetSource(PydanticBaseSettingsSource):
    """What the preset that the stronger sources name sets; nothing for a name that is none."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the value of one field at the top, as the base class asks."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the preset's own values as nested tables."""
        name = self.current_state.get("preset", DEFAULT_PRESET)
        return tables(own_values(name)) if name in PRESETS else {}


def own_values(name: str) -> Values:
    """Return by path what the preset `name` sets otherwise than the defaults."""
    default = {**_default_params(PRESETS[name].policy), **preset_values(DEFAULT_PRESET)}
    return {path: value for path, value in preset_values(name).items() if value != default[path]}


def preset_values(name: str) -> Values:
    """Return every value of the preset `name` by path; params of its own policy only."""
    chosen = PRESETS[name]
    return {
        ("margin", "policy"): chosen.policy,
        **_below(chosen.params, "margin", "params", chosen.policy),
        **_below(chosen.margin, "margin", "limits"),
        **_below(chosen.entry, "entry"),
        **_below(chosen.bracket, "brackets"),
    }


def differing() -> Iterator[Path]:
    """Yield the path of every setting for which the presets differ, in the order of the settings."""
    found = [path for name in PRESETS for path in own_values(name)]
    order = [path for name in PRESETS for path in preset_values(name)]
    yield from dict.fromkeys(path for path in order if path in found)


def tables(values: Mapping[Path, Any]) -> dict[str, Any]:
    """Return values by path as nested tables."""
    root: dict[str, Any] = {}
    for (*above, name), value in values.items():
        table = root
        for part in above:
            table = table.setdefault(part, {})
        table[name] = value
    return root


def _below(values: Any, *above: str) -> Values:
    return {(*above, name): value for name, value in values._asdict().items()}


def _default_params(policy: str) -> Values:
    return _below(POLICIES[policy].default, "margin", "params", policy)
