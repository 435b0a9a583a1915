"""What every table of the settings is made of."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.settings.bounded import refuse_boolean

Number = Annotated[float, BeforeValidator(refuse_boolean)]
Whole = Annotated[int, BeforeValidator(refuse_boolean)]


class Section(BaseModel):
    """One table of the settings: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


def setting(default: Any, meaning: str, unit: str = "", example: Any = None, **bounds: Any) -> Any:
    """Return a field of a table: its default, what it means, its unit, and bounds as pydantic knows them."""
    extra = {"unit": unit, "example": example}
    return Field(default, description=meaning, json_schema_extra=extra, **bounds)
