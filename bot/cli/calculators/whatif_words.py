"""How `ringfence calc whatif` answers people: the ways of margin, and what is left out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from bot.cli.calculators.answers import amount, column, percents, price, said, show_notes, show_table, signed
from bot.cli.calculators.book import Book
from bot.cli.calculators.shocks import move_words
from bot.cli.output import cell
from bot.view.figures import counted

if TYPE_CHECKING:
    from bot.calc import PathOutcome
    from bot.cli.calculators.paths import AskedPath

_WAYS: Final = (
    column("way", "held", lambda way: way.replace("_", " "), is_number=False),
    column("liquidations", "liquidated", cell),
    column("pnl", "result", signed),
    column("left", "account then", amount),
    column("added", "added", amount),
    column("most_to_lose", "most to lose", amount),
)
_LEGS: Final = (
    column("symbol", "position", lambda value: value.partition(":")[0], is_number=False),
    column("mark", "mark then", price),
    column("liquidation_price", "liquidation", price),
    column("distance", "distance then", percents),
    column("pnl", "result", signed),
    column("outcome", "", cell, is_number=False),
)
_OUTCOMES: Final = (
    column("way", "held", lambda way: way.replace("_", " "), is_number=False),
    column("pnl", "result", signed),
    column("left", "account", amount),
    column("moves", "moves", cell),
    column("added", "added", amount),
    column("released", "released", amount),
    column("least_distance", "nearest", percents),
    column("margin_hours", "margin h", lambda value: f"{value:,.0f}"),
    column("ended", "ended", cell, is_number=False),
)

# What is left out first where the terminal is too narrow.
_SPARE: Final = ("released", "margin_hours", "left")


def tell_scenarios(book: Book, scenarios: Sequence[dict[str, Any]]) -> None:
    """Print every way of holding the book through each shock."""
    _introduce(book)
    for scenario in scenarios:
        symbols = list(scenario["shocks"])
        moves = move_words(list(scenario["shocks"].values()), symbols)
        print(f"\nShock {moves}, as a gap: no stop fills, no policy acts")
        show_table(scenario["ways"], _WAYS)
        print()
        if scenario["walk"]:
            print("The same as an even walk: stops fill, policies act")
            show_table([_outcome(row) for row in scenario["walk"]], _OUTCOMES, spare=_SPARE)
            print()
        print("Each isolated position after the gap")
        show_table([_leg(book, index, leg) for index, leg in enumerate(scenario["ways"][0]["legs"])], _LEGS)
    print()
    notes = ["Results are against the balances paid in, before fees and funding."]
    if any(scenario["walk"] for scenario in scenarios):
        notes.append("The walk takes --over (1h); policies know the volatility of now all the way.")
        notes += _asks(_asks_by_way(scenarios))
    elif not all(subject.sigma_day for subject in book.subjects):
        notes.append("Give --sigma-day to see stops and policies on an even walk there.")
    show_notes(notes)


def _leg(book: Book, index: int, leg: dict[str, Any]) -> dict[str, Any]:
    side, liquidation = book.subjects[index].position.side, leg["liquidation_price"]
    away = side * (leg["mark"] - liquidation) / leg["mark"]
    return {
        **leg,
        "distance": None if leg["is_liquidated"] else away,
        "outcome": "liquidated" if leg["is_liquidated"] else "open",
    }


def _introduce(book: Book) -> None:
    for subject in book.subjects:
        print(said(subject))
    print(f"Free balance {amount(book.free or 0.0)}")


def tell_path(book: Book, walked: "AskedPath", outcomes: "Sequence[PathOutcome]") -> None:
    """Print every way of holding the book along a path, and in a terminal a picture of it."""
    from bot.cli.calculators.path_chart import draw_path

    _introduce(book)
    print(f"\n{walked.words}")
    show_table([_outcome(outcome._asdict()) for outcome in outcomes], _OUTCOMES, spare=_SPARE)
    draw_path(walked, outcomes)
    show_notes(_path_notes(walked, outcomes))


def _outcome(row: dict[str, Any]) -> dict[str, Any]:
    ends = [f"{_coins(row[end])} {end}" for end in ("liquidated", "stopped") if row[end]]
    return {**row, "moves": f"{row['adds']}/{row['releases']}", "ended": ", ".join(ends)}


def _coins(symbols: Sequence[str]) -> str:
    return "+".join(symbol.partition("/")[0] for symbol in symbols)


def _path_notes(walked: "AskedPath", outcomes: "Sequence[PathOutcome]") -> list[str]:
    notes = [
        *walked.notes,
        "Results are against the marks now, before fees and funding.",
        "Policies know the volatility, trend and regime of now along the whole path.",
        "Nearest: the least distance to liquidation on the way.",
    ]
    notes += _asks({outcome.way: outcome.derisk_asks for outcome in outcomes})
    cuts = [f"{outcome.way} {counted(outcome.cuts, 'cut')}" for outcome in outcomes if outcome.cuts]
    if cuts:
        notes.append(f"Closed a part in high volatility, at the mark and without fees: {', '.join(cuts)}.")
    return notes


def _asks(by_way: dict[str, int]) -> list[str]:
    """Where margin was short and limits forbade more: there the bot would go on to its de-risk ladder."""
    asked = [way.replace("_", " ") for way, count in by_way.items() if count]
    if not asked:
        return []
    return [
        f"Too near to liquidation with no more margin admitted, at times: {', '.join(asked)}.",
        "There the bot would consult its de-risk ladder, which is not walked here.",
    ]


def _asks_by_way(scenarios: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How often each policy asked for less risk, in all scenarios together."""
    asks: dict[str, int] = {}
    for scenario in scenarios:
        for row in scenario["walk"]:
            asks[row["way"]] = asks.get(row["way"], 0) + row["derisk_asks"]
    return asks
