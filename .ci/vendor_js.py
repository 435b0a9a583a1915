"""Fetch the scripts of the web pages by `npm pack`; record version, licence and SHA-256 of each file.

Nothing is built: a package's own distributed file is taken as it is. Three are touched, each in one place:
imports by name become relative paths (a page without inline scripts has no import map), a script that
defines a global gets an export, and what points to a source map that is not shipped is cut off.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
VENDOR: Final = ROOT / "bot/web/static/vendor"
_CHARTS_NOTICE: Final = (
    "TradingView Lightweight Charts™\nCopyright (c) 2025 TradingView, Inc. https://www.tradingview.com/\n"
)


class Package(NamedTuple):
    """One npm package: `files` maps a path inside it to the name it is shipped under."""

    name: str
    version: str
    licence: str
    files: dict[str, str]
    replaced: tuple[tuple[str, str], ...] = ()
    appended: str = ""
    notice: str = ""  # what the package's repository asks to be shown and its archive does not hold


PACKAGES: Final = (
    Package(
        "preact",
        "11.2.0",
        "MIT",
        {"dist/preact.mjs": "preact.js", "hooks/dist/hooks.mjs": "hooks.js"},
        replaced=(('from"preact"', 'from"./preact.js"'),),
    ),
    Package("htm", "3.1.1", "Apache-2.0", {"dist/htm.module.js": "htm.js"}),
    Package(
        "lightweight-charts",
        "5.2.1",
        "Apache-2.0",
        {"dist/lightweight-charts.standalone.production.mjs": "lightweight-charts.js"},
        notice=_CHARTS_NOTICE,
    ),
    Package(
        "uplot",
        "1.6.32",
        "MIT",
        {"dist/uPlot.iife.min.js": "uplot.js", "dist/uPlot.min.css": "uplot.css"},
        appended="export default uPlot;\n",
    ),
)


def vendor(package: Package, folder: Path) -> dict[str, str]:
    """Replace the package's folder below `folder`; return the SHA-256 of each file in it by its name."""
    target = folder / package.name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(_packed(package, Path(scratch))) as archive:
        for inside, name in {**package.files, "LICENSE": "LICENSE"}.items():
            member = archive.extractfile(f"package/{inside}")
            if member is None:
                raise FileNotFoundError(f"{package.name} {package.version} holds no {inside}")
            (target / name).write_bytes(_fitted(package, name, member.read()))
    if package.notice:
        (target / "NOTICE").write_text(package.notice, encoding="utf-8")
    return {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in sorted(target.iterdir())}


def _packed(package: Package, scratch: Path) -> Path:
    wanted = f"{package.name}@{package.version}"
    subprocess.run(["npm", "pack", "--silent", wanted], cwd=scratch, check=True, capture_output=True)
    (archive,) = scratch.glob("*.tgz")
    return archive


def _fitted(package: Package, name: str, content: bytes) -> bytes:
    if not name.endswith(".js"):
        return content
    text = content.decode("utf-8").partition("\n//# sourceMappingURL=")[0].rstrip("\n") + "\n"
    for old, new in package.replaced:
        text = text.replace(old, new)
    return (text + package.appended).encode("utf-8")


def record(packages: tuple[Package, ...], folder: Path) -> str:
    """Return VENDOR.toml's text after fetching every package below `folder`."""
    lines = ["# Written by `make vendor`; a test hashes every file again.\n"]
    for package in packages:
        lines.append(
            f'\n[[package]]\nname = "{package.name}"\nversion = "{package.version}"\n'
            f'licence = "{package.licence}"\n\n[package.sha256]\n'
        )
        lines += [f'"{name}" = "{digest}"\n' for name, digest in vendor(package, folder).items()]
    return "".join(lines)


def main() -> int:
    """Fetch everything into the checkout, or say why not."""
    try:
        text = record(PACKAGES, VENDOR)
    except (OSError, subprocess.CalledProcessError) as refused:
        print(
            f"Nothing was recorded: {refused}. npm is needed, and a registry it can reach.", file=sys.stderr
        )
        return 1
    (VENDOR / "VENDOR.toml").write_text(text, encoding="utf-8")
    print(f"{len(PACKAGES)} packages stand in {VENDOR.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
