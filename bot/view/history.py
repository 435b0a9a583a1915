"""What the database holds of the past, as screens show it."""

from bot.core.event import MarginMoved
from bot.core.note import PositionRisk
from bot.store.rows import MarginMove


def moved_of(row: MarginMove) -> MarginMoved | None:
    """Return a stored margin move as the note it was told by; None: somebody else moved it, unexplained."""
    if row.reason is None or row.policy is None or row.position_id is None:
        return None
    before, after = _risk(row, "before"), _risk(row, "after")
    if before is None or after is None:
        return None
    return MarginMoved(
        row.ts_ms,
        row.symbol,
        row.position_id,
        row.client_id,
        float(row.amount_quote),
        row.policy,
        row.reason,
        before,
        after,
    )


def _risk(row: MarginMove, when: str) -> PositionRisk | None:
    """The risk before or after the move. A liquidation price that is not kept is none: infinity."""
    values = row._asdict()
    mark, wallet, ratio = (values[f"{name}_{when}"] for name in ("mark", "isolated_wallet", "margin_ratio"))
    if mark is None or wallet is None or ratio is None:
        return None
    price, away = values[f"liquidation_price_{when}"], values[f"distance_{when}"]
    never = float("inf")
    return PositionRisk(
        float(mark),
        float(wallet),
        float(ratio),
        never if price is None else float(price),
        never if away is None else float(away),
    )
