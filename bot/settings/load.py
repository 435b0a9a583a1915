"""Builds the settings from flags, environment, secrets and file, in this order of precedence."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import PydanticBaseSettingsSource

from bot.errors import UserError
from bot.settings.contradictions import contradictions
from bot.settings.keys import Given, find, known_keys, quoted_numbers, unknown_keys
from bot.settings.model import Settings
from bot.settings.refusal import clause
from bot.settings.sources import Flag, config_file, environment, flags_given, nested, secrets

_NEXT_STEP = 'Nothing was started: correct it ("ringfence show-config" lists every setting) and start again.'


def load(config: Path | None = None, flags: tuple[Flag, ...] = ()) -> Settings:
    """Return the checked settings: flags > environment > secrets > `config` > defaults.

    Raises UserError, in one paragraph that names every culprit and where it stands, for an unknown
    key, an impossible value, values that contradict each other, and a file that cannot be read.
    """
    known = known_keys(Settings)
    file = config_file(config)
    sources = (environment(known), secrets(known), file)
    given = (*flags_given(flags), *(item for source in sources for item in source.given))
    _refuse(unknown_keys(given, known), "Unknown settings")
    readers = tuple(reader for source in sources for reader in source.readers)
    settings = _built(nested(flags), readers, given)
    _refuse(quoted_numbers(file.given, settings), "Impossible settings")
    _refuse(contradictions(settings), "The settings contradict each other")
    return settings


def _built(
    flags: dict[str, Any], readers: tuple[PydanticBaseSettingsSource, ...], given: tuple[Given, ...]
) -> Settings:
    class FromSources(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: Any, init_settings: PydanticBaseSettingsSource, *_others: Any, **_named: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings, *readers)

    try:
        built = FromSources(**flags)
    except ValidationError as error:
        raise _refusal(error, given) from error
    return Settings.model_construct(**{name: getattr(built, name) for name in Settings.model_fields})


def _refusal(error: ValidationError, given: tuple[Given, ...]) -> UserError:
    clauses = []
    for fault in error.errors():
        path = tuple(str(part) for part in fault["loc"])
        clauses.append(clause(path, fault, find(given, path)))
    return UserError(f"Impossible settings: {_sentence(clauses)} {_NEXT_STEP}")


def _refuse(clauses: Sequence[str], fact: str) -> None:
    if clauses:
        raise UserError(f"{fact}: {_sentence(clauses)} {_NEXT_STEP}")


def _sentence(clauses: Sequence[str]) -> str:
    joined = "; ".join(dict.fromkeys(clauses))
    return joined if joined.endswith(("?", ".")) else f"{joined}."
