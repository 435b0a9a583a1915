"""Strategies found by name, path or module:Class. What is wrong with one is said as a UserError."""

import hashlib
import importlib
import importlib.util
import stat
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from bot.errors import UserError
from bot.strategy import Strategy

# Somebody else's code may raise anything, also by sys.exit(). KeyboardInterrupt is the user's own.
_FAILURES: Final = (Exception, SystemExit)
_FRAMES: Final = ("polars", "pandas")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return 'did you mean "x"?', or the known names when none is near."""
    by_shape = {_shape(word): word for word in known}
    nearest = get_close_matches(_shape(name), by_shape, n=1)
    if nearest:
        return f'did you mean "{by_shape[nearest[0]]}"?'
    return f"known: {', '.join(sorted(by_shape.values())) or 'none'}."


def strategy_key(name: str) -> str:
    """Return the name under which a strategy's parameters stand in [strategy.params]."""
    if _is_path(name):
        return Path(name).stem
    return name.rpartition(":")[2]


def strategy_files(directory: Path) -> dict[str, Path]:
    """Return every strategy file of `directory` by name, sorted; empty when there is no such folder."""
    files = sorted(directory.glob("*.py")) if directory.is_dir() else []
    return {file.stem: file for file in files if not file.stem.startswith("_")}


def load_strategy(name: str, directory: Path, parameters: Mapping[str, Any]) -> Strategy:
    """Return the strategy constructed with `parameters`. Raises UserError when it cannot be used.

    `name` is a file of `directory` without ".py", a path to a file, or module:Class of that folder.
    """
    kind = strategy_class(name, directory)
    try:
        strategy = kind(**parameters)
        warmup = strategy.warmup
    except _FAILURES as error:  # a strategy is somebody else's code
        raise UserError(
            f'Strategy "{name}" cannot be built: {_said(error)}. '
            f"Correct [strategy.params.{strategy_key(name)}] or the strategy."
        ) from error
    if isinstance(warmup, bool) or not isinstance(warmup, int) or warmup < 1:
        raise UserError(
            f'Strategy "{name}" has warmup = {warmup!r}, but a whole number of candles above zero is needed. '
            "Correct the strategy."
        )
    return strategy


def source_of(strategy: Strategy) -> tuple[Path, str]:
    """Return the file that the strategy's class stands in, and the SHA-256 of its content."""
    file = Path(str(sys.modules[type(strategy).__module__].__file__)).resolve()
    return file, hashlib.sha256(file.read_bytes()).hexdigest()


def strategy_class(name: str, directory: Path) -> type[Strategy]:
    """Return the class of `name` (see `load_strategy`), not constructed. Raises UserError."""
    if _is_path(name):
        return _class_of_file(name, Path(name))
    if ":" in name:
        return _class_of_module(name, directory)
    if not directory.is_dir():
        raise UserError(
            f'The folder {directory.resolve()} does not exist; the strategy "{name}" is sought there: '
            "run from the checkout, or set strategy.directory to the folder of your strategies."
        )
    files = strategy_files(directory)
    if name not in files:
        raise UserError(
            f'There is no strategy "{name}" in the folder {directory}: {did_you_mean(name, files)} '
            "Name one of them, a path to a file, or module:Class."
        )
    return _class_of_file(name, files[name])


def check_confined(name: str, directory: Path) -> Path:
    """Return the file of the strategy, where a key is at stake: one of the configured folder, and no other.

    UserError: a path elsewhere (also through a link), module:Class, or a file that anybody may change.
    """
    file = Path(name) if _is_path(name) else directory / f"{name}.py"
    folder = directory.resolve()
    if (":" in name and not _is_path(name)) or not file.resolve().is_relative_to(folder):
        raise UserError(
            f'Strategy "{name}" is not a file of the folder {folder}. A strategy is code and runs with your '
            "keys, so that outside of paper trading only that folder is loaded from. Put the file there, or "
            "set strategy.directory to the folder that you keep strategies in."
        )
    for path in (folder, file.resolve()):
        if path.exists() and path.stat().st_mode & stat.S_IWOTH:
            raise UserError(
                f"Every user of this machine may write to {path}. A strategy is code and gets your keys; "
                f"nothing was started. Take that right away: chmod o-w {path}"
            )
    return file


def check_pinned(name: str, directory: Path, sha256: str) -> None:
    """Return when the strategy's file is the one that was pinned, or none was; nothing of it has run yet.

    UserError: its content is another. What it imports is not looked at.
    """
    file = Path(name) if _is_path(name) else directory / f"{name}.py"
    if not sha256 or (file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256):
        return
    raise UserError(
        f'Strategy "{name}" is not the file whose SHA-256 strategy.sha256 names. Nothing of it was run. Read '
        f"what changed in {file}; then set strategy.sha256 to its sum anew (sha256sum {file})."
    )


def check_strategy_tables(name: str, directory: Path, tables: Iterable[str]) -> None:
    """Return when each table of [strategy.params] belongs to a strategy there is; UserError otherwise."""
    known = {*strategy_files(directory), strategy_key(name)}
    for table in tables:
        if table not in known:
            raise UserError(
                f"[strategy.params.{table}] belongs to no strategy: {did_you_mean(table, known)} "
                "Correct the table's name or remove it."
            )


def _class_of_file(name: str, path: Path) -> type[Strategy]:
    if not path.is_file():
        raise UserError(
            f"There is no strategy file {path}. Check the path, or name a file of the strategies folder."
        )
    return _only_strategy(name, _module_of(name, path))


def _class_of_module(name: str, directory: Path) -> type[Strategy]:
    """Return a class of one of several in a file of the folder; no other module is imported."""
    module_name, _, class_name = name.rpartition(":")
    file = _file_of_module(module_name, directory)
    if file is None:
        raise UserError(
            f'Strategy "{name}" is not in the folder {directory.resolve()}: no {module_name} is there, '
            "and no other module is run as a strategy. Nothing of it was run. Put the file there, or "
            "set strategy.directory to the folder that you keep strategies in."
        )
    module = _module_of(name, file)
    kind = getattr(module, class_name, None)
    if not (isinstance(kind, type) and issubclass(kind, Strategy)):
        known = _strategies_in(module)
        raise UserError(
            f'Module {module_name} has no strategy class "{class_name}": {did_you_mean(class_name, known)} '
            "A strategy is a subclass of bot.strategy.Strategy."
        )
    return kind


def _file_of_module(module_name: str, directory: Path) -> Path | None:
    """Return the folder's file that a module is, named with the folder or without it."""
    relative, folder = Path(f"{module_name.replace('.', '/')}.py"), directory.resolve()
    for base in (folder, folder.parent):
        file = (base / relative).resolve()
        if file.is_file() and file.is_relative_to(folder):
            return file
    return None


def _module_of(name: str, path: Path) -> ModuleType:
    """Import a file by its path, under a name that cannot hide an installed module."""
    _import_indicators()
    spec = importlib.util.spec_from_file_location(f"ringfence_strategy_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UserError(f"Strategy file {path} is not a Python file. Name a file that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # pickling and dataclasses look the module up by name
    try:
        spec.loader.exec_module(module)
    except _FAILURES as error:
        del sys.modules[spec.name]
        raise _cannot_import(name, error) from error
    return module


def _import_indicators() -> None:
    """Import TA-Lib without the frames whose Series it would look for among the arguments of every call.

    Strategies hand it arrays. Only replays need polars; it costs a tenth of a second and 30 MB. pandas, which
    nothing here needs, would cost more where somebody has it installed.
    """
    hidden = [name for name in _FRAMES if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # pyright: ignore[reportArgumentType]  an import finds it not installed
    try:
        with suppress(ImportError):  # a strategy that needs it says so itself
            importlib.import_module("talib")
    finally:
        for name in hidden:
            del sys.modules[name]


def _only_strategy(name: str, module: ModuleType) -> type[Strategy]:
    own = _strategies_in(module)
    if len(own) == 1:
        return next(iter(own.values()))
    found = f"{len(own)} ({', '.join(own)})" if own else "none"
    raise UserError(
        f'Strategy "{name}" must hold exactly one subclass of bot.strategy.Strategy, and holds {found}. '
        "Keep one strategy in a file, or name the class as module:Class."
    )


def _strategies_in(module: ModuleType) -> dict[str, type[Strategy]]:
    return {
        word: value
        for word, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == module.__name__
    }


def _cannot_import(name: str, error: BaseException) -> UserError:
    return UserError(
        f'Strategy "{name}" cannot be imported: {_said(error)}. Correct the file and start again.'
    )


def _said(error: BaseException) -> str:
    """One line of what an error said and where, without a traceback."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
    text = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {text}{where}".removeprefix("ValueError: ")


def _is_path(name: str) -> bool:
    return name.endswith(".py") or "/" in name or "\\" in name


def _shape(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
