"""The wheel holds the package `bot` and its licence; other folders would collide with those of others."""

import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_wheel_holds_only_the_package_and_its_metadata(wheel: zipfile.ZipFile) -> None:
    tops = {PurePosixPath(name).parts[0] for name in wheel.namelist()}
    (metadata,) = {top for top in tops if top.endswith(".dist-info")}
    assert tops == {"bot", metadata}


def test_wheel_holds_every_module_of_the_package(wheel: zipfile.ZipFile) -> None:
    """Migrations are modules that nothing imports by name: without them no database can be upgraded."""
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "bot").rglob("*.py")}
    packed = {name for name in wheel.namelist() if name.endswith(".py")}
    assert packed == modules


def test_wheel_holds_licence_console_script_and_python_range(wheel: zipfile.ZipFile) -> None:
    names = {PurePosixPath(name).name: name for name in wheel.namelist() if "vendor" not in name}
    assert "Apache License" in wheel.read(names["LICENSE"]).decode()
    assert "ringfence = bot.cli.main:main" in wheel.read(names["entry_points.txt"]).decode()
    metadata = wheel.read(names["METADATA"]).decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: <3.15,>=3.11" in metadata


def test_wheel_holds_the_pages_and_the_licences_of_what_they_ship(wheel: zipfile.ZipFile) -> None:
    static = {path for path in (ROOT / "bot/web/static").rglob("*") if path.is_file()}
    names = set(wheel.namelist())
    assert {path.relative_to(ROOT).as_posix() for path in static} <= names
    licences = {path.relative_to(ROOT).as_posix() for path in static if path.name in {"LICENSE", "NOTICE"}}
    (metadata,) = {name for name in names if name.endswith(".dist-info/METADATA")}
    folder = metadata.removesuffix("METADATA") + "licenses/"
    assert licences
    assert {folder + licence for licence in licences} <= names
