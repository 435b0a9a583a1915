"""The positions that a calculator is asked about, wherever they come from: flags, a file, a database."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bot.cli.calculators import given
from bot.cli.calculators.position_keys import READERS, PositionWords, flag_of, words_of
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.core.instrument import Instrument
    from bot.core.position import Position
    from bot.core.profile import MarginRules
    from bot.risk.view import MarginBook, MarginView

Known = tuple["Instrument | None", "MarginRules"]

_SOURCES: Final = ("file", "db", "live")


class Subject(NamedTuple):
    """One position at its mark. None: not known. `stop_price` 0.0: no stop rests.

    `view` and `book` are what the running bot knows of it, `where` says where a key of it stands.
    """

    position: "Position"
    mark: float
    rules: "MarginRules"
    tiers: str
    where: str
    instrument: "Instrument | None" = None
    stop_price: float = 0.0
    sigma_day: float | None = None
    atr: float | None = None
    funding_rate: float | None = None
    view: "MarginView | None" = None
    book: "MarginBook | None" = None


class Book(NamedTuple):
    """`free` is None where nobody said it. `is_list`: from a file or a database, however many."""

    subjects: tuple[Subject, ...]
    free: float | None
    is_list: bool
    source: str


def asked_book(flags: Mapping[str, Any]) -> Book:
    """Return the positions that the flags of a command (by parameter name) describe.

    UserError: more than one source, a position that makes no sense, or none open in the database.
    """
    sources = [name for name in _SOURCES if flags.get(name)]
    said = {key: flags[key] for key in READERS if flags.get(key) not in (None, False)}
    _check_one_source(sources, said)
    if not sources:
        words = words_of(said, flag_of)
        return Book((subject_of(words),), _free(flags, None), False, "flags")
    if sources[0] == "file":
        from bot.cli.calculators.position_file import read_positions

        found = read_positions(flags["file"])
        subjects = tuple(map(subject_of, found.positions))
        _check_symbols(subjects, flags["file"])
        return Book(subjects, _free(flags, found.free), True, str(flags["file"]))
    from bot.cli.calculators.open_book import open_book

    book = open_book(flags.get("config"), flags.get("db"))
    for subject in book.subjects:
        _check_alive(subject.where, subject.position, subject.mark, subject.rules)
    return book._replace(free=_free(flags, book.free))


def subject_of(words: PositionWords) -> Subject:
    """Return the position that `words` describe at its mark. UserError naming what makes none."""
    instrument, rules = market_of(words)
    opened = _opened(words, rules)
    mark = words.entry if words.mark is None else words.mark
    _check_leverage(words, opened, rules)
    _check_alive(words.where("mark"), opened, mark, rules)
    _check_stop(words, mark)
    tiers = embedded_tiers(opened.symbol)
    if words.maintenance_rate is not None:
        tiers = f"one of {100.0 * words.maintenance_rate:.2f} %, as given"
    return Subject(
        opened,
        mark,
        rules,
        tiers,
        words.where("symbol"),
        instrument,
        words.stop or 0.0,
        words.sigma_day,
        words.atr,
        words.funding_rate,
    )


def market_of(words: PositionWords) -> Known:
    """Return the market whose rules apply: the embedded one, or one tier of the rate that was given."""
    from bot.core.instrument import margin_rules
    from bot.core.profile import MarginRules, venue_profile
    from bot.core.tiers import LeverageTier, tiers_from_rows

    rate = words.maintenance_rate
    try:
        profile = venue_profile(words.venue, words.close_fee_rate)
        if rate is not None:
            tier = LeverageTier(0.0, float("inf"), rate, words.maintenance_amount, 1.0 / rate)
            # An amount belongs to a tier that is not the first, so there is a jump below it.
            return None, MarginRules(tiers_from_rows([tier], False), profile, words.inverse, 0.0)
    except ValueError as error:
        raise UserError(f"{words.where('venue')}: {error}. Correct it and try again.") from error
    if words.maintenance_amount:
        raise UserError(
            f"{words.where('maintenance_amount')} goes with {words.where('maintenance_rate')}, which is not "
            "given; the known tiers have amounts of their own. Give both or neither."
        )
    if words.inverse or _is_inverse_symbol(words.symbol):
        raise UserError(
            f"{words.symbol} as an inverse contract has no known tiers: those of this program are linear, "
            f"settled in USDT. Give its {words.where('maintenance_rate')}, with {words.where('inverse')}."
        )
    instrument = embedded(words.symbol, words.where("symbol"))
    return instrument, margin_rules(instrument, profile)


def embedded(symbol: str, where: str) -> "Instrument":
    """Return the embedded instrument; the base coin alone is enough. UserError names the nearest."""
    from bot.plugins import did_you_mean
    from bot.sim.embedded import SYMBOLS, instrument_for

    known = named_market(symbol, SYMBOLS)
    if known is not None:
        return instrument_for(known)
    names = SYMBOLS if "/" in symbol else [known.partition("/")[0] for known in SYMBOLS]
    raise UserError(
        f'{where} is "{symbol}", whose leverage tiers are not known, {did_you_mean(symbol, names)} '
        "Choose a known symbol, or give its maintenance rate instead of the tiers."
    )


def named_market(symbol: str, known: Iterable[str]) -> str | None:
    """Return which of the `known` symbols is meant, also by its base coin or pair alone; None: none."""
    name = symbol.upper()
    return next((one for one in known if name in (one, one.partition("/")[0], one.partition(":")[0])), None)


def embedded_tiers(symbol: str) -> str:
    """Return how the tiers of an embedded symbol are named."""
    return f"{symbol} of the embedded Binance USD-M table"


def required_sigma(subject: Subject) -> float:
    """Return the volatility per day; UserError where it is not known."""
    if subject.sigma_day is None:
        raise UserError(
            f"The volatility of {subject.position.symbol} is not known, and this needs it. Give --sigma-day "
            "(such as 3%), or sigma_day in the file."
        )
    return subject.sigma_day


def linear_only(subject: Subject, verb: str) -> None:
    """Raise UserError for an inverse contract, which `verb` has no formula for."""
    if subject.rules.is_inverse:
        raise UserError(
            f"{subject.position.symbol} is an inverse contract, and {verb} calculates linear ones, settled "
            "in the quote currency. Use calc position, topup, funding or tiers for it."
        )


def _opened(words: PositionWords, rules: "MarginRules") -> "Position":
    from bot.calc import new_position, quantity_for_margin

    quantity = words.quantity
    if quantity is None and words.margin is not None:
        quantity = quantity_for_margin(words.margin, words.leverage, words.entry, rules.is_inverse)
    symbol = words.symbol
    if words.maintenance_rate is None:
        symbol = embedded(words.symbol, words.where("symbol")).symbol
    opened = new_position(
        symbol,
        words.side,
        quantity=quantity or 0.0,
        entry_price=words.entry,
        leverage=words.leverage,
        rules=rules,
    )
    wallet = words.wallet or words.margin or opened.isolated_wallet
    return opened._replace(isolated_wallet=wallet)


def _check_alive(where: str, position: "Position", mark: float, rules: "MarginRules") -> None:
    from bot.calc.inputs import check_alive

    try:
        check_alive(position, mark, rules)
    except ValueError as error:
        raise UserError(
            f"{where}: {error}. A liquidated position has no numbers; correct the mark, or give it a larger "
            "wallet."
        ) from error


def _check_leverage(words: PositionWords, position: "Position", rules: "MarginRules") -> None:
    from bot.core.margin import notional
    from bot.core.tiers import tier_index

    value = notional(position, position.entry_price, rules)
    most = float(rules.tiers.max_leverage[tier_index(rules.tiers, value)])
    if words.leverage > most:
        raise given.refused(
            words.where("leverage"), f"{words.leverage:g}", _most(words, position, value, most)
        )
    cap = float(rules.tiers.notional_cap[-1])
    if value > cap:
        raise given.refused(
            words.where("quantity" if words.margin is None else "margin"),
            f"{words.quantity if words.margin is None else words.margin:g}",
            f"its notional of {value:,.2f} is above the last tier of {position.symbol}, {cap:,.0f}",
        )


def _most(words: PositionWords, position: "Position", value: float, most: float) -> str:
    """What allows no higher leverage: the maintenance rate that was given, or a tier."""
    if words.maintenance_rate is not None:
        where, rate = words.where("maintenance_rate"), 100.0 * words.maintenance_rate
        return f"{where} of {rate:g} % allows at most {most:g}: a higher one would be liquidated at once"
    return f"at a notional of {value:,.2f} the tiers of {position.symbol} allow at most {most:g}"


def _check_stop(words: PositionWords, mark: float) -> None:
    if words.stop is not None and words.side * (mark - words.stop) <= 0.0:
        raise given.refused(
            words.where("stop"), f"{words.stop:g}", f"the mark {mark:g} has passed it; it must lie beyond"
        )


def _check_one_source(sources: list[str], said: Mapping[str, Any]) -> None:
    if len(sources) > 1 or (sources and said):
        first, second = [flag_of(name) for name in [*sources, *said]][:2]
        raise UserError(
            f"{first} and {second} both say which position is meant. Give flags of a position, or --file, or "
            "--db, or --live."
        )


def _check_symbols(subjects: tuple[Subject, ...], path: Path) -> None:
    names = [subject.position.symbol for subject in subjects]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UserError(
            f"{path} holds {twice[0]} twice; an account in one-way mode has one position per symbol. Put "
            "them together, or ask about two files."
        )


def _is_inverse_symbol(symbol: str) -> bool:
    base, _, rest = symbol.partition("/")
    return bool(base) and rest.partition(":")[2] == base


def _free(flags: Mapping[str, Any], found: float | None) -> float | None:
    free = flags.get("free")
    return found if free is None else given.not_negative("--free", free)
