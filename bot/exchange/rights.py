"""What a key may do, as the venue itself tells it. A key that may withdraw is not one for a bot.

Where a venue has no such request, None says so: nothing is concluded from silence.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from bot.exchange.hosts import Access

_ANYWHERE: Final = ("", "*", "0.0.0.0")


class Rights(NamedTuple):
    """None, or 0 of `made_ms`: the venue does not say. `is_bound`: accepted from listed addresses only."""

    may_trade: bool | None
    may_withdraw: bool | None
    is_bound: bool | None
    made_ms: int = 0


async def rights_of(client: Any, ccxt_id: str, access: Access) -> Rights:
    """Return what the client's key may do. May raise ccxt's errors: a wrong key is found here."""
    return await _READERS[ccxt_id](client, access)


async def _binance(client: Any, access: Access) -> Rights:
    """The rights of a key are told by another service, which the test environment does not have."""
    if access.environment == "testnet":
        row = await client.fapiPrivateV2GetAccount()
        return Rights(bool(row["canTrade"]), None, None)
    row = await client.sapiGetAccountApiRestrictions()
    made_ms = int(row.get("createTime") or 0)
    return Rights(
        bool(row["enableFutures"]), bool(row["enableWithdrawals"]), bool(row["ipRestrict"]), made_ms
    )


async def _bybit(client: Any, _access: Access) -> Rights:
    row = (await client.privateGetV5UserQueryApi())["result"]
    permissions = row.get("permissions") or {}
    may_trade = str(row.get("readOnly", "0")) == "0"
    addresses = [str(each) for each in row.get("ips") or ()]
    is_bound = bool(addresses) and not any(each in _ANYWHERE for each in addresses)
    made_ms = client.parse8601(str(row.get("createdAt") or "")) or 0
    return Rights(may_trade, "Withdraw" in (permissions.get("Wallet") or ()), is_bound, made_ms)


async def _okx(client: Any, _access: Access) -> Rights:
    row = (await client.privateGetAccountConfig())["data"][0]
    if not row.get("perm"):
        return Rights(None, None, None)
    granted = str(row["perm"]).split(",")
    return Rights("trade" in granted, "withdraw" in granted, str(row.get("ip", "")) not in _ANYWHERE)


async def _bitget(client: Any, _access: Access) -> Rights:
    """Its names of rights are not documented in full: one that says withdraw proves, none proves nothing."""
    row = (await client.privateSpotGetV2SpotAccountInfo())["data"]
    named = [str(each).lower() for each in row.get("authorities") or ()]
    can_withdraw = any("withdraw" in each for each in named)
    return Rights(None, True if can_withdraw else None, str(row.get("ips") or "") not in _ANYWHERE)


async def _gate(client: Any, _access: Access) -> Rights:
    row = await client.privateAccountGetDetail()
    return Rights(None, None, bool(row.get("ip_whitelist")))


async def _kucoin(client: Any, _access: Access) -> Rights:
    """Asks for the account, which a wrong key may not see; its rights are told by no futures request."""
    await client.futuresPrivateGetAccountOverview({"currency": "USDT"})
    return Rights(None, None, None)


async def _hyperliquid(client: Any, _access: Access) -> Rights:
    """An agent's key signs orders only; the wallet's own key moves everything. Told without a request."""
    signer = client.eth_get_address_from_private_key(client.privateKey)
    return Rights(True, signer.lower() == str(client.walletAddress).lower(), None)


_READERS: Final[Mapping[str, Callable[[Any, Access], Awaitable[Rights]]]] = MappingProxyType(
    {
        "binanceusdm": _binance,
        "bybit": _bybit,
        "okx": _okx,
        "bitget": _bitget,
        "gate": _gate,
        "kucoinfutures": _kucoin,
        "hyperliquid": _hyperliquid,
    }
)
