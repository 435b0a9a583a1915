"""A golden run that finds nothing must not look like a pass."""

from pathlib import Path


def test_every_golden_directory_holds_a_case(golden_directories: dict[Path, int]) -> None:
    empty = [str(path) for path, count in golden_directories.items() if count == 0]
    assert not empty, f"no golden case (a positions list or {{version, cases}}) in: {', '.join(empty)}"
