"""`ringfence calc`: what a position would mean, from flags alone; nothing is read and nothing written."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import Json
from bot.cli.output import show_facts
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.core.position import Position
    from bot.core.profile import MarginRules

app = typer.Typer(help="Calculators that need no database.", rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def _root() -> None:
    pass


@app.command("position")
def position(
    *,
    side: Annotated[str, typer.Option(metavar="long|short")],
    entry: Annotated[float, typer.Option(help="Entry price, quote per base.")],
    leverage: Annotated[float, typer.Option(help="The venue's leverage setting.")],
    maintenance_rate: Annotated[
        float, typer.Option(help="Maintenance margin rate of the tier, a fraction (Binance BTC: 0.004).")
    ],
    quantity: Annotated[float | None, typer.Option(help="Base units (inverse: USD).")] = None,
    margin: Annotated[float | None, typer.Option(help="Initial margin, instead of --quantity.")] = None,
    wallet: Annotated[
        float | None, typer.Option(help="Isolated wallet now; default: the initial margin.")
    ] = None,
    mark: Annotated[float | None, typer.Option(help="Mark price; default: the entry price.")] = None,
    maintenance_amount: Annotated[float, typer.Option(help="Maintenance amount of the tier, quote.")] = 0.0,
    venue: Annotated[str, typer.Option(help="ccxt id of the venue whose rules apply.")] = "binanceusdm",
    close_fee_rate: Annotated[
        float, typer.Option(help="Fee of the closing trade, where the venue counts it.")
    ] = 0.0,
    inverse: Annotated[bool, typer.Option("--inverse", help="Settled in the base coin.")] = False,
    tick_size: Annotated[float, typer.Option(help="Price step of the venue; 0: none.")] = 0.0,
    sigma_day: Annotated[
        float | None, typer.Option(help="Volatility per day, a fraction: adds liquidation probabilities.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show required margin, liquidation price, margin ratio and what could be removed."""
    from bot.calc.position import position_report
    from bot.core.profile import MarginRules, venue_profile
    from bot.core.tiers import LeverageTier, tiers_from_rows

    try:
        tier = LeverageTier(0.0, float("inf"), maintenance_rate, maintenance_amount, max(leverage, 1.0))
        profile = venue_profile(venue, close_fee_rate)
        rules = MarginRules(tiers_from_rows([tier]), profile, inverse, tick_size)
        opened = _opened(
            side=side,
            entry=entry,
            leverage=leverage,
            quantity=quantity,
            margin=margin,
            wallet=wallet,
            rules=rules,
        )
        report = position_report(opened, entry if mark is None else mark, rules, sigma_day)
    except ValueError as error:
        raise UserError(
            f"These numbers make no position: {error}. Correct the flag and try again."
        ) from error
    facts = {"side": side, "quantity": opened.quantity, "isolated_wallet": opened.isolated_wallet}
    show_facts({**facts, **report._asdict()}, as_json)


def _opened(
    *,
    side: str,
    entry: float,
    leverage: float,
    quantity: float | None,
    margin: float | None,
    wallet: float | None,
    rules: "MarginRules",
) -> "Position":
    from bot.calc.position import new_position, quantity_for_margin
    from bot.core.position import LONG, SHORT

    sides = {"long": LONG, "short": SHORT}
    if side not in sides:
        raise UserError(f'--side was "{side}", but a position is "long" or "short". Correct the flag.')
    if (quantity is None) == (margin is None):
        raise UserError("A position has one size: give either --quantity or --margin, not both.")
    if quantity is None:
        quantity = quantity_for_margin(margin or 0.0, leverage, entry, rules.is_inverse)
    opened = new_position(
        "", sides[side], quantity=quantity, entry_price=entry, leverage=leverage, rules=rules
    )
    if wallet is None:
        return opened
    if not 0.0 < wallet < float("inf"):
        raise UserError(f"--wallet was {wallet}, but an isolated wallet is above 0. Correct the flag.")
    return opened._replace(isolated_wallet=wallet)
