"""What became of each planted bug the last time it was hunted for; kept in found.json."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.simulation.planted.table import PLANTED

FOUND: Final = Path(__file__).parent / "found.json"


class Finding(NamedTuple):
    """What became of one planted bug. `case` None: no case of the gate failed, or a run did not end."""

    name: str
    case: list[Any] | None
    violation: str
    runs: int
    cpu_s: float

    @property
    def is_caught(self) -> bool:
        """Whether something failed."""
        return bool(self.violation)


def read() -> dict[str, Finding]:
    """Return what caught each bug the last time the page was made."""
    if not FOUND.exists():
        return {}
    rows: Mapping[str, Any] = json.loads(FOUND.read_text())
    return {name: Finding(name, **row) for name, row in rows.items() if name in PLANTED}


def write(findings: Iterable[Finding]) -> None:
    """Keep findings. How long a search took stays as it was when the same case caught the bug again."""
    known = read()
    for each in findings:
        before = known.get(each.name)
        if before is None or before.case != each.case:
            known[each.name] = each
    rows = {name: dict(list(each._asdict().items())[1:]) for name, each in known.items()}
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(rows[name])}" for name in PLANTED if name in rows)
    FOUND.write_text("{\n" + lines + "\n}\n")
