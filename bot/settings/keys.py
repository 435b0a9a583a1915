"""The tree of known settings, and what each source gave: for did-you-mean and for naming a culprit."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from bot.core.timerange import TimeRange
from bot.plugins import did_you_mean

Path = tuple[str, ...]
Tree = dict[str, Any]

# What exchanges and other programs call a setting, where no letters are shared with its name here.
_ALSO_CALLED: Final = {
    "passphrase": "password",
    "key": "api_key",
    "api_secret": "secret",
    "secret_key": "secret",
}
ANY: Final = "*"  # a table whose keys are names of strategies, or of their parameters


class Given(NamedTuple):
    """One value of one source. `where` is how a person finds it: a file and key, a variable, a flag."""

    path: Path
    where: str
    value: Any


def known_keys(model: type[BaseModel]) -> Tree:
    """Return the settings below `model` as nested tables; a setting's own entry is empty."""
    return {name: _below(field.annotation) for name, field in model.model_fields.items()}


def given_in(table: Mapping[str, Any], where: str, path: Path = ()) -> Iterator[Given]:
    """Yield every value of a nested table, empty tables included."""
    for name, value in table.items():
        below = (*path, name)
        if isinstance(value, Mapping) and value:
            yield from given_in(value, where, below)
        else:
            yield Given(below, f"{where}: {'.'.join(below)}", value)


def unknown_keys(given: Iterable[Given], tree: Tree) -> list[str]:
    """Return one clause for each value that no setting takes, with the nearest known key."""
    return [clause for item in given if (clause := _unknown(item, tree))]


def find(given: Iterable[Given], path: Path) -> Given | None:
    """Return the first value given for the setting at `path` or for a part of it."""
    return next((item for item in given if item.path == path[: len(item.path)]), None)


def quoted_numbers(given: Iterable[Given], settings: BaseModel) -> list[str]:
    """Return one clause for each text of a file that stands where `settings` hold a number.

    Texts that are more than a number, such as "10m" or "60x", are what their settings are written as.
    """
    return [
        f'{item.where} was "{item.value}", but a number is written without quotes'
        for item in given
        if isinstance(item.value, str) and _is_number(item.value) and _holds_number(settings, item.path)
    ]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _holds_number(settings: BaseModel, path: Path) -> bool:
    value: Any = settings
    for name in path:
        value = value[name] if isinstance(value, Mapping) else getattr(value, name)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unknown(item: Given, tree: Tree) -> str:
    level = tree
    for depth, name in enumerate(item.path):
        if not level:
            return f"{item.where} is unknown: {'.'.join(item.path[:depth])} is one setting, not a table"
        if name not in level and ANY not in level:
            return f"{item.where} is unknown: {_suggestion(item.path[:depth], name, level, tree)}"
        level = level.get(name, level.get(ANY))
    if level and not isinstance(item.value, Mapping):
        return f"{item.where} is unknown: {'.'.join(item.path)} is a table of {', '.join(level)}"
    return ""


def _suggestion(above: Path, name: str, level: Tree, tree: Tree) -> str:
    table = f"[{'.'.join(above)}]" if above else "the top level"
    elsewhere = next(_paths_of(name, tree), "") or _also_called(above, name, level)
    meant = f'did you mean "{elsewhere}"?' if elsewhere else did_you_mean(name, level).rstrip(".")
    return f'there is no "{name}" in {table}, {meant}'


def _also_called(above: Path, name: str, level: Tree) -> str:
    ours = _ALSO_CALLED.get(name, "")
    return ".".join((*above, ours)) if ours in level else ""


def _paths_of(name: str, tree: Tree, above: str = "") -> Iterator[str]:
    for key, below in tree.items():
        if key == name and not below:
            yield above + key
        yield from _paths_of(name, below, f"{above}{key}.")


def _below(annotation: Any) -> Tree:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return known_keys(annotation)
    if isinstance(annotation, type) and hasattr(annotation, "_fields") and hasattr(annotation, "_asdict"):
        return {} if annotation is TimeRange else {name: {} for name in annotation._fields}
    if get_origin(annotation) is dict:
        return {ANY: _below(get_args(annotation)[1])}
    return {}
