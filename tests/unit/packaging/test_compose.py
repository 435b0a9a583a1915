"""The composed service may do nothing that trading does not need."""

from pathlib import Path
from typing import Any

import yaml

from bot.settings.model import Settings

ROOT = Path(__file__).resolve().parents[3]


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def service() -> dict[str, Any]:
    services = compose()["services"]
    assert list(services) == ["ringfence"]
    return services["ringfence"]


def test_root_is_read_only_and_one_volume_is_written() -> None:
    assert service()["read_only"] is True
    assert service()["volumes"] == ["data:/data"]
    assert list(compose()["volumes"]) == ["data"]
    assert [mount.split(":")[0] for mount in service()["tmpfs"]] == ["/tmp"]


def test_no_privilege_is_held_or_gained() -> None:
    assert service()["user"] == "1000:1000"
    assert service()["cap_drop"] == ["ALL"]
    assert "cap_add" not in service()
    assert "privileged" not in service()
    assert service()["security_opt"] == ["no-new-privileges:true"]


def test_memory_and_processes_are_limited_and_swap_is_off() -> None:
    """Resident memory stays under 250 MB: half a gigabyte is reached only by a fault."""
    assert service()["mem_limit"] == service()["memswap_limit"] == "512m"
    assert 32 <= service()["pids_limit"] <= 256


def test_it_ends_in_its_own_time() -> None:
    assert service()["init"] is True
    assert service()["stop_grace_period"] == "15s"
    assert "command" not in service()
    assert "entrypoint" not in service()


def test_no_port_is_open_beyond_loopback() -> None:
    assert "network_mode" not in service()
    assert all(str(port).startswith("127.0.0.1:") for port in service().get("ports", []))


def test_no_core_file_is_written() -> None:
    assert service()["ulimits"]["core"] == 0


def test_secrets_are_files_and_none_is_written_here() -> None:
    declared = compose()["secrets"]
    assert set(service()["secrets"]) == set(declared)
    assert all(list(secret) == ["file"] for secret in declared.values())
    sections = {name: field.default for name, field in Settings.model_fields.items()}
    for name in declared:
        section, _, key = name.partition("__")
        assert key in type(sections[section]).model_fields, name
    assert "environment" not in service()
    assert "env_file" not in service()
