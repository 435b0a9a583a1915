"""What is legal and unwise about a key is said at every start."""

import resource

import pytest

from bot import real
from bot.exchange.rights import Rights
from bot.real import key_notices, leave_no_core, real_edges
from bot.settings.model import Exchange, Run, Settings

DAY_MS = 86_400_000
NOW_MS = 1_790_000_000_000


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "SECRET", "PASSWORD", "PRIVATE_KEY"):
        monkeypatch.delenv(f"RINGFENCE__EXCHANGE__{name}", raising=False)


def test_a_key_bound_to_addresses_and_kept_in_files_needs_no_words() -> None:
    assert key_notices(Rights(True, False, True), "Bybit", NOW_MS) == ()
    assert key_notices(Rights(True, False, None), "Gate", NOW_MS) == ()


def test_a_key_that_works_from_anywhere_is_said() -> None:
    (notice,) = key_notices(Rights(True, False, False), "Bybit", NOW_MS)
    assert "works from any address" in notice
    assert "at Bybit" in notice


def test_a_key_of_half_a_year_is_said_by_its_age() -> None:
    assert key_notices(Rights(True, False, True, NOW_MS - 179 * DAY_MS), "Bybit", NOW_MS) == ()
    (notice,) = key_notices(Rights(True, False, True, NOW_MS - 180 * DAY_MS), "Bybit", NOW_MS)
    assert "180 days old" in notice


def test_keys_in_the_environment_are_said_by_name_and_never_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE__EXCHANGE__SECRET", "CANARY")
    monkeypatch.setenv("RINGFENCE__EXCHANGE__NAME", "bybit")
    (notice,) = key_notices(Rights(True, False, True), "Bybit", NOW_MS)
    assert "(RINGFENCE__EXCHANGE__SECRET)" in notice
    assert "CANARY" not in notice


def test_a_crash_leaves_no_core_file(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (7, 9))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limit: limits.append((which, limit)))
    leave_no_core()
    assert limits == [(resource.RLIMIT_CORE, (0, 9))]


async def test_core_files_are_off_before_a_key_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    monkeypatch.setattr(real, "leave_no_core", lambda: done.append("core"))

    def connecting(*_: object) -> None:
        done.append("connect")
        raise KeyboardInterrupt

    monkeypatch.setattr(real, "connect", connecting)
    settings = Settings.model_construct(
        **{
            **{name: getattr(Settings(), name) for name in Settings.model_fields},
            "run": Run(mode="testnet"),
            "exchange": Exchange(name="binanceusdm"),
        }
    )
    with pytest.raises(KeyboardInterrupt):
        await real_edges(settings, 60_000)
    assert done == ["core", "connect"]
