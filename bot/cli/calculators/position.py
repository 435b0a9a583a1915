"""`ringfence calc position`: what a position is, means and risks now."""

from typing import Any, Final

import typer

from bot.cli.calculators import flags
from bot.cli.calculators.answers import amount, chance, column, percents, price, said, show_table
from bot.cli.calculators.book import Subject, asked_book
from bot.cli.options import Config, Database, Json
from bot.cli.output import cell, show_facts, show_json
from bot.view.figures import pair

_FRACTIONS: Final = ("maintenance_margin_rate", "margin_ratio", "liquidation_distance")
_CHANCES: Final = ("liquidation_probability_1h", "liquidation_probability_24h")
_PRICES: Final = ("entry_price", "mark", "stop_price", "liquidation_price", "bankruptcy_price")
_AMOUNTS: Final = (
    "isolated_wallet",
    "notional",
    "required_margin",
    "unrealised_pnl",
    "equity",
    "maintenance_margin",
    "removable_margin",
    "loss_if_liquidated",
)
_WORDS: Final = {
    "unrealised_pnl": "unrealised PnL",
    "liquidation_distance_atr": "liquidation distance in ATR",
    "liquidation_probability_1h": "liquidation probability 1h",
}
_COLUMNS: Final = (
    column("symbol", "symbol", pair, is_number=False),
    column("side", "side", cell, is_number=False),
    column("mark", "mark", price),
    column("isolated_wallet", "margin", amount),
    column("required_margin", "required", amount),
    column("maintenance_margin", "maintenance", amount),
    column("margin_ratio", "ratio", percents),
    column("liquidation_price", "liquidation", price),
    column("liquidation_distance", "distance", percents),
    column("liquidation_distance_atr", "in ATR", lambda value: "-" if value is None else f"{value:.1f}"),
    column("liquidation_probability_1h", "P(1 h)", chance),
    column("liquidation_probability_24h", "P(24 h)", chance),
)


def position(
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
    stop: flags.Stop = None,
    sigma_day: flags.SigmaDay = None,
    atr: flags.Atr = None,
    maintenance_rate: flags.MaintenanceRate = None,
    maintenance_amount: flags.MaintenanceAmount = None,
    venue: flags.Venue = None,
    close_fee_rate: flags.CloseFeeRate = None,
    inverse: flags.Inverse = False,
    file: flags.File = None,
    db: Database = None,
    live: flags.Live = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Show required margin, liquidation and bankruptcy price, margin ratio, distance and odds.

    One position from flags, or all of --file, --db or --live; these answer with a list.
    """
    book = asked_book(context.params)
    rows = [_facts(subject) for subject in book.subjects]
    if as_json:
        show_json(
            {"positions": rows, "free_quote": book.free, "source": book.source} if book.is_list else rows[0]
        )
    elif len(rows) > 1:
        show_table(rows, _COLUMNS)
    else:
        (subject,) = book.subjects
        print(said(subject))
        show_facts(_for_people(rows[0], subject.rules.is_inverse), as_json=False)


def _facts(subject: Subject) -> dict[str, Any]:
    from bot.calc import position_report
    from bot.core.position import side_name

    held = subject.position
    report = position_report(held, subject.mark, subject.rules, subject.sigma_day, subject.atr)
    return {
        "symbol": held.symbol,
        "side": side_name(held.side),
        "tiers": subject.tiers,
        "quantity": held.quantity,
        "entry_price": held.entry_price,
        "leverage": held.leverage,
        "mark": subject.mark,
        "stop_price": subject.stop_price or None,
        "isolated_wallet": held.isolated_wallet,
        **report._asdict(),
    }


def _for_people(facts: dict[str, Any], is_inverse: bool) -> dict[str, str]:
    """Amounts in cents (of an inverse contract in coins), fractions in percent, nothing that is not known."""
    said_above = ("symbol", "side", "entry_price", "leverage", "mark")
    known = {name: value for name, value in facts.items() if value is not None and name not in said_above}
    return {_WORDS.get(name, name): _fact(name, value, is_inverse) for name, value in known.items()}


def _fact(name: str, value: Any, is_inverse: bool) -> str:
    if name in _FRACTIONS:
        return percents(value)
    if name in _CHANCES:
        return chance(value)
    if name == "effective_leverage":
        return f"{value:.2f}x"
    if name == "liquidation_distance_atr":
        return f"{value:.1f} average true ranges"
    if name == "liquidation_price" and not 0.0 < value < float("inf"):
        return "none: no price liquidates it"
    if name in _PRICES:
        return price(value)
    return amount(value, is_inverse) if name in _AMOUNTS else cell(value)
