"""What a key may do is read from what the venue says, and silence is not taken for permission or safety."""

from contextlib import suppress
from typing import Any

import ccxt
import pytest
from ccxt.async_support.base.exchange import Exchange

from bot.clock import VirtualClock
from bot.exchange.connect import Credentials, link_to, venue_of
from bot.exchange.examination import _rights_lines  # pyright: ignore[reportPrivateUsage]
from bot.exchange.hosts import Access
from bot.exchange.rights import Rights, rights_of
from bot.exchange.venues import VENUES
from tests.unit.exchange.recorder import CANARY, START_MS

LOOPBACK = Access("loopback", "http://127.0.0.1:1")


async def read(venue_id: str, answer: Any, access: Access = LOOPBACK, keys: Credentials = CANARY) -> Rights:
    link, _ = link_to(venue_of(venue_id), access, keys, VirtualClock(START_MS))

    async def fetch(*_: Any) -> Any:
        return answer

    link.client.fetch = fetch
    return await rights_of(link.client, venue_id, access)


@pytest.mark.parametrize(
    ("venue_id", "answer", "rights"),
    [
        (
            "binanceusdm",
            {"enableFutures": True, "enableWithdrawals": True, "ipRestrict": True,
             "createTime": 1_700_000_000_000},
            Rights(True, True, True, 1_700_000_000_000),
        ),
        ("bybit", {"result": {"readOnly": 0, "permissions": {"Wallet": ["Withdraw"]}, "ips": ["1.2.3.4"],
                               "createdAt": "2023-11-14T22:13:20Z"}},
         Rights(True, True, True, 1_700_000_000_000)),
        ("bybit", {"result": {"readOnly": 1, "permissions": {"Wallet": []}, "ips": ["*"]}},
         Rights(False, False, False)),
        ("okx", {"code": "0", "data": [{"perm": "read_only,withdraw", "ip": ""}]},
         Rights(False, True, False)),
        ("okx", {"code": "0", "data": [{"perm": "read_only,trade", "ip": "1.2.3.4"}]},
         Rights(True, False, True)),
        ("okx", {"code": "0", "data": [{}]}, Rights(None, None, None)),
        ("bitget", {"code": "00000", "data": {"authorities": ["trade", "withdraw"], "ips": "1.2.3.4"}},
         Rights(None, True, True)),
        ("bitget", {"code": "00000", "data": {"authorities": ["coow"], "ips": ""}},
         Rights(None, None, False)),
        ("gate", {"ip_whitelist": []}, Rights(None, None, False)),
        ("kucoinfutures", {"code": "200000", "data": {}}, Rights(None, None, None)),
    ],
)  # fmt: skip
async def test_rights_are_read_as_the_venue_tells_them(venue_id: str, answer: Any, rights: Rights) -> None:
    assert await read(venue_id, answer) == rights


async def test_binances_test_environment_tells_nothing_of_withdrawals() -> None:
    answer = {"canTrade": True, "canWithdraw": True}
    assert await read("binanceusdm", answer, Access("testnet")) == Rights(True, None, None)


async def test_a_hyperliquid_wallet_key_may_withdraw_and_an_agents_may_not() -> None:
    link, _ = link_to(VENUES["hyperliquid"], LOOPBACK, CANARY, VirtualClock(START_MS))
    own = link.client.eth_get_address_from_private_key(CANARY.private_key)
    wallet = Credentials(wallet_address=own.upper().replace("0X", "0x"), private_key=CANARY.private_key)
    assert await read("hyperliquid", {}, keys=wallet) == Rights(True, True, None)
    assert await read("hyperliquid", {}) == Rights(True, False, None)


@pytest.mark.parametrize(
    ("rights", "verdict"),
    [
        (Rights(True, True, True), "wrong"),
        (Rights(None, True, None), "wrong"),
        (Rights(False, False, True), "wrong"),
        (Rights(True, None, None), "note"),
        (Rights(None, None, None), "note"),
        (Rights(True, False, True), "ok"),
    ],
)
def test_a_key_is_called_good_only_when_the_venue_says_so(rights: Rights, verdict: str) -> None:
    line = _rights_lines(rights)[0]
    assert line.verdict == verdict
    assert (line.next_step == "") == (verdict == "ok")


@pytest.mark.parametrize("venue_id", sorted(VENUES))
async def test_loading_markets_asks_no_host_that_the_guard_would_stop(
    venue_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def fetch(_self: Any, url: str, *_: Any) -> Any:
        asked.append(url)
        return {}

    monkeypatch.setattr(Exchange, "fetch", fetch)
    link, _ = link_to(venue_of(venue_id), Access("live"), CANARY, VirtualClock(START_MS))
    params = {"marginables": False} if venue_id == "kucoinfutures" else {}
    # The answers are empty; a refusal by the guard would be a UserError.
    with suppress(TypeError, KeyError, IndexError, ccxt.BaseError):
        await link.client.load_markets(True, params)
    assert asked
    assert all("spot" not in url and "margin" not in url for url in asked), asked
