"""What is legal and unwise about a key is said at every start."""

import pytest

from bot.exchange.rights import Rights
from bot.real import key_notices


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "SECRET", "PASSWORD", "PRIVATE_KEY"):
        monkeypatch.delenv(f"RINGFENCE__EXCHANGE__{name}", raising=False)


def test_a_key_bound_to_addresses_and_kept_in_files_needs_no_words() -> None:
    assert key_notices(Rights(True, False, True), "Bybit") == ()
    assert key_notices(Rights(True, False, None), "Gate") == ()


def test_a_key_that_works_from_anywhere_is_said() -> None:
    (notice,) = key_notices(Rights(True, False, False), "Bybit")
    assert "works from any address" in notice
    assert "at Bybit" in notice


def test_keys_in_the_environment_are_said_by_name_and_never_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE__EXCHANGE__SECRET", "CANARY")
    monkeypatch.setenv("RINGFENCE__EXCHANGE__NAME", "bybit")
    (notice,) = key_notices(Rights(True, False, True), "Bybit")
    assert "(RINGFENCE__EXCHANGE__SECRET)" in notice
    assert "CANARY" not in notice
