"""`ringfence show-config` and `check-config`: what is in force, and whether a run could start."""

from collections.abc import Iterator
from typing import Any

from bot.cli.options import Config, Json, PresetName, flags_of, settings_with
from bot.cli.output import cell, show_json


def show_config(config: Config = None, preset: PresetName = None, as_json: Json = False) -> None:
    """Show every setting in force and where it was said, secrets redacted, and the configuration's hash."""
    from bot.settings import config_hash, effective, load_with_origins

    settings, origins = load_with_origins(config, flags_of({"preset": ("--preset", preset)}))
    digest, shown = config_hash(settings), effective(settings)
    if as_json:
        show_json({"config_hash": digest, "config": shown, "origins": origins})
        return
    for key, value in _values((), shown):
        origin = "" if origins[key] == "default" else f"  # {origins[key]}"
        print(f"{key} = {_text(value)}{origin}")
    print(f"configuration {digest}")


def check_config(config: Config = None, preset: PresetName = None, as_json: Json = False) -> None:
    """Check settings, strategy, files and folders as a run would, and write nothing."""
    from bot.cli.readiness import check_ready
    from bot.settings import config_hash

    settings = settings_with(config, preset)
    check_ready(settings)
    if as_json:
        show_json({"is_valid": True, "config_hash": config_hash(settings)})
    else:
        print(f"The configuration {config_hash(settings)} is valid: a run could start with it.")


def _values(path: tuple[str, ...], table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        below = (*path, name)
        if isinstance(value, dict) and value:
            yield from _values(below, value)
        elif value != {}:
            yield ".".join(below), value


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return cell(value) if value in (None, "") else str(value)
