"""The names of exchanges that settings accept are those that the gateway knows."""

from bot.exchange.venues import VENUES
from bot.settings.model import EXCHANGES


def test_settings_know_every_exchange_and_no_other() -> None:
    assert set(EXCHANGES) == set(VENUES)
