"""Instruments, balances and open orders of four venues, from replies in the form of their documents."""

from typing import Any

from bot.core.instrument import Instrument
from bot.exchange.dialects.hyperliquid_ids import cloid
from bot.exchange.rows import Money
from tests.unit.exchange.documented import (
    BTC,
    BTC_USDC,
    FUTURES,
    MIX,
    STOP,
    bitget,
    gate,
    hyperliquid,
    kucoin,
    order,
)
from tests.unit.exchange.recorder import Recorder

OTHER = "RF0000009E"


async def instrument_of(made: Recorder, symbol: str) -> Instrument:
    return (await made.dialect.instruments(made.client, (symbol,)))[symbol]


def steps_of(row: Instrument) -> tuple[float, float, float, float]:
    values = (row.tick_size, row.quantity_step, row.min_quantity, row.min_notional_quote)
    return tuple(round(value, 12) for value in values)  # pyright: ignore[reportReturnType]


async def test_bitgets_instrument_has_tiers_without_deductions() -> None:
    made = bitget()
    contract = {
        "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "supportMarginCoins": ["USDT"],
        "makerFeeRate": "0.0002", "takerFeeRate": "0.0006", "minTradeNum": "0.001", "priceEndStep": "1",
        "volumePlace": "3", "pricePlace": "1", "sizeMultiplier": "0.001", "symbolType": "perpetual",
        "minTradeUSDT": "5", "symbolStatus": "normal", "minLever": "1", "maxLever": "125",
        "offTime": "-1", "limitOpenTime": "-1", "fundInterval": "4",
    }  # fmt: skip
    tiers = [
        {"symbol": "BTCUSDT", "level": "1", "startUnit": "0", "endUnit": "150000", "leverage": "125",
         "keepMarginRate": "0.004"},
        {"symbol": "BTCUSDT", "level": "2", "startUnit": "150000", "endUnit": "900000", "leverage": "100",
         "keepMarginRate": "0.005"},
    ]  # fmt: skip
    made.answers[f"GET {MIX}/market/contracts"] = {"code": "00000", "data": [contract]}
    made.answers[f"GET {MIX}/market/query-position-lever"] = {"code": "00000", "data": tiers}
    rates = {"makerFeeRate": "0.00016", "takerFeeRate": "0.0005"}
    made.answers["GET /api/v2/common/trade-rate"] = {"code": "00000", "data": rates}
    found = await instrument_of(made, BTC)
    assert steps_of(found) == (0.1, 0.001, 0.001, 5.0)
    assert (found.maker_fee_rate, found.taker_fee_rate, found.max_leverage) == (0.00016, 0.0005, 125.0)
    assert found.funding_interval_ms == 4 * 3_600_000
    assert found.tiers.maintenance_amount.tolist() == [0.0, 0.0]


async def test_gates_instrument_is_in_base_units_and_not_in_contracts() -> None:
    made = gate()
    contract = {
        "name": "BTC_USDT", "type": "direct", "quanto_multiplier": "0.0001", "order_size_min": 1,
        "order_size_max": 1000000, "order_price_round": "0.1", "mark_price": "50000", "last_price": "50000",
        "leverage_min": "1", "leverage_max": "125", "maker_fee_rate": "-0.0001", "taker_fee_rate": "0.00075",
        "in_delisting": False, "status": "trading", "create_time": 1, "order_price_deviate": "0.5",
        "enable_decimal": False,
    }  # fmt: skip
    tiers = [
        {"tier": 1, "risk_limit": "20000", "initial_rate": "0.008", "maintenance_rate": "0.004",
         "leverage_max": "125", "contract": "BTC_USDT"},
    ]  # fmt: skip
    made.answers[f"GET {FUTURES}/contracts"] = [contract]
    made.answers["GET /api/v4/account/detail"] = {}
    made.answers[f"GET {FUTURES}/risk_limit_tiers"] = tiers
    found = await instrument_of(made, BTC)
    assert steps_of(found) == (0.1, 0.0001, 0.0001, 0.0)
    assert (found.contract_size, found.max_leverage) == (0.0001, 125.0)


async def test_kucoins_instrument_is_in_base_units_and_not_in_contracts() -> None:
    made = kucoin()
    contract = {
        "symbol": "XBTUSDTM", "rootSymbol": "USDT", "type": "FFWCSX", "baseCurrency": "XBT",
        "quoteCurrency": "USDT", "settleCurrency": "USDT", "maxOrderQty": 1000000, "maxPrice": 1000000.0,
        "lotSize": 1, "tickSize": 0.1, "nextFundingRateTime": 1,
        "multiplier": 0.001, "makerFeeRate": 0.0002, "takerFeeRate": 0.0006,
        "isInverse": False, "status": "Open", "maxLeverage": 125, "expireDate": None,
    }  # fmt: skip
    tier = {"symbol": "XBTUSDTM", "level": 1, "maxRiskLimit": 300000, "minRiskLimit": 0, "maxLeverage": 125,
            "initialMargin": 0.008, "maintainMargin": 0.004}  # fmt: skip
    made.answers["GET /api/v1/contracts/active"] = {"code": "200000", "data": [contract]}
    made.answers["GET /api/v1/contracts/risk-limit/XBTUSDTM"] = {"code": "200000", "data": [tier]}
    rates = {"symbol": "XBTUSDTM", "takerFeeRate": "0.0005", "makerFeeRate": "0.00015"}
    made.answers["GET /api/v1/trade-fees"] = {"code": "200000", "data": rates}
    funding = {"symbol": ".XBTUSDTMFPI4H", "granularity": 14_400_000, "timePoint": 1, "value": 0.0001}
    made.answers["GET /api/v1/funding-rate/XBTUSDTM/current"] = {"code": "200000", "data": funding}
    found = await instrument_of(made, BTC)
    assert (found.maker_fee_rate, found.taker_fee_rate) == (0.00015, 0.0005)
    assert found.funding_interval_ms == 14_400_000
    assert steps_of(found) == (0.1, 0.001, 0.001, 0.0)
    assert found.tiers.maintenance_margin_rate.tolist() == [0.004]


async def test_balances_hold_no_unrealised_pnl() -> None:
    made = bitget()
    account = {"marginCoin": "USDT", "available": "90", "isolatedMaxAvailable": "80", "accountEquity": "110",
               "unrealizedPL": "10", "locked": "0"}  # fmt: skip
    made.answers[f"GET {MIX}/account/accounts"] = {"code": "00000", "data": [account]}
    assert await made.dialect.money(made.client) == Money(80.0, 100.0)
    made = gate()
    made.answers[f"GET {FUTURES}/accounts"] = {"total": "100", "available": "80", "unrealised_pnl": "10"}
    assert await made.dialect.money(made.client) == Money(80.0, 100.0)
    made = kucoin()
    row = {"accountEquity": 110, "unrealisedPNL": 10, "availableBalance": 80}
    made.answers["GET /api/v1/account-overview"] = {"code": "200000", "data": row}
    assert await made.dialect.money(made.client) == Money(80.0, 100.0)
    assert await hyperliquid().dialect.money(hyperliquid().client) == Money(90.0, 10.0)


def told(row: Any) -> tuple[Any, ...]:
    names = (
        "client_id venue_id leg order_side quantity trigger_price trigger_on limit_price is_reduce_only "
        "is_conditional status"
    )
    return tuple(getattr(row, name) for name in names.split())


STOP_ROW = (STOP, "88", "stop", -1, 0.0, 49_000.0, "mark", 0.0, True, True, "open")
LIMIT_ROW = (OTHER, "71", "entry", 1, 0.01, 0.0, "last", 48_000.0, False, False, "open")


async def test_bitgets_two_lists_are_both_read() -> None:
    made = bitget()
    plain = {"symbol": "BTCUSDT", "size": "0.01", "orderId": "71", "clientOid": OTHER, "baseVolume": "0",
             "price": "48000", "status": "live", "side": "buy", "force": "gtc", "orderType": "limit",
             "reduceOnly": "NO", "cTime": "1700000000000", "marginMode": "isolated"}  # fmt: skip
    stop = {"planType": "pos_loss", "symbol": "BTCUSDT", "size": "0", "orderId": "88", "clientOid": STOP,
            "triggerPrice": "49000", "triggerType": "mark_price", "planStatus": "live", "side": "sell",
            "orderType": "market", "cTime": "1700000000000"}  # fmt: skip
    for path, row in (("orders-pending", plain), ("orders-plan-pending", stop)):
        data = {"entrustedList": [row]}
        made.answers[f"GET {MIX}/order/{path}"] = {"code": "00000", "data": data}
    first, second = await made.dialect.open_orders(made.client, BTC)
    assert told(first) == LIMIT_ROW
    assert told(second) == STOP_ROW
    query = {"planType": "profit_loss", "productType": "USDT-FUTURES", "symbol": "BTCUSDT"}
    assert made.take()[1].query == query


async def test_gates_stop_is_known_by_the_id_it_got_from_us_or_by_the_venues() -> None:
    made = gate()
    plain = {"id": 71, "contract": "BTC_USDT", "size": 100, "left": 100, "price": "48000", "status": "open",
             "text": f"t-{OTHER}", "create_time": 1_700_000_000.5, "is_reduce_only": False}  # fmt: skip
    stop = {"id": 88, "status": "open", "create_time": 1_700_000_000,
            "initial": {"contract": "BTC_USDT", "size": 0, "price": "0", "is_close": True},
            "trigger": {"price_type": 1, "price": "49000", "rule": 2}}  # fmt: skip
    made.answers[f"GET {FUTURES}/orders"] = [plain]
    made.answers[f"GET {FUTURES}/price_orders"] = [stop]
    made.answers[f"POST {FUTURES}/price_orders"] = {"id": 88}
    first, second = await made.dialect.open_orders(made.client, BTC)
    assert told(first) == (*LIMIT_ROW[:6], "mark", *LIMIT_ROW[7:])
    assert told(second) == ("88", *STOP_ROW[1:])
    await made.dialect.create(made.client, order("stop", -1, 0.0, trigger_price=49_000.0))
    assert told((await made.dialect.open_orders(made.client, BTC))[1]) == STOP_ROW


async def test_kucoins_two_lists_are_both_read_in_base_units() -> None:
    made = kucoin()
    plain = {"id": "71", "symbol": "XBTUSDTM", "type": "limit", "side": "buy", "price": "48000", "size": 10,
             "dealSize": 0, "clientOid": OTHER, "isActive": True, "cancelExist": False, "reduceOnly": False,
             "createdAt": 1_700_000_000_000}  # fmt: skip
    stop = {"id": "88", "symbol": "XBTUSDTM", "type": "market", "side": "sell", "size": 10, "clientOid": STOP,
            "stopPrice": "49000", "stopPriceType": "MP", "closeOrder": True, "isActive": True,
            "cancelExist": False, "createdAt": 1_700_000_000_000}  # fmt: skip
    made.answers["GET /api/v1/orders"] = {"code": "200000", "data": {"items": [plain]}}
    made.answers["GET /api/v1/stopOrders"] = {"code": "200000", "data": {"items": [stop]}}
    first, second = await made.dialect.open_orders(made.client, BTC)
    assert told(first) == LIMIT_ROW
    assert told(second) == STOP_ROW


async def test_hyperliquids_one_list_holds_both_kinds_under_our_ids() -> None:
    made = hyperliquid()
    plain = {"coin": "BTC", "side": "B", "limitPx": "48000", "sz": "0.01", "origSz": "0.01", "oid": 71,
             "timestamp": 1_700_000_000_000, "isTrigger": False, "isPositionTpsl": False, "reduceOnly": False,
             "orderType": "Limit", "cloid": cloid(OTHER), "triggerPx": "0.0"}  # fmt: skip
    stop = {**plain, "side": "A", "oid": 88, "isTrigger": True, "isPositionTpsl": True, "reduceOnly": True,
            "orderType": "Stop Market", "triggerPx": "49000", "cloid": cloid(STOP)}  # fmt: skip
    made.answers["POST /info"] = [plain, stop, {**plain, "coin": "ETH"}]
    first, second = await made.dialect.open_orders(made.client, BTC_USDC)
    assert told(first) == (*LIMIT_ROW[:6], "mark", *LIMIT_ROW[7:])
    assert told(second) == STOP_ROW
