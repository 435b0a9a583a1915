"""The example of a way out through a proxy: the bot has no other, and the proxy knows exchanges only."""

import re
from pathlib import Path
from typing import Any

import yaml

from bot.exchange.venues import VENUES
from bot.proxy import proxy_address

FOLDER = Path(__file__).resolve().parents[3] / "egress"


def compose() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))


def configured() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (FOLDER / "tinyproxy.conf").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition(" ")
            found.setdefault(name, []).append(value)
    return found


def test_the_bot_has_no_way_out_but_the_proxy() -> None:
    networks, services = compose()["networks"], compose()["services"]
    assert networks["inside"] == {"internal": True}
    assert services["ringfence"]["networks"] == ["inside"]
    assert set(services["egress"]["networks"]) == set(networks)
    proxy = services["ringfence"]["environment"]["RINGFENCE__EXCHANGE__PROXY"]
    assert proxy_address(proxy) == proxy == f"http://egress:{configured()['Port'][0]}"


def test_the_proxy_knows_every_host_of_every_exchange_and_no_other() -> None:
    lines = (FOLDER / "hosts").read_text(encoding="utf-8").split()
    hosts = {host for venue in VENUES.values() for host in venue.live_hosts | venue.test_hosts}
    assert lines == sorted(lines)
    assert len(lines) == len(hosts)
    for host in hosts:
        assert sum(bool(re.search(line, host)) for line in lines) == 1
        for other in (f"{host}.evil.org", f"x{host}", host.replace(".", "x")):
            assert not any(re.search(line, other) for line in lines)


def test_what_no_line_allows_is_refused() -> None:
    found = configured()
    assert found["FilterDefaultDeny"] == ["Yes"]
    assert found["FilterExtended"] == ["On"]
    assert found["ConnectPort"] == ["443"]
    assert all(re.match(r"(127|10|172\.16|192\.168)\.", network) for network in found["Allow"])
    copied = re.search(
        r"^COPY (.+) (\S+/)$", (FOLDER / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert copied is not None
    assert found["Filter"] == [f'"{copied[2]}hosts"']
    assert all((FOLDER / file).is_file() for file in copied[1].split())


def test_the_proxy_may_do_nothing_else() -> None:
    service = compose()["services"]["egress"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"ports", "volumes", "secrets", "network_mode", "privileged"} & set(service)
    assert "USER 65534:65534" in (FOLDER / "Dockerfile").read_text(encoding="utf-8")
