"""What a venue's ccxt client must be told so that it asks only what we asked for.

Read in ccxt 4.5.90: it loads spot and option markets from other hosts, asks the account's kind before each
request, and at Hyperliquid signs a fee approval and a referrer before the first order.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

CLIENT_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "bybit": {"fetchMarkets": {"types": ["linear"]}, "defaultType": "swap"},
        "okx": {"fetchMarkets": {"types": ["swap"]}, "defaultType": "swap"},
        # Unified accounts (uta) have other endpoints and no isolated margin: they are refused by the venue.
        "bitget": {"fetchMarkets": {"types": ["swap"]}, "uta": False, "defaultType": "swap"},
        "gate": {
            "fetchMarkets": {"types": ["swap"]},
            "unifiedAccount": False,
            "defaultType": "swap",
            "swap": {"fetchMarkets": {"settlementCurrencies": ["usdt"]}},
        },
        "kucoinfutures": {"fetchMarkets": {"types": ["swap"]}, "uta": False, "hf": False},
        "hyperliquid": {
            "fetchMarkets": {"types": ["swap"]},
            "builderFee": False,
            "approvedBuilderFee": False,
            "refSet": True,
            "enableUnifiedMargin": False,
        },
    }
)
