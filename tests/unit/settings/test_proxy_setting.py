"""exchange.proxy: an address, and nothing that would be a secret."""

import pytest

from bot.errors import UserError
from bot.real import access
from bot.settings import Flag, Settings, load


def settings(proxy: str, **more: str) -> Settings:
    flags = {"exchange.name": "okx", "run.mode": "testnet", "exchange.proxy": proxy, **more}
    return load(None, tuple(Flag(key, key, value) for key, value in flags.items()))


def test_a_session_goes_through_the_proxy_of_its_settings() -> None:
    assert access(settings("http://egress:8888")) == ("testnet", "", "http://egress:8888")
    assert access(settings("")) == ("testnet", "", "")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("http://user:canary@egress:8888", "a user or password"),
        ("http://canary@egress:8888", "a user or password"),
        ("http://user:ca/canary@egress:8888", "only http://HOST:PORT"),
        ("http://user:p@canary@egress:8888", "a user or password"),
        ("socks5://egress:1080", "only http://HOST:PORT"),
        ("https://egress:8888", "only http://HOST:PORT"),
        ("http://egress", "only http://HOST:PORT"),
        ("http://egress:no", "only http://HOST:PORT"),
        ("egress:8888", "only http://HOST:PORT"),
        ("http://[::1:8888", "only http://HOST:PORT"),
        ("http://egress:8888/path", "a path or a query"),
        ("http://egress:8888?a=1", "a path or a query"),
    ],
)
def test_what_is_more_than_an_address_is_refused_and_no_password_told(written: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as refused:
        settings(written)
    assert "canary" not in str(refused.value)
    assert "exchange.proxy" in str(refused.value)
