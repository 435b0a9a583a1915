"""Every planted bug by its name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.simulation.planted.bug import Bug
from tests.simulation.planted.conduct import CONDUCT
from tests.simulation.planted.margins import HALTS, MARGIN
from tests.simulation.planted.records import RECORDS
from tests.simulation.planted.requests import REQUESTS
from tests.simulation.planted.truth import TRUTH

AREAS: Final[Mapping[str, tuple[Bug, ...]]] = MappingProxyType(
    {
        "What is written, and what a start makes of it": RECORDS,
        "Requests and what becomes of them": REQUESTS,
        "Reading the account": TRUTH,
        "Entries, stops and exits": CONDUCT,
        "Margin": MARGIN,
        "Halts": HALTS,
    }
)
PLANTED: Final[Mapping[str, Bug]] = MappingProxyType(
    {bug.name: bug for area in AREAS.values() for bug in area}
)
