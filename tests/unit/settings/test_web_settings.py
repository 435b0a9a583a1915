"""What the pages may be bound to is decided before anything is opened."""

from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.settings import Flag, Settings, load

TLS = {"web.tls_certificate": Path("chain.pem"), "web.tls_key": Path("key.pem")}


def settings(**web: Any) -> Settings:
    named = {(name if "." in name else f"web.{name}"): value for name, value in web.items()}
    return load(None, tuple(Flag(key, key, value) for key, value in named.items()))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "bot.example"])
def test_nothing_is_served_in_the_clear_beyond_this_machine(host: str) -> None:
    with pytest.raises(UserError, match="nothing encrypts"):
        settings(host=host)
    assert not settings(host=host, **TLS).web.is_local
    assert not settings(host=host, public_url="https://bot.example").web.is_local
    assert settings(host=host, enabled=False).web.host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.5"])
def test_this_machine_needs_no_encryption(host: str) -> None:
    assert settings(host=host).web.is_local


def test_behind_a_proxy_this_machine_is_not_all_that_reaches_it() -> None:
    assert not settings(public_url="https://bot.example").web.is_local


def test_half_a_certificate_is_refused() -> None:
    with pytest.raises(UserError, match="belong together"):
        settings(tls_key=Path("key.pem"))


@pytest.mark.parametrize(
    "url",
    ["http://bot.example", "bot.example", "https://", "https://a@b", "https://bot.example/x", "https://["],
)
def test_a_public_address_is_https_and_nothing_else(url: str) -> None:
    with pytest.raises(UserError, match="https://NAME"):
        settings(public_url=url)


def test_one_public_address_has_one_form() -> None:
    assert settings(public_url="https://Bot.example:443/").web.public_url == "https://bot.example"


@pytest.mark.parametrize("proxy", ["proxy.example", "172.18.0.1/16", "*", ""])
def test_a_trusted_proxy_is_an_address_or_a_network(proxy: str) -> None:
    with pytest.raises(UserError, match="neither an address nor a network"):
        settings(trusted_proxies=("127.0.0.1", proxy))
    assert settings(trusted_proxies=("172.18.0.0/16", "::1")).web.trusted_proxies[0] == "172.18.0.0/16"
    assert settings(trusted_proxies="10.0.0.1, 10.0.0.2").web.trusted_proxies == ("10.0.0.1", "10.0.0.2")
