"""The venues' own error codes and what each says: a RefusalCode, or why it is no refusal.

"not_done": thrown away unread, may be sent again. "unknown": may have happened. "fatal": stop. "key": stop,
and the key is why. "account_mode": not in the mode the account is in; an order is refused, a question stops.
Sources: Binance USD-M error codes (developers.binance.com), Bybit v5 and OKX v5 error lists, Bitget, Gate and
KuCoin documents, each as ccxt 4.5.90 maps them. A code that is not here is judged by ccxt's class.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.errors import RefusalCode

Listed = str


def _table(rows: Mapping[RefusalCode | str, str]) -> Mapping[str, Listed]:
    return MappingProxyType({code: said for said, codes in rows.items() for code in codes.split()})


_BINANCE: Final = _table(
    {
        "insufficient_balance": "-2018 -2019 -4050",
        "beyond_removable": "-4051",
        "no_position": "-2024 -4054 -4509",
        "in_liquidation": "-2023",
        "duplicate_client_id": "-4116 -20132",
        "unknown_order": "-2011 -2013 -4117 -20124",
        "unknown_symbol": "-1108 -1121 -1126 -4141 -4144 -20121",
        "would_trigger_immediately": "-2021 -4142",
        "reduce_only": "-2022 -2026 -4118",
        "below_minimum": "-4004 -4055 -4164",
        "precision": "-1111 -1013 -1102 -4003 -4014 -4023 -4136 -20130",
        "leverage_refused": "-2028 -4028 -4161",
        "margin_mode_refused": "-4046 -4047 -4048 -4049 -4052 -4053 -4059 -4061 -4067 -4068 -4168",
        "position_limit": "-2020 -2025 -2027 -4005 -4045 -4130 -4131",
        # -1008: refused by overload protection before it reached the matching engine.
        "not_done": "-1003 -1008 -1015 -1021 -5028",
        # -1016: the service is being shut down, as before maintenance.
        "unknown": "-1000 -1001 -1006 -1007 -1016",
        # An order of the conditional service on the old path. To stop here would leave an entry without
        # its stop; refused, the entry is closed.
        "unavailable": "-4120",
        "fatal": "-1002",
        "key": "-1022 -2014 -2015 -2017",
    }
)

_BYBIT: Final = _table(
    {
        "insufficient_balance": "110004 110006 110007 110012 110014 110044 110045 110051 110052 110053",
        "beyond_removable": "110011 110039 110040 110046",
        "no_position": "110033 110034",
        "in_liquidation": "110005",
        "duplicate_client_id": "110072",
        "unknown_order": "110001 110008 110010 110019",
        "would_trigger_immediately": "110092 110093",
        "reduce_only": "110017",
        "below_minimum": "110094",
        "precision": "110003 110049",
        "leverage_refused": "110013 110036 110043",
        "margin_mode_refused": "110015 110024 110025 110026 110027 110028 110029 110073 3400045",
        "position_limit": "110009 110016 110020 110021 110022 110023 110047 110048",
        "not_done": "10002 10006 10018",
        # 10016: the server failed, and does not say at what.
        "unknown": "10000 10014 10016",
        "fatal": "10008 10009 10020 10024 10027 10028 10029",
        "key": "10003 10004 10005 10007 10010 33004",
    }
)

_OKX: Final = _table(
    {
        "insufficient_balance": "51008 51119 51127 51131 51502 59103 59108 59200 59201",
        "no_position": "51023 59216 59300",
        "beyond_removable": "59301",
        "in_liquidation": "50009 50020 50021 50022",
        "duplicate_client_id": "51011 51016 51065",
        "unknown_order": "51400 51401 51402 51405 51503 51509 51510 51603",
        "unknown_symbol": "51001 51002 51012 51014 51015 51021 51022 51026 51027 51028",
        "would_trigger_immediately": "51277 51278 51279 51280",
        "reduce_only": "51112 51169 51205",
        "below_minimum": "51007 51020 51100 51118 51120",
        "precision": "51000 51006 51116 51121 51122 51250 51252 51257",
        "leverage_refused": "59102 59105 59106 59107",
        "margin_mode_refused": "59000 59100 59101 59104 59109",
        # 51088: one order per position may close all of it.
        "position_limit": "51004 51005 51025 51088 51101 51102 51103 51104 51105 51106 51107 51108 51117 "
        "51174 51202 51203 51260 51261",
        # 51029, 51030: settlement or funding is under way, for a moment.
        "not_done": "50011 50061 50102 51029 51030",
        "unknown": "50004 50013 50026",
        "fatal": "50103 50104 50106 50107",
        "account_mode": "51010",
        "key": "50100 50101 50105 50110 50111 50113 50114 50119",
    }
)

_BITGET: Final = _table(
    {
        "insufficient_balance": "40711 40712 40762 43012",
        "beyond_removable": "40713",
        "no_position": "22002 40709",
        "duplicate_client_id": "40786",
        "unknown_order": "40109 40768 43001 43025",
        "below_minimum": "45110",
        "precision": "40208 40808 41103",
        "position_limit": "45113",
        "would_trigger_immediately": "40917 45122",
    }
)

_GATE: Final = _table(
    {
        "insufficient_balance": "INSUFFICIENT_AVAILABLE MARGIN_BALANCE_NOT_ENOUGH BALANCE_NOT_ENOUGH "
        "FUTURES_BALANCE_NOT_ENOUGH",
        "beyond_removable": "REMOVE_TOO_MUCH",
        "no_position": "POSITION_EMPTY",
        "in_liquidation": "POSITION_IN_LIQUIDATION POSITION_IN_CLOSE",
        "duplicate_client_id": "REPEATED_CREATION",
        "unknown_order": "ORDER_NOT_FOUND CLIENT_ID_NOT_FOUND ORDER_CLOSED ORDER_CANCELLED",
        "unknown_symbol": "CONTRACT_NOT_FOUND",
        "would_trigger_immediately": "LIQUIDATE_IMMEDIATELY AUTO_TRIGGER_PRICE_LESS_LAST "
        "AUTO_TRIGGER_PRICE_GREATE_LAST",
        "reduce_only": "INCREASE_POSITION",
        "below_minimum": "SIZE_TOO_SMALL AMOUNT_TOO_LITTLE",
        "leverage_refused": "LEVERAGE_TOO_HIGH LEVERAGE_TOO_LOW",
        "margin_mode_refused": "POSITION_CROSS_MARGIN",
        "position_limit": "RISK_LIMIT_EXCEEDED SIZE_TOO_LARGE TOO_MANY_ORDERS",
        "not_done": "REQUEST_EXPIRED TOO_FAST TOO_MANY_REQUESTS",
    }
)

_KUCOIN: Final = _table(
    {
        "insufficient_balance": "300003 330008",
        "no_position": "300009",
        "in_liquidation": "300014",
        "duplicate_client_id": "300018",
        "unknown_symbol": "100003 200003",
        "leverage_refused": "300016",
        "position_limit": "300001 300004 300005",
        # 100004: it is done or cancelled already.
        "unknown_order": "100001 100004",
        "precision": "300011 300012",
        "margin_mode_refused": "330005 330012",
        # 300015: settlement is under way, for a moment.
        "not_done": "300015 400002 429000",
        "fatal": "400001 400003 400004 400005 400006 400007 411100",
    }
)

CODES: Final[Mapping[str, Mapping[str, Listed]]] = MappingProxyType(
    {
        "binanceusdm": _BINANCE,
        "bybit": _BYBIT,
        "okx": _OKX,
        "bitget": _BITGET,
        "gate": _GATE,
        "kucoinfutures": _KUCOIN,
        "hyperliquid": {},
    }
)
