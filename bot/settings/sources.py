"""Reads the four places a setting may come from and says where each value was found."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic_settings import (
    EnvSettingsSource,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsError,
    TomlConfigSettingsSource,
)

from bot.errors import UserError
from bot.redaction import is_secret_name
from bot.settings.keys import Given, Tree, given_in
from bot.settings.model import ENVIRONMENT_PREFIX, NESTING, Settings
from bot.settings.near_misses import variable_meant
from bot.settings.preset import tables

SECRETS_VARIABLE: Final = "RINGFENCE_SECRETS_DIR"
DEFAULT_SECRETS: Final = Path("/run/secrets")


class Flag(NamedTuple):
    """A value given on the command line. `key` is the dotted setting, `name` the flag as typed."""

    key: str
    name: str
    value: Any


class Source(NamedTuple):
    """`readers` are the pydantic-settings sources; `given` says where each of their values stands."""

    readers: tuple[PydanticBaseSettingsSource, ...]
    given: tuple[Given, ...]


def flags_given(flags: tuple[Flag, ...]) -> tuple[Given, ...]:
    """Return the flags as given values."""
    return tuple(Given(tuple(flag.key.split(".")), flag.name, flag.value) for flag in flags)


def nested(flags: tuple[Flag, ...]) -> dict[str, Any]:
    """Return the flags as nested tables, as settings are constructed from."""
    return tables({tuple(flag.key.split(".")): flag.value for flag in flags})


def environment(known: Tree) -> Source:
    """Return what the variables RINGFENCE__SECTION__KEY set.

    Raises UserError for a variable that only looks like one of them: a lost underscore, a misspelt prefix.
    """
    given = []
    for variable, value in sorted(os.environ.items()):
        meant = variable_meant(variable, known)
        if meant:
            raise UserError(
                f"The environment variable {variable} is unknown: settings begin with {ENVIRONMENT_PREFIX} "
                "and their parts are joined by two underscores, "
                f'did you mean "{meant}"? Rename or unset it.'
            )
        if variable.upper().startswith(ENVIRONMENT_PREFIX):
            path = variable[len(ENVIRONMENT_PREFIX) :].lower().split(NESTING)
            given.append(Given(tuple(path), variable, value))
    return Source((EnvSettingsSource(Settings),), tuple(given))


def secrets(known: Tree) -> Source:
    """Return what the files of the secrets folder set: `section__key`, or `key` in a folder `section`.

    The folder is RINGFENCE_SECRETS_DIR, else /run/secrets; in the latter, which other programs may
    share, files of no known section are passed over. Raises UserError when it cannot be read.
    """
    chosen = os.environ.get(SECRETS_VARIABLE)
    folder = Path(chosen) if chosen else DEFAULT_SECRETS
    if chosen and not folder.is_dir():
        raise UserError(
            f"The secrets folder {folder} ({SECRETS_VARIABLE}) does not exist or is not a folder. "
            "Create it, or unset the variable."
        )
    if not folder.is_dir():
        return Source((), ())
    try:
        return _secrets_of(folder, known, is_shared=not chosen)
    except (OSError, SettingsError, UnicodeDecodeError) as error:
        raise UserError(
            f"The secrets folder {folder} cannot be read: {error}. Make its files readable text."
        ) from error


def config_file(path: Path | None) -> Source:
    """Return what a TOML file sets. Raises UserError when it cannot be read or is no TOML."""
    if path is None:
        return Source((), ())
    if not path.is_file():
        raise UserError(
            f"There is no configuration file {path}. Check --config; examples stand in the folder config/."
        )
    reader = _read(path, lambda: TomlConfigSettingsSource(Settings, toml_file=path))
    return Source((reader,), tuple(given_in(reader.toml_data, str(path))))


def secrets_in(given: tuple[Given, ...]) -> tuple[str, ...]:
    """Return a clause for each secret among the values of a file that is copied, shown and committed."""
    return tuple(
        f"{item.where}: put it into the secrets folder or the environment, and "
        "make a new key if anybody has seen the file"
        for item in given
        if is_secret_name(item.path[-1])
    )


def secret_variables() -> tuple[str, ...]:
    """Return the environment variables that hold a secret of the exchange, sorted."""
    begin = f"{ENVIRONMENT_PREFIX}EXCHANGE{NESTING}"
    names = (name for name, value in os.environ.items() if value and name.upper().startswith(begin))
    return tuple(sorted(name for name in names if is_secret_name(name[len(begin) :])))


def _refuse_readable(folder: Path, file: Path) -> None:
    """Refuse a secret that others may read or put in its place; /run/secrets is the container's own."""
    path = folder / file
    if path.stat().st_mode & (stat.S_IROTH | stat.S_IRGRP):
        raise UserError(
            f"Other users of this machine may read the secret {path}. Nothing was started: chmod 600 {path}, "
            "and make a new key if others use this machine."
        )
    if folder.stat().st_mode & (stat.S_IWOTH | stat.S_IWGRP):
        raise UserError(
            f"Other users of this machine may put files into the secrets folder {folder}. Nothing was "
            f"started: chmod 700 {folder}."
        )


def _secrets_of(folder: Path, known: Tree, is_shared: bool) -> Source:
    given = []
    for relative in NestedSecretsSettingsSource.load_secrets(folder.resolve()):
        if not is_shared:
            _refuse_readable(folder, Path(relative))
        path = tuple(part for piece in Path(relative).parts for part in piece.lower().split(NESTING))
        if path[0] in known or not is_shared:
            given.append(Given(path, f"secret {folder / relative}", "[redacted]"))
    base = SecretsSettingsSource(Settings, secrets_dir=folder)
    flat = NestedSecretsSettingsSource(
        base, secrets_dir=folder, secrets_prefix="", secrets_nested_delimiter=NESTING
    )
    in_folders = NestedSecretsSettingsSource(
        base, secrets_dir=folder, secrets_prefix="", secrets_nested_subdir=True
    )
    return Source((flat, in_folders), tuple(given))


def _read(path: Path, reader: Callable[[], TomlConfigSettingsSource]) -> TomlConfigSettingsSource:
    try:
        return reader()
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        raise UserError(
            f"The configuration file {path} cannot be read: {error}. "
            "Correct it, or start from config/paper.toml."
        ) from error
