"""`ringfence calc whatif`: positions through shocks or along a path, the ways of margin side by side."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.calculators import flags, given
from bot.cli.calculators.book import Book, asked_book, linear_only
from bot.cli.calculators.shocks import shocks_of
from bot.cli.calculators.whatif_words import tell_path, tell_scenarios
from bot.cli.options import Config, Database, Json
from bot.cli.output import show_json
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.calc import PathOutcome, WhatIf


def whatif(
    context: typer.Context,
    *,
    shock: Annotated[
        list[str] | None,
        typer.Option(metavar="MOVE", help="-5%, or by symbol: BTC=-10%,ETH=-14%. May be repeated."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="MOVE", help="A straight walk to this move, like --shock.")
    ] = None,
    over: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="How long the walk takes: 24h. With --to or --shock."),
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="Candles or marks, Parquet or CSV; SYMBOL=FILE for several."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="DIR", help="Or a folder of candles, laid out as for a replay.")
    ] = None,
    timerange: Annotated[
        str | None,
        typer.Option(metavar="YYYYMMDD-YYYYMMDD", help="With --data: UTC days, the last excluded."),
    ] = None,
    relative: Annotated[
        bool, typer.Option("--relative", help="Take the path's moves, beginning at the position's mark.")
    ] = False,
    policy: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Along a path: only this policy. May be repeated."),
    ] = None,
    free: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Free balance beside the margins; default: 0.")
    ] = None,
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
    """Show what moves do to the positions: isolated (static margin), cross, exchange auto add, and policies.

    --shock answers for a gap, and with a volatility also for an even walk within --over (1h), on which stops
    fill and policies act. --to, --path and --data walk a path.
    """
    params = context.params
    _check_one_move(params)
    book = asked_book(params)
    for subject in book.subjects:
        linear_only(subject, "calc whatif")
    answer: dict[str, Any] = {
        "source": book.source,
        "free_quote": book.free or 0.0,
        "positions": [_held(subject) for subject in book.subjects],
    }
    if shock:
        answer["scenarios"] = [_scenario(book, text, params) for text in shock]
        if as_json:
            show_json(answer)
        else:
            tell_scenarios(book, answer["scenarios"])
        return
    from bot.cli.calculators.paths import asked_path

    walked = asked_path(book, params)
    outcomes = walked.outcomes()
    if as_json:
        walk = {
            "steps": len(walked.times_ms),
            "hours": walked.hours,
            "words": walked.words,
            "notes": walked.notes,
        }
        show_json({**answer, "path": walk, "ways": [outcome._asdict() for outcome in outcomes]})
    else:
        tell_path(book, walked, outcomes)


def _check_one_move(params: dict[str, Any]) -> None:
    moves = [name for name in ("shock", "to", "path", "data") if params[name]]
    if len(moves) != 1:
        names = " and ".join(f"--{name}" for name in moves) or "none of them"
        raise UserError(
            f"What happens is one of --shock, --to, --path and --data, and {names} is given. Give one, such "
            "as --shock -5%."
        )
    if params["over"] and moves[0] in ("path", "data"):
        raise UserError("--over goes with --to or --shock: a recorded path has its own length. Leave it out.")
    if params["timerange"] and moves[0] != "data":
        raise UserError("--timerange goes with --data, which is not given. Leave it out, or give the folder.")
    if params["relative"] and moves[0] in ("shock", "to"):
        raise UserError("--relative goes with --path or --data: a move is relative anyway. Leave it out.")


def _held(subject: Any) -> dict[str, Any]:
    from bot.core.margin import liquidation_price
    from bot.core.position import side_name

    held = subject.position
    return {
        "symbol": held.symbol,
        "side": side_name(held.side),
        "quantity": held.quantity,
        "entry_price": held.entry_price,
        "leverage": held.leverage,
        "isolated_wallet": held.isolated_wallet,
        "mark": subject.mark,
        "stop_price": subject.stop_price or None,
        "liquidation_price": float(liquidation_price(held, subject.rules)),
    }


def _scenario(book: Book, text: str, params: dict[str, Any]) -> dict[str, Any]:
    from bot.calc import Leg, what_if

    symbols = [subject.position.symbol for subject in book.subjects]
    moves = shocks_of("--shock", text, symbols)
    legs = [Leg(subject.position, subject.mark, subject.rules) for subject in book.subjects]
    ways = what_if(legs, book.free or 0.0, moves)
    walked = []
    if params["policy"] or params["over"] or all(subject.sigma_day for subject in book.subjects):
        from bot.cli.calculators.paths import straight

        path = straight(book, moves, given.duration_ms("--over", params["over"] or "1h"), params)
        walked = [_against_paid_in(outcome, ways[0]) for outcome in path.outcomes()]
    return {
        "shocks": dict(zip(symbols, moves, strict=True)),
        "ways": [_way(way) for way in ways],
        "walk": walked,
    }


def _against_paid_in(outcome: "PathOutcome", isolated: "WhatIf") -> dict[str, Any]:
    """A walk's outcome with its result against the balances paid in, as the ways of a gap have theirs."""
    return {**outcome._asdict(), "pnl": outcome.left - (isolated.left - isolated.pnl)}


def _way(way: "WhatIf") -> dict[str, Any]:
    return {
        **way._asdict(),
        "added": sum(leg.added for leg in way.legs),
        "legs": [leg._asdict() for leg in way.legs],
    }
