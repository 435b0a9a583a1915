"""What holds for every venue whose requests are compared with its documents only."""

import json
from typing import Any

import pytest

from bot.errors import Rejected
from bot.exchange.rows import NewOrder
from tests.unit.exchange.documented import BTC, BTC_USDC, bitget, gate, hyperliquid, kucoin, order
from tests.unit.exchange.recorder import CANARY


@pytest.mark.parametrize("make", [bitget, gate, kucoin, hyperliquid])
async def test_secrets_are_in_no_request_and_every_request_stays_on_its_host(make: Any) -> None:
    made = make()
    symbol = BTC_USDC if make is hyperliquid else BTC
    await made.dialect.set_leverage(made.client, symbol, 10)
    await made.dialect.create(made.client, order("market", 1, 0.01, symbol))
    await made.dialect.create(made.client, order("stop", -1, 0.0, symbol, trigger_price=49_000.0))
    await made.dialect.move_margin(made.client, symbol, 1, 10.0)
    assert len(made.raw) >= 3
    for text in made.raw:
        assert text.startswith("http://127.0.0.1:1/")
        assert not any(secret in text for secret in (CANARY.secret, CANARY.password, CANARY.private_key[2:]))
    assert not any(secret in json.dumps(made.raw) for secret in (CANARY.secret, CANARY.private_key[2:]))


@pytest.mark.parametrize("make", [bitget, gate, kucoin, hyperliquid])
async def test_a_trailing_stop_is_refused_before_anything_is_sent(make: Any) -> None:
    made = make()
    trailing = NewOrder("RF0000005W", BTC, "trailing", -1, 0.01, True, callback_rate=0.01)
    with pytest.raises(Rejected, match="trailing"):
        await made.dialect.create(made.client, trailing)
    assert made.sent == []
