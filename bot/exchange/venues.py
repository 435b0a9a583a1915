"""The venues: one row of data each. What a row claims, `verified` says how it was established.

Hosts and switches: read off ccxt 4.5.90 after switching (`set_sandbox_mode`, `enable_demo_trading`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from bot.exchange.endpoint_paces import UNCOUNTED, EndpointRate
from bot.exchange.lane import Budget

Switch = Literal["demo", "sandbox", "none"]

_MINUTE_MS: Final = 60_000


class Venue(NamedTuple):
    """`switch`: what leads to the test environment today. `test_header`: needed where hosts are shared.

    `test_hosts` may be asked in test mode, `live_hosts` in live mode; any other host is refused.
    `without_key`: what paper trading on its prices assumes, because reading it takes a key.
    `read_weights`: of reads by their `type`, where ccxt has others than the venue; "" is any other.
    `margin`: how isolated margin is moved. `conditional`: how a resting stop is kept by the venue.
    """

    ccxt_id: str
    title: str
    switch: Switch
    live_hosts: frozenset[str]
    test_hosts: frozenset[str]
    test_header: tuple[str, str]
    credentials: tuple[str, ...]
    budget: Budget
    used_weight_header: str
    has_mark_stream: bool
    margin: str
    conditional: str
    verified: str
    without_key: str
    endpoint_rate: EndpointRate = UNCOUNTED
    read_weights: Mapping[str, float] = MappingProxyType({})


# Mark candles: no endpoint at all, and one of unified accounts only.
WITHOUT_MARK: Final = ("hyperliquid", "kucoinfutures")
_KEY: Final = ("api_key", "secret")
_KEY_AND_PASSWORD: Final = ("api_key", "secret", "password")
_NO_HEADER: Final = ("", "")

_BINANCE: Final = Venue(
    ccxt_id="binanceusdm",
    title="Binance USD-M",
    switch="demo",  # set_sandbox_mode raises NotSupported on every private futures call
    # api.binance.com: what a key may do is told there only.
    live_hosts=frozenset(
        {"fapi.binance.com", "fstream.binance.com", "ws-fapi.binance.com", "api.binance.com"}
    ),
    test_hosts=frozenset({"demo-fapi.binance.com", "fstream.binancefuture.com", "testnet.binancefuture.com"}),
    test_header=_NO_HEADER,
    credentials=_KEY,
    budget=Budget(2_400.0, _MINUTE_MS, 480.0, 3),
    used_weight_header="X-MBX-USED-WEIGHT-1M",
    has_mark_stream=True,
    margin="add and reduce through ccxt, the amount set by us: ccxt truncates it to the contract's step",
    conditional="algo service: own ids and lists; closePosition, one per side and type",
    verified="requests and replies run on loopback with ccxt 4.5.90; codes from the venue's documents",
    without_key="leverage brackets as shipped (2026) and the fees of VIP 0",
)

_BYBIT: Final = Venue(
    ccxt_id="bybit",
    title="Bybit",
    switch="demo",
    live_hosts=frozenset({"api.bybit.com", "stream.bybit.com"}),
    test_hosts=frozenset({"api-demo.bybit.com", "stream-demo.bybit.com", "stream.bybit.com"}),
    test_header=_NO_HEADER,
    credentials=_KEY,
    budget=Budget(600.0, 5_000, 120.0, 3),
    used_weight_header="",
    has_mark_stream=False,
    margin="raw v5/position/add-margin, negative amounts reduce, four decimals: ccxt has neither",
    conditional="order/create with triggerDirection, same ids as all orders; qty 0 closes the position",
    verified="requests and replies run on loopback with ccxt 4.5.90; fields and codes from the v5 documents",
    without_key="the fees of VIP 0",
    endpoint_rate=EndpointRate(50, 1_000),  # ccxt's costs are shares of it: 5 is ten a second
)

_OKX: Final = Venue(
    ccxt_id="okx",
    title="OKX",
    switch="sandbox",
    live_hosts=frozenset({"www.okx.com", "ws.okx.com"}),
    test_hosts=frozenset({"www.okx.com", "wspap.okx.com"}),
    test_header=("x-simulated-trading", "1"),
    credentials=_KEY_AND_PASSWORD,
    budget=Budget(300.0, 10_000, 60.0, 3, 2_000),
    used_weight_header="",
    has_mark_stream=True,
    margin="raw account/position/margin-balance: ccxt moves the money and then raises TypeError",
    conditional="order-algo with closeFraction, one per side; lists must be asked per ordType",
    verified="requests and replies run on loopback with ccxt 4.5.90; codes from the venue's documents",
    without_key="the fees of a regular user",
    endpoint_rate=EndpointRate(20, 2_100),  # 20 in 2 s of weight 1 as ccxt weighs them; 0.1 s for the way
)

_BITGET: Final = Venue(
    ccxt_id="bitget",
    title="Bitget",
    switch="sandbox",
    live_hosts=frozenset({"api.bitget.com", "ws.bitget.com"}),
    test_hosts=frozenset({"api.bitget.com", "wspap.bitget.com"}),
    test_header=("PAPTRADING", "1"),
    credentials=_KEY_AND_PASSWORD,
    budget=Budget(1_200.0, _MINUTE_MS, 240.0, 3),
    used_weight_header="",
    has_mark_stream=False,
    margin="raw mix/account/set-margin: holdSide, a negative amount releases; ccxt truncates the amount",
    conditional="place-tpsl-order on mark_price: pos_loss, pos_profit; loss_plan, profit_plan for a part",
    verified="requests and replies compared with the documents, no exchange behind them; nothing was traded",
    without_key="the fees that ccxt lists",
)

_GATE: Final = Venue(
    ccxt_id="gate",
    title="Gate",
    switch="sandbox",
    live_hosts=frozenset({"api.gateio.ws", "fx-ws.gateio.ws"}),
    test_hosts=frozenset({"api-testnet.gateapi.io", "ws-testnet.gate.com"}),
    test_header=_NO_HEADER,
    credentials=_KEY,
    budget=Budget(200.0, 10_000, 40.0, 3),
    used_weight_header="",
    has_mark_stream=False,
    margin="positions/{contract}/margin?change=, signed; leverage above 0 is isolated",
    conditional="price-triggered orders, price_type 1 = mark; ids of their own, ours in initial.text",
    verified="requests and a scripted life of a position compared with the documents; nothing was traded",
    without_key="the fees that ccxt lists",
)

_KUCOIN: Final = Venue(
    ccxt_id="kucoinfutures",
    title="KuCoin futures",
    switch="none",
    live_hosts=frozenset({"api-futures.kucoin.com", "ws-api-futures.kucoin.com"}),
    test_hosts=frozenset(),
    test_header=_NO_HEADER,
    credentials=_KEY_AND_PASSWORD,
    budget=Budget(2_000.0, 30_000, 400.0, 3),
    used_weight_header="",
    has_mark_stream=True,
    margin="deposit-margin with bizNo and withdrawMargin; isolated leverage is said with each order",
    conditional="orders with stopPriceType MP, closeOrder for the whole position; a stop keeps its id",
    verified="requests and replies compared with the documents, no exchange behind them; nothing was traded",
    without_key="the fees that ccxt lists, and last prices for marks in minutes without the bot",
)

_HYPERLIQUID: Final = Venue(
    ccxt_id="hyperliquid",
    title="Hyperliquid",
    switch="sandbox",
    live_hosts=frozenset({"api.hyperliquid.xyz"}),
    test_hosts=frozenset({"api.hyperliquid-testnet.xyz"}),
    test_header=_NO_HEADER,
    credentials=("wallet_address", "private_key"),
    budget=Budget(1_200.0, _MINUTE_MS, 120.0, 3, kept_for_news=240.0),
    used_weight_header="",
    has_mark_stream=False,
    margin="raw updateIsolatedMargin, ntli signed in 1e-6; ccxt truncates the amount",
    conditional="trigger orders, always on mark, in the ordinary lists; ccxt's own would sign a builder fee",
    verified="requests and replies run on loopback with ccxt 4.5.90; words and fields from the documents",
    without_key="the fees that ccxt lists, and last prices for marks in minutes without the bot",
    # Its document "Rate limits": 20 for what is not named. ccxt 4.5.90 has 10, and 4 for candles.
    read_weights=MappingProxyType(
        {
            "": 20.0,
            **dict.fromkeys(
                ("allMids", "clearinghouseState", "exchangeStatus", "l2Book", "orderStatus"), 2.0
            ),
        }
    ),
)

VENUES: Final[Mapping[str, Venue]] = MappingProxyType(
    {row.ccxt_id: row for row in (_BINANCE, _BYBIT, _OKX, _BITGET, _GATE, _KUCOIN, _HYPERLIQUID)}
)
