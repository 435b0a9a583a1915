"""What is installed is what was locked: exact versions, hashes, wheels, no index but the person's own."""

import re
import tomllib
from pathlib import Path

import pytest

LOCKS = ("base.lock", "build.lock", "dev.lock", "assistants.lock")
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[a-z0-9,-]+\])?==[0-9][A-Za-z0-9.+!]*( ; .+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def requirements(root: Path, lock: str) -> list[list[str]]:
    """Return each requirement of a lock with its hashes."""
    text = (root / "requirements" / lock).read_text(encoding="utf-8")
    whole = text.replace("\\\n", " ").splitlines()
    return [
        re.split(r"\s+(?=--)", line.strip()) for line in whole if line.strip() and not line.startswith("#")
    ]


def name_of(requirement: str) -> str:
    return re.split(r"[\[=<>~; ]", requirement)[0].lower().replace("_", "-")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_pinned_and_hashed(root: Path, lock: str) -> None:
    found = requirements(root, lock)
    assert found
    for pin, *hashes in found:
        assert PIN.fullmatch(pin), pin
        assert hashes, pin
        assert all(HASH.fullmatch(each) for each in hashes), pin


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_a_place_to_install_from(root: Path, lock: str) -> None:
    text = (root / "requirements" / lock).read_text(encoding="utf-8")
    assert not re.search(
        r"https?://|git\+|file:|--index|--extra|--find-links|--trusted|^-e", text, re.MULTILINE
    )


def test_every_dependency_of_the_project_is_in_the_lock(root: Path) -> None:
    """ccxt under exactly this name: look-alikes of it have sent keys elsewhere."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {name_of(each) for each in project["dependencies"]}
    locked = {name_of(pin) for pin, *_ in requirements(root, "base.lock")}
    assert wanted <= locked
    assert [name for name in locked if "ccxt" in name] == ["ccxt"]


def test_whoever_installs_takes_hashed_wheels_only(root: Path) -> None:
    """A source distribution runs its own code while it is installed."""
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    dockerfile = (root / "Dockerfile").read_text(encoding="utf-8")
    assert "LOCKED := install --require-hashes --only-binary=:all: --no-deps" in makefile
    assert makefile.count(".lock") > makefile.count("$(LOCKED) -r") > 1
    assert (
        dockerfile.count("--require-hashes --only-binary=:all:") == dockerfile.count("--require-hashes") == 2
    )


def test_nothing_is_updated_by_itself(root: Path) -> None:
    for file in ("Makefile", "Dockerfile", "compose.yaml"):
        text = (root / file).read_text(encoding="utf-8")
        assert not re.search(r"curl|wget|watchtower|docker\.sock|\| *(ba)?sh\b", text), file


def test_no_file_of_the_checkout_runs_by_being_installed(root: Path) -> None:
    """A .pth file, sitecustomize or conftest of a package runs at every start of Python."""
    for folder in ("bot", "strategies"):
        names = {path.name for path in (root / folder).rglob("*")}
        assert not names & {"sitecustomize.py", "usercustomize.py", "conftest.py", "setup.py"}
        assert not any(name.endswith((".pth", ".pkl", ".pickle", ".so")) for name in names)
