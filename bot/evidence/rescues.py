"""Liquidations avoided, and at what price: never one number without the others. Margin-science 5.2."""

from collections.abc import Iterable
from typing import NamedTuple


class Ending(NamedTuple):
    """How one trade ended as it was held and with its margin left static; results in quote."""

    is_liquidated: bool
    is_static_liquidated: bool
    pnl_quote: float
    static_pnl_quote: float


class Share(NamedTuple):
    """Some trades, and what holding them so changed against static margin, all together in quote."""

    trades: int
    difference_quote: float


class Rescues(NamedTuple):
    """Every trade that either way liquidated, in one of four groups.

    `rescued_better`, `rescued_worse`: static margin was liquidated, these were not. `still_liquidated`: both
    were; more margin then only lost more. `only_ours`: liquidated though static margin was not.
    """

    static_liquidations: int
    liquidations: int
    rescued_better: Share
    rescued_worse: Share
    still_liquidated: Share
    only_ours: Share


def rescues(endings: Iterable[Ending]) -> Rescues:
    """Return the liquidations avoided and not avoided; a rescue that changed nothing counts as worse."""
    trades = list(endings)
    rescued = [trade for trade in trades if trade.is_static_liquidated and not trade.is_liquidated]
    return Rescues(
        sum(trade.is_static_liquidated for trade in trades),
        sum(trade.is_liquidated for trade in trades),
        _share(trade for trade in rescued if _difference(trade) > 0.0),
        _share(trade for trade in rescued if _difference(trade) <= 0.0),
        _share(trade for trade in trades if trade.is_static_liquidated and trade.is_liquidated),
        _share(trade for trade in trades if trade.is_liquidated and not trade.is_static_liquidated),
    )


def _share(trades: Iterable[Ending]) -> Share:
    differences = [_difference(trade) for trade in trades]
    return Share(len(differences), sum(differences, 0.0))


def _difference(trade: Ending) -> float:
    return trade.pnl_quote - trade.static_pnl_quote
