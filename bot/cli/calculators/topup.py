"""`ringfence calc topup`: how much margin puts liquidation where it is wanted."""

from typing import Annotated, Any, Final

import typer

from bot.cli.calculators import flags, given
from bot.cli.calculators.answers import (
    amount,
    column,
    percents,
    price,
    said,
    show_chart,
    show_notes,
    show_table,
)
from bot.cli.calculators.book import Subject, asked_book, required_sigma
from bot.cli.options import Config, Database, Json
from bot.cli.output import cell, show_facts, show_json
from bot.errors import UserError
from bot.view.figures import pair

_COLUMNS: Final = (
    column("symbol", "symbol", pair, is_number=False),
    column("side", "side", cell, is_number=False),
    column("mark", "mark", price),
    column("distance", "distance", percents),
    column("amount", "to add", amount),
    column("removable", "removable", amount),
    column("target_wallet", "margin then", amount),
    column("liquidation_price_after", "liquidation then", price),
    column("margin_ratio_after", "ratio then", percents),
)
_POINTS: Final = 60


def topup(
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
    distance: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Wanted distance of liquidation from the mark.")
    ] = None,
    probability: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Or the wanted chance of liquidation in 24 h.")
    ] = None,
    liquidation: Annotated[
        str | None, typer.Option(metavar="PRICE", help="Or the wanted liquidation price.")
    ] = None,
    sigma_day: flags.SigmaDay = None,
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
    """Show how much margin to add (below zero: how much is too much) for a wanted distance."""
    _check_target(distance, probability, liquidation)
    book = asked_book(context.params)
    rows = [_row(subject, distance, probability, liquidation) for subject in book.subjects]
    if as_json:
        show_json({"positions": rows, "source": book.source} if book.is_list else rows[0])
    elif len(rows) > 1:
        show_table(rows, _COLUMNS)
    else:
        _tell(book.subjects[0], rows[0])


def _check_target(distance: str | None, probability: str | None, liquidation: str | None) -> None:
    if [distance, probability, liquidation].count(None) != 2:
        raise UserError(
            "A top-up has one goal. Give one of --distance (such as 10%), --probability (such as 1%) and "
            "--liquidation (a price)."
        )


def _row(
    subject: Subject, distance: str | None, probability: str | None, liquidation: str | None
) -> dict[str, Any]:
    from bot.calc import top_up
    from bot.core.position import side_name

    wanted = _wanted_distance(subject, distance, probability, liquidation)
    step = 0.0 if subject.instrument is None else subject.instrument.margin_step_quote
    try:
        answer = top_up(subject.position, subject.mark, wanted, subject.rules, step)
    except ValueError as error:
        raise UserError(f"No margin does that: {error}. Choose another goal.") from error
    return {
        "symbol": subject.position.symbol,
        "side": side_name(subject.position.side),
        "mark": subject.mark,
        "wanted_distance": wanted,
        "isolated_wallet": subject.position.isolated_wallet,
        **answer._asdict(),
    }


def _wanted_distance(
    subject: Subject, distance: str | None, probability: str | None, liquidation: str | None
) -> float:
    from bot.calc import distance_of_chance

    side = subject.position.side
    if distance is not None:
        return (given.share if side > 0 else given.fraction)("--distance", distance)
    if probability is not None:
        chance = given.share("--probability", probability)
        return distance_of_chance(side, chance, required_sigma(subject), 1.0)
    wanted = given.positive("--liquidation", liquidation)
    if side * (subject.mark - wanted) <= 0.0:
        raise given.refused(
            "--liquidation", f"{wanted:g}", f"it must lie on the losing side of the mark {subject.mark:g}"
        )
    return side * (subject.mark - wanted) / subject.mark


def _tell(subject: Subject, row: dict[str, Any]) -> None:
    is_inverse = subject.rules.is_inverse
    print(said(subject))
    now, then = (amount(row[name], is_inverse) for name in ("isolated_wallet", "target_wallet"))
    verb = "add" if row["amount"] >= 0.0 else "too much by"
    facts = {
        verb: amount(abs(row["amount"]), is_inverse),
        "margin": f"{now} -> {then}",
        "liquidation price": f"{price(row['liquidation_price'])} -> {price(row['liquidation_price_after'])}",
        "distance": f"{percents(row['distance'])} -> {percents(row['distance_after'])}",
        "margin ratio": f"{percents(row['margin_ratio'])} -> {percents(row['margin_ratio_after'])}",
        "removable now": amount(row["removable"], is_inverse),
    }
    show_facts(facts, as_json=False)
    if row["amount"] < 0.0:
        show_notes(["The venue lets out no more than what is removable now."])
    _draw(subject, row)


def _draw(subject: Subject, row: dict[str, Any]) -> None:
    from bot.calc import liquidation_by_wallet
    from bot.cli.screen.chart import Axes, Curve, Level

    now, then = row["isolated_wallet"], row["target_wallet"]
    low, high = min(now, then), max(now, then) + 0.25 * abs(then - now)
    wallets = [low + (high - low) * part / _POINTS for part in range(_POINTS + 1)]
    prices = liquidation_by_wallet(subject.position, wallets, subject.rules)
    points = [point for point in zip(wallets, prices, strict=True) if 0.0 < point[1] < float("inf")]
    show_chart(
        [Curve("liquidation", "liquidation", points)],
        [Level("mark", "mark", subject.mark), Level("goal", "add", row["liquidation_price_after"])],
        Axes(price, lambda x: amount(x, subject.rules.is_inverse), "margin"),
        "Liquidation price by margin",
    )
