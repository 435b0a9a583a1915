"""Whatever is sent to the API: documented status codes, answers of the documented form, no traceback, ever.

schemathesis makes the requests from the OpenAPI description, sound ones and broken ones.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bot.store.commands import CommandFiles
from bot.web.application import api, application
from bot.web.office import Office

EXAMPLES = 6
SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
HERE = "http://127.0.0.1:8080"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def described(office: Office) -> Iterator[Any]:
    """Return the described API; its stream ends at once, and orders are taken away."""
    office.broadcast.close()
    found = schemathesis.openapi.from_dict(_reaching(api(office).openapi(), office))
    found.app = application(office)
    yield found
    for each in CommandFiles(office.watched.path).waiting():
        CommandFiles(office.watched.path).done(each.command_id)


def _reaching(described: Any, office: Office) -> Any:
    """Return the description with the symbols and calculators there are: few requests would meet one."""
    known = {
        "/api/positions/{symbol}": [*office.watched.engine.state.markets],
        "/api/calc/{name}": [form.name for form in office.calculators.forms()],
    }
    for path, verbs in described["paths"].items():
        names = next((names for begin, names in known.items() if path.startswith(begin)), None)
        for verb in verbs.values() if names else ():
            for parameter in verb["parameters"]:
                if parameter["in"] == "path":
                    parameter["schema"] = {"type": "string", "enum": names}
    return described


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_every_request_gets_a_documented_answer(described: Any, mode: str) -> None:
    operations = [each.ok() for each in described.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:
        _try(operation, GenerationMode(mode))


def _try(operation: Any, mode: GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW, database=None)
    def tried(case: Any) -> None:
        answer = case.call_and_validate(base_url=HERE, checks=CHECKS)
        assert "Traceback" not in answer.text

    try:
        tried()
    except Unsatisfiable:  # an operation without parameters has no broken ones
        assert mode is GenerationMode.NEGATIVE
