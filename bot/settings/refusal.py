"""Says in plain words what is wrong with one value and where the value stands."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from bot.redaction import is_secret_name, redacted
from bot.settings.keys import Given, Path

_REASONS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "greater_than_equal": lambda context: f"it must be at least {context['ge']}",
    "less_than_equal": lambda context: f"it must be at most {context['le']}",
    "greater_than": lambda context: f"it must be above {context['gt']}",
    "less_than": lambda context: f"it must be below {context['lt']}",
    "literal_error": lambda context: f"it must be {context['expected']}",
    "value_error": lambda context: str(context["error"]),
    "int_parsing": lambda _: "it must be a whole number",
    "int_type": lambda _: "it must be a whole number",
    "int_from_float": lambda _: "it must be a whole number",
    "float_parsing": lambda _: "it must be a number",
    "float_type": lambda _: "it must be a number",
    "finite_number": lambda _: "it must be a finite number",
    "bool_parsing": lambda _: "it must be true or false",
    "bool_type": lambda _: "it must be true or false",
    "model_type": lambda _: "it must be a table",
    "model_attributes_type": lambda _: "it must be a table",
    "dict_type": lambda _: "it must be a table",
}


def clause(path: Path, fault: Mapping[str, Any], given: Given | None) -> str:
    """Return "WHERE was VALUE, but REASON" for one fault that pydantic found at `path`."""
    key = ".".join(given.path if given else path)
    where = key if given is None else _place(given, key)
    reason = _REASONS.get(fault["type"], lambda _: fault["msg"])(fault.get("ctx", {}))
    return f"{where} was {_shown(key, fault['input'], given)}, but {reason}"


def _place(given: Given, key: str) -> str:
    return given.where if given.where.endswith(key) else f"{given.where} ({key})"


def _shown(key: str, value: Any, given: Given | None) -> str:
    is_secret = is_secret_name(key.rpartition(".")[2]) or (given is not None and given.value == "[redacted]")
    if is_secret:
        return "not shown"
    return f'"{redacted("", value)}"' if isinstance(value, str) else str(value)
