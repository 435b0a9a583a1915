"""`ringfence calc funding`: what holding a position costs, and what that does to its liquidation price."""

from typing import Annotated, Any, Final

import typer

from bot.cli.calculators import flags, given
from bot.cli.calculators.answers import amount, column, percents, price, said, show_notes, show_table
from bot.cli.calculators.book import Subject, asked_book
from bot.cli.options import Config, Database, Json
from bot.cli.output import cell, show_facts, show_json
from bot.errors import UserError
from bot.view.figures import pair

_HOUR_MS: Final = 3_600_000
_COLUMNS: Final = (
    column("symbol", "symbol", pair, is_number=False),
    column("side", "side", cell, is_number=False),
    column("funding_rate", "rate", lambda rate: percents(rate, 4)),
    column("cost_per_payment", "a payment", amount),
    column("cost_per_day", "a day", amount),
    column("cost_per_day_of_margin", "of margin a day", percents),
    column("liquidation_price", "liquidation", price),
    column("liquidation_price_after_week", "after a week", price),
)


def funding(
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
    funding_rate: flags.FundingRate = None,
    every: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Between payments; default: the symbol's, else 8h.")
    ] = None,
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
    """Show funding per payment, day and week at an unchanged mark and rate; below zero it is received."""
    book = asked_book(
        {**context.params, "funding_rate": None} if _is_elsewhere(context.params) else context.params
    )
    rows = [_row(subject, funding_rate, every) for subject in book.subjects]
    if as_json:
        show_json({"positions": rows, "source": book.source} if book.is_list else rows[0])
    elif len(rows) > 1:
        show_table(rows, _COLUMNS)
    else:
        _tell(book.subjects[0], rows[0])


def _is_elsewhere(params: dict[str, Any]) -> bool:
    """Whether the positions come from a file or database: then --funding-rate overrides their rates."""
    return bool(params["file"] or params["db"] or params["live"])


def _row(subject: Subject, funding_rate: str | None, every: str | None) -> dict[str, Any]:
    from bot.calc import funding_cost
    from bot.core.position import side_name

    rate = _rate(subject, funding_rate)
    hours = _interval_ms(subject, every) / _HOUR_MS
    cost = funding_cost(subject.position, subject.mark, rate, hours, subject.rules)
    return {
        "symbol": subject.position.symbol,
        "side": side_name(subject.position.side),
        "mark": subject.mark,
        "funding_rate": rate,
        "interval_hours": hours,
        **cost._asdict(),
    }


def _rate(subject: Subject, funding_rate: str | None) -> float:
    if funding_rate is not None:
        return given.signed_fraction("--funding-rate", funding_rate)
    if subject.funding_rate is None:
        raise UserError(
            f"The funding rate of {subject.position.symbol} is not known. Give --funding-rate (such as "
            "0.01%), or funding_rate in the file."
        )
    return subject.funding_rate


def _interval_ms(subject: Subject, every: str | None) -> int:
    if every is not None:
        return given.duration_ms("--every", every)
    return 8 * _HOUR_MS if subject.instrument is None else subject.instrument.funding_interval_ms


def _tell(subject: Subject, row: dict[str, Any]) -> None:
    is_inverse = subject.rules.is_inverse
    print(said(subject))
    verb = "received" if row["cost_per_day"] < 0.0 else "paid"
    per_payment, per_day, per_week = (
        amount(abs(row[f"cost_per_{length}"]), is_inverse) for length in ("payment", "day", "week")
    )
    days = row["days_to_liquidation"]
    facts = {
        "funding rate": f"{percents(row['funding_rate'], 4)} every {row['interval_hours']:g} h",
        f"{verb} a payment": per_payment,
        f"{verb} a day": f"{per_day}, {percents(abs(row['cost_per_day_of_margin']))} of the margin",
        f"{verb} a week": per_week,
        "liquidation price now": price(row["liquidation_price"]),
        "after a day": price(row["liquidation_price_after_day"]),
        "after a week": price(row["liquidation_price_after_week"]),
        "liquidated by it in": "never" if days is None else f"{days:,.1f} days",
    }
    show_facts(facts, as_json=False)
    show_notes(["At an unchanged mark and rate, out of the isolated wallet."])
