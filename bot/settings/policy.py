"""The settings of every margin policy, built from the policies themselves: one table per policy."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from bot.risk.policies import POLICIES
from bot.settings.bounded import Bounded


def _params_model() -> type[BaseModel]:
    tables: dict[str, Any] = {
        name: (
            Annotated[policy.params_type, Bounded(policy.bounds)],
            Field(policy.default, description=policy.doc),
        )
        for name, policy in POLICIES.items()
    }
    return create_model("PolicyParams", __config__=ConfigDict(frozen=True, extra="forbid"), **tables)


if TYPE_CHECKING:
    PolicyParams = BaseModel
else:
    PolicyParams = _params_model()
