"""One position: its market, its moves, its journal from trigger to reply, and what a change would do."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel

from bot.engine.state import Market
from bot.store.reader import Reader
from bot.view.history import journal_rows, request_rows
from bot.view.risk_board import Move, RiskPosition
from bot.view.what_if import Change, Outlook, what_if
from bot.web.access import Bot, reads
from bot.web.answers import Failure, Json, documented
from bot.web.office import Office

router = APIRouter(tags=["positions"], dependencies=[Depends(reads)])

_CANDLES = 500

Named = Annotated[str, Path(max_length=64, description='Unified symbol, escaped: "BTC%2FUSDT%3AUSDT".')]
Money = Annotated[float, Query(ge=0.0, le=1e15, allow_inf_nan=False, description="Quote.")]


class Candle(BaseModel):
    """One closed candle of the mark."""

    ts_ms: int
    open: float
    high: float
    low: float
    close: float


class PositionPage(BaseModel):
    """`position` is null while none is open. `journal`, `requests`: newest first."""

    as_of_ms: int
    symbol: str
    position: RiskPosition | None
    timeframe_ms: int
    candles: list[Candle]
    moves: list[Move]
    journal: list[dict[str, Any]]
    requests: list[dict[str, Any]]


class WhatIfAnswer(BaseModel):
    """The position after the change; `before` as it is. `refusal`: why the change would not be made."""

    as_of_ms: int
    symbol: str
    before: Outlook
    after: Outlook
    liquidation_price: float | None
    distance: float | None
    probability_24h: float | None
    margin_ratio: float | None
    wallet_quote: float
    refusal: str | None


@router.get(
    "/api/positions/{symbol:path}/what-if",
    response_model=WhatIfAnswer,
    responses=documented(401, 403, 404, 409, 422),
)
async def ask_what_if(
    bot: Bot,
    symbol: Named,
    add_quote: Money = 0.0,
    release_quote: Money = 0.0,
    reduce_fraction: Annotated[float, Query(ge=0.0, le=1.0, allow_inf_nan=False)] = 0.0,
    price: Annotated[float | None, Query(gt=0.0, le=1e15, allow_inf_nan=False)] = None,
) -> Response:
    """Return the risk of an open position after a change; nothing is done."""
    market = market_of(bot, symbol)
    if market.holding is None:
        raise Failure(409, f"No position is open in {symbol}.", "Wait for one; the calculators need none.")
    free, held = bot.watched.engine.state.free_quote, market.holding.position
    change = Change(add_quote, release_quote, reduce_fraction, price)
    before, after = what_if(market, held, free, Change()), what_if(market, held, free, change)
    same = ("liquidation_price", "distance", "probability_24h", "margin_ratio", "wallet_quote", "refusal")
    flat = {name: getattr(after, name) for name in same}
    return Json({"as_of_ms": bot.now_ms(), "symbol": symbol, "before": before, "after": after, **flat})


@router.get("/api/positions/{symbol:path}", response_model=PositionPage, responses=documented(401, 403, 404))
async def position(bot: Bot, symbol: Named) -> Response:
    """Return the position of a symbol, candles, its margin moves, and what was asked and answered."""
    market = market_of(bot, symbol)
    maker, holding = bot.boards.maker, market.holding
    shown = None if holding is None else maker.position(market, holding)
    candles, moves = _candles(market), maker.moves_of(symbol)
    frame_ms = bot.watched.engine.desk.timeframe_ms  # what triggered the entry came before its fill
    since_ms = 0 if holding is None else holding.opened_ms - frame_ms
    journal, requests = await bot.read(_told, symbol=symbol, since_ms=since_ms)
    return Json(
        {
            "as_of_ms": bot.now_ms(),
            "symbol": symbol,
            "position": shown,
            "timeframe_ms": frame_ms,
            "candles": candles,
            "moves": moves,
            "journal": journal,
            "requests": requests,
        }
    )


def market_of(bot: Office, symbol: str) -> Market:
    """Return the market of a symbol. Failure 404: it is not traded."""
    markets = bot.watched.engine.state.markets
    if symbol not in markets:
        raise Failure(404, f"{symbol} is not traded here.", f"There are {', '.join(markets)}.")
    return markets[symbol]


def _told(reader: Reader, symbol: str, since_ms: int) -> tuple[list[Any], list[Any]]:
    return journal_rows(reader, symbol, since_ms), request_rows(reader, symbol, since_ms)


def _candles(market: Market) -> list[dict[str, float]]:
    found = market.window.newest(_CANDLES)
    columns = (found.open_ms, found.open, found.high, found.low, found.close)
    names = ("ts_ms", "open", "high", "low", "close")
    return [
        dict(zip(names, row, strict=True))
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]
