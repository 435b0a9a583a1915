"""What every table of the settings is made of: its base, a setting, and the types of numbers and times."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.settings import values
from bot.settings.bounded import refuse_boolean


class Section(BaseModel):
    """One table of the settings: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


def from_text(read: Any) -> BeforeValidator:
    """Return what lets a setting be written as text: `read` turns it into the value, or raises ValueError."""
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def setting(default: Any, meaning: str, unit: str = "", example: Any = None, **bounds: Any) -> Any:
    """Return a field with what its documents say; `bounds` are pydantic's."""
    extra = {"unit": unit, "example": example}
    return Field(default, description=meaning, json_schema_extra=extra, **bounds)


Number = Annotated[float, BeforeValidator(refuse_boolean)]
Whole = Annotated[int, BeforeValidator(refuse_boolean)]
Duration = Annotated[Number, from_text(values.seconds_from_text)]
