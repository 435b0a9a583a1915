"""The address of an exchange on this machine: one form in the settings, and nothing in it but where."""

import pytest

from bot.errors import UserError
from bot.identity import database_path, identity
from bot.settings import Flag, Settings, effective, load

HERE = "http://127.0.0.1:8770"


def settings(base_url: str, mode: str = "testnet") -> Settings:
    flags = {"exchange.name": "okx", "exchange.base_url": base_url, "run.mode": mode}
    return load(None, tuple(Flag(key, key, value) for key, value in flags.items()))


@pytest.mark.parametrize("written", [HERE, f"{HERE}/", "http://localhost:8770", "http://LOCALHOST:8770/"])
def test_every_spelling_is_the_same_account(written: str) -> None:
    one, other = settings(HERE), settings(written)
    assert other.exchange.base_url == HERE
    assert identity(one) == identity(other)
    assert database_path(one) == database_path(other)
    assert effective(other)["exchange"]["base_url"] == HERE


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("http://user:canary@127.0.0.1:8770/", "a user or password"),
        ("http://canary@127.0.0.1:8770", "a user or password"),
        (f"{HERE}/fapi/v1", "a path"),
        (f"{HERE}?recvWindow=1", "a query"),
        ("https://127.0.0.1:8770", "not on this machine"),
        ("http://10.0.0.1:8770", "not on this machine"),
        ("127.0.0.1:8770", "not on this machine"),
    ],
)
def test_what_is_no_address_of_this_machine_alone_is_refused_in_words(written: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as refused:
        settings(written)
    assert "canary" not in str(refused.value)
    assert "exchange.base_url" in str(refused.value)
