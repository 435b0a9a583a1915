"""The bill of materials is CycloneDX 1.6, says what the lock says, and is the same each time."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot import __version__

PURL = re.compile(r"pkg:(pypi|generic)/[a-z0-9]+(-[a-z0-9]+)*@[0-9][A-Za-z0-9.!+]*")
# Of the specification's schema: what must be there, and every field that a component of ours may have.
TOP = {"bomFormat", "specVersion", "serialNumber", "version", "metadata", "components", "dependencies"}
COMPONENT = {"type", "name", "bom-ref", "version", "scope", "purl", "hashes", "properties"}


@pytest.fixture(scope="module")
def sbom(root: Path) -> Any:
    spec = importlib.util.spec_from_file_location("sbom_generator", root / ".ci" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def locked(root: Path) -> dict[str, set[str]]:
    """Return the hashes of each pin of the lock, read another way than the generator does."""
    found: dict[str, set[str]] = {}
    pin = ""
    for word in (root / "requirements" / "base.lock").read_text(encoding="utf-8").split():
        if re.fullmatch(r"[A-Za-z0-9._-]+==\S+", word):
            name, _, version = word.partition("==")
            pin = f"{re.sub(r'[-_.]+', '-', name).lower()}@{version}"
            found[pin] = set()
        elif word.startswith("--hash=sha256:"):
            found[pin].add(word.removeprefix("--hash=sha256:"))
    return found


def test_the_bill_lists_every_package_of_the_lock_with_its_hashes(sbom: Any, root: Path) -> None:
    listed = {
        each["purl"].removeprefix("pkg:pypi/"): {one["content"] for one in each["hashes"]}
        for each in sbom.bill(root)["components"]
    }
    assert listed == locked(root)
    assert len(listed) > 40


def test_the_bill_is_what_the_specification_asks_for(sbom: Any, root: Path) -> None:
    bill = sbom.bill(root)
    assert bill.keys() >= TOP
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    for each in bill["components"]:
        assert set(each) <= COMPONENT
        assert (each["type"], each["scope"], each["bom-ref"]) == ("library", "required", each["purl"])
        assert PURL.fullmatch(each["purl"]), each["purl"]
        assert all(one["alg"] == "SHA-256" for one in each["hashes"])
        assert all(re.fullmatch(r"[0-9a-f]{64}", one["content"]) for one in each["hashes"])
    ours = bill["metadata"]["component"]
    assert (ours["name"], ours["version"]) == ("ringfence", __version__)
    references = [each["bom-ref"] for each in bill["components"]]
    assert len(references) == len(set(references))
    assert bill["dependencies"] == [{"ref": ours["bom-ref"], "dependsOn": references}]


def test_a_package_for_some_platforms_says_for_which(sbom: Any, root: Path) -> None:
    (found,) = [each for each in sbom.bill(root)["components"] if each["name"] == "colorama"]
    assert found["properties"] == [{"name": "python:environment-marker", "value": "sys_platform == 'win32'"}]


@pytest.mark.parametrize("line", ["ccxt>=4 --hash=sha256:" + "a" * 64, "ccxt==4.5.90", "-e ."])
def test_an_entry_that_is_not_pinned_and_hashed_is_refused(sbom: Any, line: str) -> None:
    with pytest.raises(ValueError, match="not an entry with a version and hashes"):
        sbom.components(line)


def test_it_is_written_by_make_and_the_same_each_time(root: Path, tmp_path: Path) -> None:
    files = [tmp_path / "new" / "a.json", tmp_path / "b.json"]
    for file in files:
        subprocess.run([sys.executable, ".ci/sbom.py", str(file)], cwd=root, check=True)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert json.loads(files[0].read_text())["bomFormat"] == "CycloneDX"
    assert "$(BIN)/python .ci/sbom.py dist/" in (root / "Makefile").read_text(encoding="utf-8")
