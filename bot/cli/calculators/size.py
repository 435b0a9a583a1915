"""`ringfence calc size`: how large a trade may be, or what margin a position without a stop should hold."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bot.cli.calculators import flags, given
from bot.cli.calculators.answers import amount, chance, percents, price, show_notes
from bot.cli.calculators.book import asked_book, linear_only, market_of, required_sigma
from bot.cli.calculators.position_keys import PositionWords
from bot.cli.calculators.trade_words import buffer_of, check_loser, entry_limits, max_leverage_of, trade_words
from bot.cli.options import Config, Database, Json
from bot.cli.output import show_facts, show_json
from bot.errors import UserError
from bot.view.figures import quantity_text

if TYPE_CHECKING:
    from bot.calc import SizeAnswer
    from bot.cli.calculators.book import Known, Subject
    from bot.core.instrument import Instrument
    from bot.risk.limits import EntryLimits
    from bot.risk.sizing import EntryOrder, SizingRules

_DAY_MS: Final = 86_400_000
_RULES: Final = ("maintenance_rate", "maintenance_amount", "venue", "close_fee_rate")  # said: they apply
_TAKER_FEE_RATE: Final = 0.0005  # where a maintenance rate stands in for a known market
# Half at 1.5 R and half at 3 R: where the bot's own take-profits lie on average.
_TARGET_R: Final = 2.25


def size(
    context: typer.Context,
    *,
    side: flags.Side = None,
    entry: flags.Entry = None,
    stop: flags.Stop = None,
    target: Annotated[
        str | None, typer.Option(metavar="PRICE", help="Default: 2.25 stop distances, the bot's own average.")
    ] = None,
    equity: Annotated[str | None, typer.Option(metavar="AMOUNT", help="Of the account, quote.")] = None,
    risk: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Of equity, lost at the stop; default: 1%.")
    ] = None,
    horizon: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="To stop or target; default: 3d. Without a stop: 1d."),
    ] = None,
    probability: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Without a stop: wanted chance of liquidation; 1%.")
    ] = None,
    symbol: flags.Symbol = None,
    sigma_day: flags.SigmaDay = None,
    quantity: flags.Quantity = None,
    leverage: flags.Leverage = None,
    buffer: flags.Buffer = None,
    max_leverage: flags.MaxLeverage = None,
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
    """Show quantity, leverage and odds of a trade that loses --risk of equity at its stop.

    Without --stop: the margin that a position of --quantity and --leverage should hold, by its volatility.
    --db or --live give equity, and where they are not given, entry (the mark) and volatility. --file answers
    both of each position: with a stop how large it may be (needs --equity), without one its margin.
    """
    params = dict(context.params)
    if file is not None:
        from bot.cli.calculators.size_file import answer_file

        answer_file(params, as_json)
        return
    if stop is None:
        _answer_without_stop(params, as_json)
        return
    if quantity is not None or leverage is not None:
        raise UserError(
            "--stop asks how large the trade may be, and --quantity and --leverage would say it. Leave them "
            "out, or leave --stop out to ask what margin that position should hold."
        )
    stored = None
    if db or live:
        from bot.cli.calculators.open_book import with_account

        params, stored = with_account(params)
        stored = None if any(params[name] for name in _RULES) else stored
    words = trade_words(params, "size")
    row, notes = sized(words, params, stored)
    if as_json:
        show_json({**row, "notes": notes})
        return
    show_facts(_for_people(row), as_json=False)
    show_notes(notes)


def sized(
    words: PositionWords, params: dict[str, Any], stored: "Known | None" = None
) -> tuple[dict[str, Any], list[str]]:
    """Return the size of a trade that has a stop, and what is to be said of it. UserError: it has none.

    `stored`: the market as a database has it; None: the one that the words describe.
    """
    from bot.calc import trade_size
    from bot.risk.sizing import SizingRules

    check_loser(words.side, words.entry, words.stop or 0.0, words.where("stop"))
    instrument, rules = market_of(words) if stored is None else stored
    limits = entry_limits(params)
    order = _order(words, params, instrument, limits)
    account = SizingRules(
        _equity(params),
        limits.risk_fraction if params["risk"] is None else given.share("--risk", params["risk"]),
        buffer_of(params, words.sigma_day, limits),
        max_leverage_of(params, limits),
        0.0 if instrument is None else instrument.quantity_step,
    )
    try:
        answer = trade_size(
            order, account, words.sigma_day, _days(params, limits.outcome_horizon_days), rules
        )
    except ValueError as error:
        raise UserError(
            f"This trade in {words.symbol} has no size: {error}. Give more --risk or --equity, or a nearer "
            "--stop."
        ) from error
    symbol = words.symbol if instrument is None else instrument.symbol
    return _row(symbol, order, account, answer), _notes(answer, instrument, words)


def _order(
    words: PositionWords, params: dict[str, Any], instrument: "Instrument | None", limits: "EntryLimits"
) -> "EntryOrder":
    from bot.risk.sizing import EntryOrder

    stop, fee = words.stop or 0.0, _TAKER_FEE_RATE if instrument is None else instrument.taker_fee_rate
    if params["target"] is None:
        target = words.entry + _TARGET_R * (words.entry - stop)
        if target <= 0.0:
            raise given.refused("--stop", f"{stop:g}", "its default target is below zero; give --target")
    else:
        target = given.positive("--target", params["target"])
    if words.side * (target - words.entry) <= 0.0:
        raise given.refused("--target", f"{target:g}", f"it must be on the winning side of {words.entry:g}")
    return EntryOrder(words.side, words.entry, stop, target, fee, limits.stop_slippage)


def _equity(params: dict[str, Any]) -> float:
    if params["equity"] is None:
        raise UserError(
            "The account's equity is not known, and the risk is a part of it. Give --equity, or read it with "
            "--db or --live."
        )
    return given.positive("--equity", params["equity"])


def _days(params: dict[str, Any], default: float) -> float:
    said = params["horizon"]
    return default if said is None else given.duration_ms("--horizon", said) / _DAY_MS


def _row(symbol: str, order: "EntryOrder", account: "SizingRules", answer: "SizeAnswer") -> dict[str, Any]:
    from bot.core.position import side_name

    odds: dict[str, Any] = {"stop_first": None, "target_first": None, "breakeven_hit_rate": None}
    if answer.odds is not None:
        odds = answer.odds._asdict()
    return {
        "symbol": symbol,
        "side": side_name(order.side),
        "entry_price": order.entry_price,
        "stop_price": order.stop_price,
        "target_price": order.target_price,
        "equity_quote": account.equity_quote,
        "risk_fraction": account.risk_fraction,
        **answer.sizing._asdict(),
        "tier": answer.sizing.tier + 1,
        **odds,
        "liquidation_probability_24h": answer.liquidation_probability_24h,
    }


def _notes(answer: "SizeAnswer", instrument: "Instrument | None", words: PositionWords) -> list[str]:
    sizing, notes = answer.sizing, []
    if not sizing.is_liquidation_beyond_stop:
        notes.append("Even at 1x liquidation comes before the stop and its buffer: the stop is too far away.")
    if instrument is not None and sizing.notional_quote < instrument.min_notional_quote:
        notes.append(
            f"The venue takes no order below {instrument.min_notional_quote:g} USDT of notional "
            "in this market."
        )
    if words.sigma_day is None:
        notes.append("Give --sigma-day for the odds of stop, target and liquidation.")
    return notes


def _for_people(row: dict[str, Any]) -> dict[str, str]:
    stop_gap = abs(row["liquidation_price"] - row["stop_price"]) / row["stop_price"]
    facts = {
        "quantity": f"{quantity_text(row['quantity'])} {row['symbol'].partition('/')[0]}",
        "notional": amount(row["notional_quote"]),
        "leverage": f"{row['leverage']}x",
        "required margin": amount(row["required_margin_quote"]),
        "maintenance margin": amount(row["maintenance_margin_quote"]),
        "stop": f"{price(row['stop_price'])}, {percents(row['stop_distance'])} away",
        "liquidation price": f"{price(row['liquidation_price'])}, {percents(stop_gap)} beyond the stop",
        "lost at the stop": f"{amount(row['loss_at_stop_quote'])} with fees and slippage",
        "lost if liquidated": amount(row["worst_case_loss_quote"]),
        "target": f"{price(row['target_price'])}, {row['reward_to_risk']:.2f} times the loss after fees",
    }
    if row["stop_first"] is not None:
        facts["stop first"] = chance(row["stop_first"])
        facts["target first"] = chance(row["target_first"])
        facts["hit rate to break even"] = percents(row["breakeven_hit_rate"])
        facts["liquidated in 24 h"] = f"{chance(row['liquidation_probability_24h'])} if no stop rested"
    return facts


def margin_of(subject: "Subject", params: dict[str, Any]) -> dict[str, Any]:
    """Return what margin a position without a stop should hold. UserError: no volatility, or inverse."""
    from bot.calc import margin_adjusted_for_volatility

    linear_only(subject, "calc size")
    probability = given.share("--probability", params["probability"] or "1%")
    days, sigma = _days(params, 1.0), required_sigma(subject)
    answer = margin_adjusted_for_volatility(
        subject.position, subject.mark, sigma, probability, days, subject.rules
    )
    return {"symbol": subject.position.symbol, "probability": probability, "days": days, **answer._asdict()}


def _answer_without_stop(params: dict[str, Any], as_json: bool) -> None:
    book = asked_book({**params, "stop": None})
    (subject,) = book.subjects if len(book.subjects) == 1 else (None,)
    if subject is None:
        raise UserError("calc size asks about one trade. Give its flags, with --stop or with --quantity.")
    answer = margin_of(subject, params)
    if as_json:
        show_json(answer)
        return
    facts = {
        "margin by leverage": amount(answer["by_leverage"]),
        "margin by volatility": amount(answer["by_volatility"]),
        "required margin": amount(answer["required_margin"]),
    }
    show_facts(facts, as_json=False)
    odds = f"{chance(answer['probability'])} within {_days_words(answer['days'])}"
    show_notes([f"Without a stop: liquidated with {odds}, or by leverage."])


def _days_words(days: float) -> str:
    return "1 day" if days == 1.0 else f"{days:g} days"
