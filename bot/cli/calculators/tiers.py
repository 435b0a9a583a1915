"""`ringfence calc tiers`: the leverage tiers of a market, and where positions stand in them."""

from typing import TYPE_CHECKING, Any, Final

import typer

from bot.cli.calculators import flags
from bot.cli.calculators.answers import amount, column, percents, show_chart, show_table
from bot.cli.calculators.book import Subject, asked_book, embedded, embedded_tiers
from bot.cli.options import Config, Database, Json
from bot.cli.output import cell, show_json
from bot.view.figures import pair

if TYPE_CHECKING:
    from bot.core.tiers import Tiers

_DEFAULT: Final = "BTC/USDT:USDT"
_TIERS: Final = (
    column("number", "tier", cell),
    column("notional_floor", "above", lambda value: f"{value:,.0f}"),
    column("notional_cap", "up to", lambda value: f"{value:,.0f}"),
    column("maintenance_margin_rate", "maintenance", percents),
    column("maintenance_amount", "less", lambda value: f"{value:,.0f}"),
    column("max_leverage", "leverage", lambda value: f"{value:g}x"),
    column("maintenance_margin_at_cap", "margin there", lambda value: f"{value:,.0f}"),
)
_STANDINGS: Final = (
    column("symbol", "symbol", pair, is_number=False),
    column("side", "side", cell, is_number=False),
    column("notional", "notional", amount),
    column("tier", "tier", cell),
    column("maintenance_margin", "maintenance", amount),
    column("room", "room in the tier", amount),
    column("liquidation_tier", "tier at liquidation", cell),
    column("max_leverage", "leverage allowed", lambda value: f"{value:g}x"),
)


def tiers(
    context: typer.Context,
    *,
    side: flags.Side = None,
    entry: flags.Entry = None,
    leverage: flags.Leverage = None,
    quantity: flags.Quantity = None,
    margin: flags.Margin = None,
    wallet: flags.Wallet = None,
    mark: flags.Mark = None,
    symbol: flags.Symbol = None,
    file: flags.File = None,
    db: Database = None,
    live: flags.Live = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show maintenance rate and highest leverage by notional; with a position, where it stands."""
    params = context.params
    is_position = any(params[name] for name in ("side", "entry", "leverage", "quantity", "margin"))
    book = asked_book(params) if is_position or file or db or live else None
    subjects = () if book is None else book.subjects
    tables = {subject.position.symbol: (subject.tiers, _table(subject.rules.tiers)) for subject in subjects}
    if book is None:
        market = embedded(symbol or _DEFAULT, "--symbol")
        tables = {market.symbol: (embedded_tiers(market.symbol), _table(market.tiers))}
    standings = [_standing(subject) for subject in subjects]
    if as_json:
        found = [{"symbol": name, "tiers": rows} for name, (_, rows) in tables.items()]
        show_json({"markets": found, "positions": standings})
        return
    for words, rows in tables.values():
        print(f"Tiers by notional: {words}")
        show_table(rows, _TIERS, spare=("maintenance_margin_at_cap",))
    if standings:
        print()
        show_table(standings, _STANDINGS)
    if len(tables) == 1:
        ((_, rows),) = tables.values()
        _draw(rows, standings)


def _table(found: "Tiers") -> list[dict[str, Any]]:
    from bot.calc import tier_table

    return [row._asdict() for row in tier_table(found)]


def _standing(subject: Subject) -> dict[str, Any]:
    from bot.calc import tier_standing
    from bot.core.position import side_name

    standing = tier_standing(subject.position, subject.mark, subject.rules)
    return {
        "symbol": subject.position.symbol,
        "side": side_name(subject.position.side),
        "mark": subject.mark,
        **standing._asdict(),
        "tier": standing.tier.number,
        "max_leverage": standing.tier.max_leverage,
    }


def _draw(rows: list[dict[str, Any]], standings: list[dict[str, Any]]) -> None:
    """Draw the stairs over a logarithmic notional, because each tier is several times the one below."""
    from math import log10

    from bot.cli.screen.chart import Axes, Curve, Level

    if len(rows) == 1:
        return
    first = 0.1 * rows[0]["notional_cap"]
    steps = [
        (log10(max(value, first)), row["maintenance_margin_rate"])
        for row in rows
        for value in (row["notional_floor"], row["notional_cap"])
        if value < float("inf")
    ]
    levels = [
        Level(pair(row["symbol"]), "mark", rows[row["tier"] - 1]["maintenance_margin_rate"])
        for row in standings
    ]
    show_chart(
        [Curve("rate", "stop", steps)],
        levels,
        Axes(percents, lambda x: f"{10**x:,.0f}", "notional"),
        "Maintenance rate by notional (logarithmic)",
    )
