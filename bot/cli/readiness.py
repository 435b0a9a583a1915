"""What can be checked of a configuration on this machine before anything is written."""

import os
from pathlib import Path

from bot.errors import UserError
from bot.plugins import check_confined, check_pinned, check_strategy_tables, load_strategy, strategy_key
from bot.settings import Settings


def check_ready(settings: Settings) -> None:
    """Return when the strategy loads and every file and folder can be used; UserError otherwise."""
    check_strategy(settings)
    check_places(settings)
    check_routes(settings)


def check_routes(settings: Settings) -> None:
    """Return when every route of alerts leads to a service; UserError otherwise. Nothing is sent."""
    if settings.alerts.routes:
        from bot.alerts.sinks import sinks_of

        sinks_of(settings.alerts.routes)


def check_strategy(settings: Settings) -> None:
    """Return when the strategy loads; UserError otherwise."""
    choice = settings.strategy
    check_strategy_tables(choice.name, choice.directory, choice.params)
    if settings.run.mode != "paper":
        check_confined(choice.name, choice.directory)
    check_pinned(choice.name, choice.directory, choice.sha256)
    load_strategy(choice.name, choice.directory, choice.params.get(strategy_key(choice.name), {}))


def check_places(settings: Settings) -> None:
    """Return when every file and folder can be used; UserError otherwise."""
    if settings.feed.kind == "replay" and settings.feed.data is not None:
        _check_data(settings.feed.data)
    if settings.run.summary is not None:
        _check_writable("run.summary", "--summary", settings.run.summary)
    if settings.log.file is not None:
        _check_writable("log.file", "RINGFENCE__LOG__FILE", settings.log.file)


def _check_data(folder: Path) -> None:
    if not folder.is_dir():
        raise UserError(
            f"There is no folder of candles {folder} (feed.data, flag --data). "
            "Check the path, or use --feed synthetic."
        )
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UserError(f"The folder of candles {folder} cannot be read. Give this user access to it.")


def _check_writable(key: str, flag: str, path: Path) -> None:
    folder = path.resolve().parent
    is_usable = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK) and not path.is_dir()
    if not is_usable or (path.exists() and not os.access(path, os.W_OK)):
        raise UserError(
            f"The file {path} ({key}) cannot be written: {_reason(path, folder)}. Correct it ({flag})."
        )


def _reason(path: Path, folder: Path) -> str:
    if not folder.is_dir():
        return f"the folder {folder} does not exist"
    return "it is a folder" if path.is_dir() else "this user has no write access"
