"""Environment variables that are nearly settings: they would otherwise be passed over in silence."""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final

from bot.settings.keys import Tree
from bot.settings.model import ENVIRONMENT_PREFIX, NESTING

_PRODUCT: Final = ENVIRONMENT_PREFIX.removesuffix(NESTING)
_LEAST_LIKENESS: Final = 0.8


def variable_meant(variable: str, known: Tree) -> str:
    """Return the variable that `variable` looks like, or nothing when it is one, or is none of ours."""
    name = variable.upper()
    if name.startswith(ENVIRONMENT_PREFIX):
        meant = _with_every_underscore(name, known)
        return "" if meant == name else meant
    if name.startswith(f"{_PRODUCT}_"):
        rest = name[len(_PRODUCT) + 1 :]
        return _with_every_underscore(name, known) or (ENVIRONMENT_PREFIX + rest if NESTING in rest else "")
    return _with_the_right_prefix(name, known)


def _with_the_right_prefix(name: str, known: Tree) -> str:
    prefix, _, rest = name.partition(NESTING)
    section, _, key = rest.partition(NESTING)
    if not key or section.lower() not in known:
        return ""
    likeness = SequenceMatcher(None, prefix, _PRODUCT).ratio()
    return ENVIRONMENT_PREFIX + rest if likeness >= _LEAST_LIKENESS else ""


def _with_every_underscore(name: str, known: Tree) -> str:
    """Return the variable of the setting whose parts `name` joins with too few underscores, if any."""
    joined = name[len(_PRODUCT) :].replace(NESTING, "_").lstrip("_").lower()
    paths = (path for path in setting_paths(known) if "_".join(path) == joined)
    path = next(paths, ())
    return ENVIRONMENT_PREFIX + NESTING.join(path).upper() if path else ""


def setting_paths(tree: Tree) -> Iterator[tuple[str, ...]]:
    """Yield the path of every setting; a table of free names ends with its asterisk."""
    for key, below in tree.items():
        if below:
            yield from ((key, *path) for path in setting_paths(below))
        else:
            yield (key,)
