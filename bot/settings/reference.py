"""Documents every setting from the models: the table of config/README.md and config/paper.toml.

`python -m bot.settings.reference DIR` writes both; a test compares them with the models.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.core.timerange import TimeRange
from bot.risk.presets import PRESETS
from bot.settings.bounded import Bounded
from bot.settings.model import Settings
from bot.settings.preset import own_values
from bot.settings.values import speed_text

_SPEED: Final = "run.speed"


class Entry(NamedTuple):
    """One setting. `default` is None when there is none; `example` is a value to show then."""

    table: str
    key: str
    default: Any
    example: Any
    bounds: str
    unit: str
    meaning: str

    @property
    def name(self) -> str:
        """The dotted key."""
        return f"{self.table}.{self.key}".lstrip(".")

    @property
    def of_presets(self) -> tuple[tuple[str, Any], ...]:
        """Which presets have another default, and theirs."""
        path = tuple(self.name.split("."))
        own = ((preset, own_values(preset)) for preset in PRESETS)
        return tuple((preset, values[path]) for preset, values in own if path in values)


class Table(NamedTuple):
    """One table of the file, with what it is for."""

    name: str
    meaning: str
    entries: tuple[Entry, ...]


def tables(model: type[BaseModel] = Settings, above: str = "") -> Iterator[Table]:
    """Yield every table of settings in order, tables inside a table after its own entries."""
    plain = {name: field for name, field in model.model_fields.items() if not _is_table(field)}
    if plain:
        entries = tuple(_entry(above, name, field) for name, field in plain.items())
        yield Table(above, _first_line(model), entries)
    for name, field in model.model_fields.items():
        if _is_table(field):
            yield from _tables_below(f"{above}.{name}".lstrip("."), field)


def markdown() -> str:
    """Return the table of all settings for people."""
    lines = ["| key | default | bounds | unit | meaning |", "|---|---|---|---|---|"]
    for table in tables():
        for entry in table.entries:
            default = "" if entry.default is None or entry.default == {} else f"`{_toml(entry.default)}`"
            default += "".join(f"; {preset} `{_toml(value)}`" for preset, value in entry.of_presets)
            meaning = entry.meaning.replace("|", r"\|")
            lines.append(f"| `{entry.name}` | {default} | {entry.bounds} | {entry.unit} | {meaning} |")
    return "\n".join(lines) + "\n"


def profile() -> str:
    """Return a TOML file that sets every setting to its default, each with meaning, unit and bounds.

    What a preset changes stands behind a comment sign: a file would win over the preset.
    """
    parts = []
    for table in tables():
        if not table.entries:
            continue
        if table.name:
            parts.append(f"\n# {table.meaning}\n[{table.name}]")
        parts.extend(_profile_lines(entry) for entry in table.entries)
    return "\n".join(parts).lstrip() + "\n"


def _profile_lines(entry: Entry) -> str:
    limits = ", ".join(text for text in (entry.bounds, entry.unit) if text)
    others = ", ".join(f"{preset} {_toml(value)}" for preset, value in entry.of_presets)
    comment = f"# {entry.meaning}{f' Presets: {others}.' if others else ''}" + (
        f" [{limits}]" if limits else ""
    )
    if isinstance(entry.default, dict):
        return f"{comment}\n# [{entry.table}.{entry.key}.NAME]"
    if entry.default is None:
        return f"{comment}\n# {entry.key} = {_toml(entry.example)}"
    if others:
        return f"{comment}\n# {entry.key} = {_toml(entry.default)}"
    return f"{comment}\n{entry.key} = {_toml(entry.default)}"


def _tables_below(name: str, field: FieldInfo) -> Iterator[Table]:
    bounds = _bounds_of_tuple(field)
    if bounds is None:
        yield from tables(_model(field), name)
        return
    default = field.get_default(call_default_factory=True)
    entries = tuple(
        Entry(
            name,
            key,
            value,
            None,
            f"from {_figure(bound.low)} to {_figure(bound.high)}",
            bound.unit,
            bound.doc,
        )
        for key, value in default._asdict().items()
        for bound in (bounds[key],)
    )
    yield Table(name, field.description or _first_line(type(default)), entries)


def _entry(table: str, name: str, field: FieldInfo) -> Entry:
    extra: Any = field.json_schema_extra or {}
    default = field.get_default(call_default_factory=True)
    if f"{table}.{name}" == _SPEED:
        default = speed_text(default)
    meaning = field.description or ""
    bounds = " or ".join(PRESETS) if name == "preset" else _bounds(field)
    return Entry(table, name, default, extra.get("example"), bounds, extra.get("unit", ""), meaning)


def _bounds(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return " or ".join(str(choice) for choice in get_args(field.annotation))
    texts = []
    for limit in field.metadata:
        match limit:
            case Ge(low):
                texts.append(f"from {_figure(low)}")
            case Gt(low):
                texts.append(f"above {_figure(low)}")
            case Le(high):
                texts.append(f"to {_figure(high)}")
            case Lt(high):
                texts.append(f"below {_figure(high)}")
            case _:
                pass
    return " ".join(texts)


def _figure(value: Any) -> str:
    return f"{value:.0f}" if abs(value) >= 1 and value == int(value) else f"{value:g}"


def _is_table(field: FieldInfo) -> bool:
    kind = field.annotation
    return isinstance(kind, type) and (issubclass(kind, BaseModel) or _bounds_of_tuple(field) is not None)


def _bounds_of_tuple(field: FieldInfo) -> Any:
    return next((item.bounds for item in field.metadata if isinstance(item, Bounded)), None)


def _model(field: FieldInfo) -> type[BaseModel]:
    assert isinstance(field.annotation, type)
    assert issubclass(field.annotation, BaseModel)
    return field.annotation


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]


def _toml(value: Any) -> str:
    if isinstance(value, TimeRange | Path):
        return json.dumps(str(value))
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, dict):
        return "{}"
    return json.dumps(value) if isinstance(value, str | bool) else repr(value)


def write(folder: Path) -> None:
    """Write paper.toml, and the table of README.md between its two marks, into `folder`."""
    (folder / "paper.toml").write_text(PROFILE_HEAD + profile(), encoding="utf-8")
    readme = folder / "README.md"
    readme.write_text(with_table(readme.read_text(encoding="utf-8")), encoding="utf-8")


def with_table(text: str) -> str:
    """Return a README with the table between its marks made anew. ValueError: a mark is missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the marks {BEGIN!r} and {END!r} were expected")
    return f"{before}{begin}\n{markdown()}{end}{after}"


BEGIN: Final = "<!-- settings: begin -->"
END: Final = "<!-- settings: end -->"
PROFILE_HEAD: Final = """\
# Paper trading: every setting at its default. Start with
#     ringfence trade --config config/paper.toml
# Behind each meaning stand the bounds (both ends included) and the unit. What a preset decides is behind a
# comment sign: written here it would win over the preset. Relative paths begin at the working directory.
# Made by `python -m bot.settings.reference config`; copy the file before editing.

"""

if __name__ == "__main__":
    write(Path(sys.argv[1]))
