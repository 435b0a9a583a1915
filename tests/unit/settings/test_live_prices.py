"""Paper money on live prices: which settings go together, and which database they lead to."""

from typing import Any

import pytest

from bot.errors import UserError
from bot.identity import database_path, identity
from bot.settings import Flag, Settings, load


def settings(**more: Any) -> Settings:
    flags = {key.replace("__", "."): value for key, value in {"feed__kind": "live", **more}.items()}
    return load(None, tuple(Flag(key, key, value) for key, value in flags.items()))


def test_binance_is_the_exchange_of_live_prices_when_none_is_named() -> None:
    assert identity(settings()).startswith("live prices of binanceusdm, BTC/USDT:USDT")
    assert identity(settings()) == identity(settings(exchange__name="binanceusdm"))


def test_another_exchange_symbol_deposit_or_address_is_another_feed() -> None:
    chosen = [
        settings(),
        settings(exchange__name="bybit"),
        settings(feed__symbols="BTC/USDT:USDT"),
        settings(venue__deposit_quote=500.0),
        settings(exchange__base_url="http://127.0.0.1:8770"),
    ]
    assert len({identity(each) for each in chosen}) == len(chosen)
    assert len({database_path(each) for each in chosen}) == len(chosen)


def test_the_seed_says_nothing_about_live_prices() -> None:
    assert identity(settings(run__seed=1)) == identity(settings(run__seed=2))


def test_the_database_is_named_after_paper_and_the_exchange() -> None:
    assert database_path(settings(exchange__name="okx")).name.startswith("paper-okx-")


@pytest.mark.parametrize("mode", ["testnet", "live"])
def test_live_prices_are_for_paper_money(mode: str) -> None:
    with pytest.raises(UserError, match="add --paper"):
        settings(run__mode=mode, exchange__name="binanceusdm", exchange__allow_live=True)


def test_an_exchange_without_its_prices_is_no_paper_trading() -> None:
    with pytest.raises(UserError, match="--feed live"):
        settings(feed__kind="synthetic", exchange__name="binanceusdm")
