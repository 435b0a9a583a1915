"""Double-entry money of the simulated venue: transfers only, so the sum of all accounts is constant."""

import math
from collections.abc import Mapping
from typing import Final

FREE: Final = "free"
FEES: Final = "fees"
FUNDING: Final = "funding"
MARKET: Final = "market"  # the other traders: pays profits, receives losses
INSURANCE: Final = "insurance"


def wallet_account(symbol: str) -> str:
    """Return the account that holds the isolated wallet of `symbol`."""
    return f"wallet:{symbol}"


def order_account(client_id: str) -> str:
    """Return the account that holds the margin reserved for an entry order."""
    return f"order:{client_id}"


class Ledger:
    """Balances by account, in the settlement currency. All but FREE and wallets may be negative."""

    __slots__ = ("_balances", "_deposited")

    def __init__(self, deposit_quote: float) -> None:
        self._deposited = deposit_quote
        self._balances = {FREE: deposit_quote, FEES: 0.0, FUNDING: 0.0, MARKET: 0.0, INSURANCE: 0.0}

    def balance(self, account: str) -> float:
        """Return what the account holds; 0.0 for one that was never used or was swept."""
        return self._balances.get(account, 0.0)

    def transfer(self, source: str, target: str, amount: float) -> None:
        """Move `amount` from source to target; a negative amount moves the other way."""
        self._balances[source] = self.balance(source) - amount
        self._balances[target] = self.balance(target) + amount

    def sweep(self, source: str, target: str) -> float:
        """Move everything out of `source`, close it, and return the amount."""
        amount = self._balances.pop(source, 0.0)
        self._balances[target] = self.balance(target) + amount
        return amount

    def trader_quote(self) -> float:
        """Return the trader's money: free balance, isolated wallets and margin reserved by orders."""
        return math.fsum(
            amount
            for account, amount in self._balances.items()
            if account == FREE or account.startswith(("wallet:", "order:"))
        )

    def conservation_error(self) -> float:
        """Return |sum of all accounts - deposits| / max(deposits, 1); 0 but for float rounding."""
        error = abs(math.fsum(self._balances.values()) - self._deposited)
        return error / max(self._deposited, 1.0)

    def snapshot(self) -> dict[str, float]:
        """Return the balances as plain values."""
        return dict(self._balances)

    def restore(self, balances: Mapping[str, float]) -> None:
        """Replace the balances by a snapshot of a ledger with the same deposits."""
        self._balances = dict(balances)
