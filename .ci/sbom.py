"""Write the software bill of materials of the locked requirements as CycloneDX 1.6 JSON, the same each time.

The lock is the source, not an environment: it holds every wheel's hash on every platform.
"""

import json
import re
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any, Final

_ENTRY: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.+?))?\s+(?=--hash)"
)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VERSION: Final = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)


def components(lock: str) -> list[dict[str, Any]]:
    """Return a component for each entry of a lock file's text. ValueError: one that is not understood."""
    found = [_component(line) for line in lock.replace("\\\n", " ").splitlines() if line.strip()]
    return sorted(found, key=lambda each: each["bom-ref"])


def _component(line: str) -> dict[str, Any]:
    entry, hashes = _ENTRY.match(line), _HASH.findall(line)
    if entry is None or not hashes:
        raise ValueError(f"not an entry with a version and hashes: {line[:80]}")
    name = re.sub(r"[-_.]+", "-", entry["name"]).lower()
    made = {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}@{entry['version']}",
        "name": name,
        "version": entry["version"],
        "scope": "required",
        "purl": f"pkg:pypi/{name}@{entry['version']}",
        "hashes": [{"alg": "SHA-256", "content": each} for each in hashes],
    }
    if entry["marker"]:
        made["properties"] = [{"name": "python:environment-marker", "value": entry["marker"].strip()}]
    return made


def bill(root: Path) -> dict[str, Any]:
    """Return the bill of the checkout at `root`."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = _VERSION.search((root / "bot/__init__.py").read_text(encoding="utf-8"))
    if version is None:
        raise ValueError("bot/__init__.py names no version")
    lock = (root / "requirements/base.lock").read_text(encoding="utf-8")
    ours = {
        "type": "application",
        "bom-ref": f"pkg:generic/{project['name']}@{version[1]}",
        "name": project["name"],
        "version": version[1],
        "purl": f"pkg:generic/{project['name']}@{version[1]}",
        "licenses": [{"license": {"id": project["license"]}}],
    }
    parts, serial = components(lock), uuid.uuid5(uuid.NAMESPACE_OID, f"{ours['bom-ref']} {lock}")
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": ours},
        "components": parts,
        # The lock is flat: that something needs a package is known, not what.
        "dependencies": [{"ref": ours["bom-ref"], "dependsOn": [each["bom-ref"] for each in parts]}],
        "compositions": [{"aggregate": "complete", "assemblies": [ours["bom-ref"]]}],
    }


if __name__ == "__main__":
    Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
    Path(sys.argv[1]).write_text(json.dumps(bill(Path.cwd()), indent=1) + "\n", encoding="utf-8")
