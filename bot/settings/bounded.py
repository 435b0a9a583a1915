"""NamedTuples of the risk core as validated settings, so that no default and no bound stands twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from bot.risk.limits import Bound


@dataclass(frozen=True, slots=True)
class Bounded:
    """Annotation of a NamedTuple field: validates a table of its fields within `bounds` (inclusive).

    The validated value is the NamedTuple itself. Unknown fields, values out of bounds, NaN and
    infinities are refused; fields left out keep the NamedTuple's default.
    """

    bounds: Mapping[str, Bound]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema that checks a table and builds `source` from it."""
        model = _table_model(source, self.bounds)
        return core_schema.no_info_before_validator_function(
            _as_table,
            core_schema.no_info_after_validator_function(
                lambda table: source(**dict(table)), handler.generate_schema(model)
            ),
        )


def refuse_boolean(value: Any) -> Any:
    """Return `value`; ValueError for true and false, which Python would count as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("a number was expected")
    return value


def _as_table(value: Any) -> Any:
    return value._asdict() if hasattr(value, "_asdict") else value


def _table_model(kind: Any, bounds: Mapping[str, Bound]) -> type[BaseModel]:
    hints = get_type_hints(kind)
    fields: dict[str, Any] = {
        name: (_annotation(hints[name]), _field(name, kind._field_defaults, bounds)) for name in kind._fields
    }
    config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    return create_model(kind.__name__, __config__=config, **fields)


def _annotation(hint: Any) -> Any:
    return Annotated[hint, BeforeValidator(refuse_boolean)] if hint in (int, float) else hint


def _field(name: str, defaults: Mapping[str, Any], bounds: Mapping[str, Bound]) -> Any:
    default = defaults.get(name, ...)
    if name not in bounds:
        return Field(default)
    return Field(default, ge=bounds[name].low, le=bounds[name].high)
