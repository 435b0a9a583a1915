"""Builds the settings from flags, environment, secrets, file and preset, in this order of precedence."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_settings import PydanticBaseSettingsSource

from bot.errors import UserError
from bot.redaction import remember_secrets
from bot.settings.contradictions import contradictions
from bot.settings.effective import effective, secret_values
from bot.settings.keys import Given, find, known_keys, quoted_numbers, unknown_keys
from bot.settings.model import Settings
from bot.settings.origins import Origins, origins
from bot.settings.preset import PresetSource
from bot.settings.refusal import clause
from bot.settings.sources import Flag, config_file, environment, flags_given, nested, secrets, secrets_in

_NEXT_STEP = 'Nothing was started: correct it ("ringfence show-config" lists every setting) and start again.'


class Loaded(NamedTuple):
    """The settings in force and, by key, where each was said."""

    settings: Settings
    origins: Origins


def load(config: Path | None = None, flags: tuple[Flag, ...] = ()) -> Settings:
    """Return the checked settings: flags > environment > secrets > `config` > preset > defaults.

    Raises UserError, in one paragraph that names every culprit and where it stands, for an unknown
    key, an impossible value, values that contradict each other, and a file that cannot be read.
    """
    return _load(config, flags)[0]


def load_with_origins(config: Path | None = None, flags: tuple[Flag, ...] = ()) -> Loaded:
    """Return what `load` returns, and where each setting was said. Raises UserError as `load` does."""
    settings, given = _load(config, flags)
    return Loaded(settings, origins(effective(settings), given))


def _load(config: Path | None, flags: tuple[Flag, ...]) -> tuple[Settings, tuple[Given, ...]]:
    known = known_keys(Settings)
    file = config_file(config)
    sources = (environment(known), secrets(known), file)
    given = (*flags_given(flags), *(item for source in sources for item in source.given))
    _refuse(unknown_keys(given, known), "Unknown settings")
    _refuse(secrets_in(file.given), "Secrets do not belong into a configuration file")
    readers = tuple(reader for source in sources for reader in source.readers)
    settings = _built(nested(flags), readers, given)
    remember_secrets(secret_values(settings))
    _refuse(quoted_numbers(file.given, settings), "Impossible settings")
    clauses = contradictions(settings)
    if clauses:
        found = origins(effective(settings), given)
        _refuse(tuple(_with_presets(clauses, found)), "The settings contradict each other")
    return settings, given


def _built(
    flags: dict[str, Any], readers: tuple[PydanticBaseSettingsSource, ...], given: tuple[Given, ...]
) -> Settings:
    class FromSources(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: Any, init_settings: PydanticBaseSettingsSource, *_others: Any, **_named: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings, *readers, PresetSource(settings_cls))

    try:
        built = FromSources(**flags)
    except ValidationError as error:
        raise _refusal(error, given) from error
    return Settings.model_construct(**{name: getattr(built, name) for name in Settings.model_fields})


def _with_presets(clauses: Iterable[str], found: Origins) -> Iterable[str]:
    """Yield each clause, with the keys in it that nobody wrote and the preset set."""
    for text in clauses:
        by_preset = [word for word in re.findall(r"[a-z_.]*[a-z_]", text) if "preset " in found.get(word, "")]
        yield f"{text} ({found[by_preset[0]]} sets {' and '.join(by_preset)})" if by_preset else text


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
