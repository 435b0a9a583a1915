"""The names of exchanges that settings accept are those that the gateway knows."""

import pytest

from bot.errors import UserError
from bot.exchange.venues import VENUES
from bot.settings import load
from bot.settings.model import EXCHANGES


def test_settings_know_every_exchange_and_no_other() -> None:
    assert set(EXCHANGES) == set(VENUES)


@pytest.mark.parametrize(
    ("called", "ours"), [("PASSPHRASE", "password"), ("API_SECRET", "secret"), ("KEY", "api_key")]
)
def test_what_exchanges_call_a_part_of_a_key_leads_to_its_setting(
    monkeypatch: pytest.MonkeyPatch, called: str, ours: str
) -> None:
    monkeypatch.setenv(f"RINGFENCE__EXCHANGE__{called}", "canary")
    with pytest.raises(UserError, match=f'did you mean "exchange.{ours}"') as refused:
        load()
    assert "canary" not in str(refused.value)
