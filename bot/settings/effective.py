"""The configuration as it is in force: what is shown, hashed and stored with a run."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from bot.core.timerange import TimeRange, timerange_text
from bot.redaction import REDACTED, is_secret_name, url_secrets
from bot.settings.model import Settings
from bot.settings.telegram import token_secrets
from bot.settings.values import plain, speed_text

HASH_LENGTH = 12


def effective(settings: Settings) -> dict[str, Any]:
    """Return every setting as plain JSON values, secrets redacted."""
    shown = _plain(settings)
    shown["run"]["speed"] = speed_text(settings.run.speed)
    return shown


def secret_values(settings: Settings) -> tuple[str, ...]:
    """Return what was given as secrets, to be looked for in texts before they are shown."""
    given = (getattr(settings.exchange, name) for name in type(settings.exchange).model_fields)
    urls = (plain(route.apprise_url) for route in settings.alerts.routes.values())
    keys = (plain(value) for value in given if isinstance(value, SecretStr))
    chat = token_secrets(settings.telegram.bot_token)
    return (*keys, *(part for url in urls for part in url_secrets(url)), *chat)


def config_hash(settings: Settings) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of the effective settings' canonical JSON."""
    canonical = json.dumps(effective(settings), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:HASH_LENGTH]


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return REDACTED
    if isinstance(value, TimeRange):
        return timerange_text(value)
    if isinstance(value, BaseModel):
        return _table({name: getattr(value, name) for name in type(value).model_fields})
    if hasattr(value, "_asdict"):
        return _table(value._asdict())
    if isinstance(value, dict):
        return _table(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _table(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: REDACTED if is_secret_name(name) and value is not None else _plain(value)
        for name, value in values.items()
    }
