"""A sweep as one HTML page that needs nothing else: what is best, what that is worth, and where it lies."""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from bot import __version__
from bot.backtest.page.shell import card, shell
from bot.backtest.sweep.scatter import Point, scatter
from bot.backtest.sweep.search import Search, Tried
from bot.backtest.sweep.sweep import Chosen
from bot.backtest.sweep.words import SURE, figure, is_share
from bot.core.timerange import timerange_text

_MOST_ROWS: Final = 30
_FIGURES: Final = ("return", "sharpe", "drawdown", "worst", "margin-hours", "liquidations", "trades")
_YEAR: Final = math.sqrt(365.0)

_STYLE: Final = """
.scatter text { font-size: 12px; fill: var(--faint); font-variant-numeric: tabular-nums; }
.scatter .name { fill: var(--soft); }
.scatter svg { display: block; width: 100%; height: auto; }
.scatter .point { fill: var(--faint); opacity: .55; }
.scatter .best { fill: var(--equity); opacity: 1; stroke: var(--panel); stroke-width: 1.5; }
.scatter .front { fill: none; stroke: var(--equity); stroke-width: 1.5; stroke-dasharray: 4 3; }
.scatters { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 14px; }
.scatters > :first-child:nth-last-child(odd) { grid-column: 1 / -1; }
.scatters .chart { margin: 0; }
@media (max-width: 560px) { .scatters { grid-template-columns: 1fr; } }
"""
_FOOTER: Final = (
    f"Ringfence {__version__}. Money in quote currency, times in UTC. The best of many tries is the luckiest "
    "of them as well; what a backtest shows has happened in recorded candles, and is no promise."
)


def page_of(search: Search, found: Sequence[Chosen], title: str) -> str:
    """Return the page, in light and dark. `title`: what was swept, in words."""
    tries = sum(len(each.tried) for each in found)
    several = f", {len(found)} splits" if len(found) > 1 else ""
    sections = _splits(search, found) if len(found) > 1 else _plots(search, found[0])
    cards = "\n".join(_cards(search, found))
    table = _table(search, found[0] if len(found) == 1 else None)
    return shell(
        "Sweep",
        title,
        title,
        f"{tries:,} tries by {search.sampler}{several}, seed {search.seed}",
        f'<section class="cards">\n{cards}\n</section>\n{sections}{table}',
        _FOOTER,
        style=_STYLE,
    )


def _cards(search: Search, found: Sequence[Chosen]) -> list[str]:
    first = found[0]
    wanted = search.objectives[0].name
    best = first.best[0]
    values = ", ".join(
        f"{axis.name} {value:.6g}" for axis, value in zip(search.axes, best.values, strict=True)
    )
    if len(found) > 1:
        kept = sum(each.judged.get("return", math.nan) > 0.0 for each in found)
        judged = [each.judged.get(wanted, math.nan) for each in found]
        mean = sum(judged) / len(judged)
        return [
            card("Gained unseen", f"{kept} of {len(found)}", "parts that the choice had not seen"),
            card(f"{wanted.capitalize()} unseen", figure(wanted, mean), "mean of what was judged"),
            card("Tries a split", f"{len(first.tried):,}", search.sampler),
            card("Parameters", f"{len(search.axes)}", ", ".join(axis.name for axis in search.axes)),
        ]
    deflated = first.deflated
    tone = "good" if deflated.probability >= SURE else "bad"
    chance = f"{deflated.probability:.1%}" if math.isfinite(deflated.probability) else "not known"
    return [
        card(f"Best {wanted}", figure(wanted, best.figures[wanted]), values),
        card(
            "Better than luck",
            chance,
            "probability; 95 % would be enough to believe",
            tone if math.isfinite(deflated.probability) else "",
        ),
        card(
            "Luck alone shows",
            f"{deflated.expected_best * _YEAR:.2f}",
            f"Sharpe of the best of {deflated.tries:,} without skill",
        ),
        card("Trades of the best", f"{best.figures['trades']:.0f}", f"over {deflated.periods} days"),
    ]


def _plots(search: Search, chosen: Chosen) -> str:
    front = {each.number for each in chosen.best}
    known = [each for each in chosen.tried if not each.refusal]
    names = [objective.name for objective in search.objectives]
    drawn = []
    if len(names) > 1:
        points = [
            Point(each.figures[names[1]], each.figures[names[0]], each.number in front, _label(search, each))
            for each in known
        ]
        drawn.append(
            _plot(f"{names[0]} against {names[1]}", "the front is blue", points, names[1], names[0], True)
        )
    for index, axis in enumerate(search.axes):
        points = [
            Point(
                float(each.values[index]), each.figures[names[0]], each.number in front, _label(search, each)
            )
            for each in known
        ]
        note = "a lone peak is luck, a plateau may be more"
        drawn.append(_plot(f"{names[0]} against {axis.name}", note, points, axis.name, names[0], False))
    return f'<section><h2>Where it lies</h2><div class="scatters">{"".join(drawn)}</div></section>'


def _plot(title: str, note: str, points: Sequence[Point], across: str, up: str, is_joined: bool) -> str:
    return (
        f'<figure class="chart scatter"><figcaption><b>{escape(title)}</b> <span>{escape(note)}</span>'
        f"</figcaption>{scatter(points, across, up, _writer(across), _writer(up), is_joined)}</figure>"
    )


def _writer(name: str) -> Callable[[float], str]:
    if is_share(name):
        return lambda value: f"{100.0 * value:g} %"
    return lambda value: f"{value:g}"


def _label(search: Search, each: Tried) -> str:
    values = ", ".join(
        f"{axis.name} {value:.6g}" for axis, value in zip(search.axes, each.values, strict=True)
    )
    figures = ", ".join(f"{one.name} {figure(one.name, each.figures[one.name])}" for one in search.objectives)
    return f"{values}: {figures}"


def _splits(search: Search, found: Sequence[Chosen]) -> str:
    wanted = search.objectives[0].name
    head = (
        "<th>Judged on</th>"
        + "".join(f"<th>{escape(axis.name)}</th>" for axis in search.axes)
        + f"<th>{escape(wanted)} chosen on</th>"
        + "".join(f"<th>{escape(name)}</th>" for name in _FIGURES)
    )
    rows = "".join(
        f"<tr><th>{timerange_text(each.split.test) if each.split.test else ''}</th>"
        + "".join(f"<td>{value:.6g}</td>" for value in each.best[0].values)
        + f"<td>{figure(wanted, each.best[0].figures[wanted])}</td>"
        + "".join(f"<td>{figure(name, each.judged.get(name, math.nan))}</td>" for name in _FIGURES)
        + "</tr>"
        for each in found
    )
    return (
        "<section><h2>Chosen on the rest, judged on what was not seen</h2>"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</section>"
    )


def _table(search: Search, chosen: Chosen | None) -> str:
    if chosen is None:
        return ""
    several = len(search.objectives) > 1
    shown = chosen.best if several else ranked(search, chosen.tried)
    title = "The front" if several else "The best"
    names = [axis.name for axis in search.axes]
    figures = [*dict.fromkeys([*(objective.name for objective in search.objectives), *_FIGURES])]
    head = "".join(f"<th>{escape(name)}</th>" for name in ("try", *names, *figures))
    rows = "".join(
        f"<tr><th>{each.number}</th>"
        + "".join(f"<td>{value:.6g}</td>" for value in each.values)
        + "".join(f"<td>{figure(name, each.figures[name])}</td>" for name in figures)
        + "</tr>"
        for each in shown[:_MOST_ROWS]
    )
    return (
        f"<section><h2>{title}</h2>"
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</section>"
    )


def ranked(search: Search, tried: Sequence[Tried]) -> list[Tried]:
    """Return the tries in the order of the first objective, the best first; those without it are left out."""
    objective = search.objectives[0]
    sign = -1.0 if objective.is_more_better else 1.0
    known = [each for each in tried if math.isfinite(each.figures.get(objective.name, math.nan))]
    return sorted(known, key=lambda each: (sign * each.figures[objective.name], each.number))
