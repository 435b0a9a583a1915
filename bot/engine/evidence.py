"""What one market remembers as evidence, and the same as JSON values for the checkpoint."""

from dataclasses import dataclass, field, fields
from typing import Any

from bot.core.position import Position
from bot.evidence.book import TradeBook
from bot.evidence.forecast import Forecast
from bot.evidence.nearness import NO_PRICE, Nearness
from bot.evidence.shadow import Orders, Shadow


@dataclass(slots=True)
class MarketEvidence:
    """`book` belongs to the open position, `orphans` to shadows whose position has ended.

    While watch_low < mark < watch_high the mark tells nothing new. `enters`: the side that the
    strategy's newest candle would enter, 0 for none. `forecast_hour`: the hour of the last forecast.
    `liquidation_known`: of the shadow of the open position, as of this state of it; found anew after a start.
    """

    book: TradeBook | None = None
    orphans: list[TradeBook] = field(default_factory=list)
    forecasts: list[Forecast] = field(default_factory=list)
    forecast_hour: int = 0
    enters: int = 0
    watch_low: float = 0.0
    watch_high: float = NO_PRICE
    liquidation_known: tuple[Position | None, float] = field(default=(None, 0.0), compare=False)

    def books(self) -> tuple[TradeBook, ...]:
        """Return every book that is not written yet."""
        return tuple(self.orphans) if self.book is None else (self.book, *self.orphans)


_BOOK_FIELDS = tuple(f.name for f in fields(TradeBook))


def evidence_json(evidence: MarketEvidence) -> dict[str, Any]:
    """Return the evidence as plain JSON values; floats survive exactly."""
    return {
        "book": _book_json(evidence.book) if evidence.book is not None else None,
        "orphans": [_book_json(book) for book in evidence.orphans],
        "forecasts": [list(forecast) for forecast in evidence.forecasts],
        "forecast_hour": evidence.forecast_hour,
        "enters": evidence.enters,
        "watch_low": evidence.watch_low,
        "watch_high": evidence.watch_high,
    }


def evidence_from(saved: dict[str, Any]) -> MarketEvidence:
    """Return what `evidence_json` was given."""
    return MarketEvidence(
        book=_book_from(saved["book"]) if saved["book"] is not None else None,
        orphans=[_book_from(book) for book in saved["orphans"]],
        forecasts=[Forecast(*forecast) for forecast in saved["forecasts"]],
        forecast_hour=saved["forecast_hour"],
        enters=saved["enters"],
        watch_low=saved["watch_low"],
        watch_high=saved["watch_high"],
    )


def _book_json(book: TradeBook) -> dict[str, Any]:
    saved = {name: getattr(book, name) for name in _BOOK_FIELDS}
    saved["shadow"] = [list(book.shadow.position), *book.shadow[1:]]
    saved["orders"], saved["nearness"] = list(book.orders), list(book.nearness)
    return saved


def _book_from(saved: dict[str, Any]) -> TradeBook:
    values = dict(saved)
    position, *rest = saved["shadow"]
    values["shadow"] = Shadow(Position(*position), *rest)
    values["orders"], values["nearness"] = Orders(*saved["orders"]), Nearness(*saved["nearness"])
    return TradeBook(**values)
