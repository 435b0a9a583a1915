"""`ringfence show-config` and `check-config`: what is in force, and whether a run could start."""

from typing import Any

from bot.cli.options import Config, Json, settings_of
from bot.cli.output import cell, show_json


def show_config(config: Config = None, as_json: Json = False) -> None:
    """Show every setting in force, secrets redacted, and the configuration's hash."""
    from bot.settings import config_hash, effective

    settings = settings_of(config, {})
    if as_json:
        show_json({"config_hash": config_hash(settings), "config": effective(settings)})
        return
    for line in _lines((), effective(settings)):
        print(line)
    print(f"configuration {config_hash(settings)}")


def check_config(config: Config = None, as_json: Json = False) -> None:
    """Check settings, strategy, files and folders as a run would, and write nothing."""
    from bot.cli.readiness import check_ready
    from bot.settings import config_hash

    settings = settings_of(config, {})
    check_ready(settings)
    if as_json:
        show_json({"is_valid": True, "config_hash": config_hash(settings)})
    else:
        print(f"The configuration {config_hash(settings)} is valid: a run could start with it.")


def _lines(path: tuple[str, ...], table: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in table.items():
        if isinstance(value, dict):
            lines += _lines((*path, name), value)
        else:
            lines.append(f"{'.'.join((*path, name))} = {_text(value)}")
    return lines


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return cell(value) if value in (None, "") else str(value)
