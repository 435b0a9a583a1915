"""What the pages run is what was fetched: each vendored file is recorded with licence and hash."""

import gzip
import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
STATIC = ROOT / "bot/web/static"
VENDOR = STATIC / "vendor"
RECORD = tomllib.loads((VENDOR / "VENDOR.toml").read_text(encoding="utf-8"))["package"]
MOST_BYTES = 300_000
LICENCES = {"MIT": "MIT License|Permission is hereby granted", "Apache-2.0": "Apache License"}


def test_every_vendored_file_is_recorded_and_unchanged() -> None:
    recorded = {
        f"{package['name']}/{name}": digest
        for package in RECORD
        for name, digest in package["sha256"].items()
    }
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "VENDOR.toml"
    }
    assert found == recorded


@pytest.mark.parametrize("package", RECORD, ids=lambda package: package["name"])
def test_every_package_ships_the_licence_it_is_said_to_have(package: dict[str, Any]) -> None:
    text = (VENDOR / package["name"] / "LICENSE").read_text(encoding="utf-8")
    assert re.search(LICENCES[package["licence"]], text)
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])


def test_the_charts_notice_is_shipped() -> None:
    """Its licence asks for the notice and a link that a person sees; the link stands below every page."""
    assert "TradingView" in (VENDOR / "lightweight-charts/NOTICE").read_text(encoding="utf-8")


def test_all_pages_together_weigh_less_than_their_budget_on_the_wire() -> None:
    sent = [path for path in STATIC.rglob("*") if path.suffix in {".html", ".js", ".css", ".svg"}]
    assert sum(len(gzip.compress(path.read_bytes())) for path in sent) < MOST_BYTES


def test_no_page_loads_anything_from_elsewhere() -> None:
    """Scripts and styles work without a network: nothing but links that a person follows names a host."""
    ours = [path for path in STATIC.rglob("*") if path.is_file() and VENDOR not in path.parents]
    for path in ours:
        text = path.read_text(encoding="utf-8")
        loaded = re.findall(r"""(?:src=|import |from |url\(|fetch\()\s*["'(]?(?:https?:)?//[^"')\s]+""", text)
        assert not loaded, f"{path.relative_to(ROOT).as_posix()} loads {loaded}"
