"""Fail unless enough branches ran: pytest-cov's own limit mixes lines with branches."""

import json
import sys
from pathlib import Path


def main(report: str, limit_percent: str) -> int:
    """Return 0 if at least `limit_percent` of the branches in a coverage JSON report were taken."""
    totals = json.loads(Path(report).read_text(encoding="utf-8"))["totals"]
    percent = 100.0 * totals["covered_branches"] / max(1, totals["num_branches"])
    print(f"branches covered: {percent:.1f} % of {totals['num_branches']}, at least {limit_percent} % needed")
    return 0 if percent >= float(limit_percent) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
