"""A backtest as one HTML page that needs nothing else: no network, no library, readable from disk."""

from html import escape
from typing import Final

from bot import __version__
from bot.backtest.backtest import Backtest
from bot.backtest.page.charts import charts_of
from bot.backtest.page.shell import shell
from bot.backtest.page.tables import cards_of, facts_of, groups_of, settings_of
from bot.core.timeframe import timeframe_text
from bot.core.timerange import utc_text

_BODY: Final = """{warnings}
<section class="cards">
{cards}
</section>
{charts}
<section>
<h2>What moving the margin did</h2>
<div class="columns">
{facts}
</div>
</section>
<section>
<h2>Where it came from</h2>
{groups}
</section>
<section>
<details>
<summary>Settings</summary>
{settings}
</details>
</section>"""
_FOOTER: Final = (
    "Ringfence {version}, {engine} engine, {candles} candles. Money in quote currency, times in UTC. What a "
    "backtest shows has happened in recorded candles under the assumptions of its settings; it is no promise."
)


def page_of(found: Backtest) -> str:
    """Return the page: figures, charts and tables of one backtest, in light and dark."""
    plan, result = found.plan, found.result
    name = plan.settings.strategy.name
    span = f"{utc_text(result.start_ms)[:10]} to {utc_text(result.end_ms)[:10]}"
    coins = ", ".join(symbol.partition(":")[0] for symbol in result.symbols)
    played = (
        f"{timeframe_text(result.timeframe_ms)} candles, played in {timeframe_text(result.detail_ms)} ones"
    )
    body = _BODY.format(
        warnings=_warnings(found.warnings),
        cards=cards_of(found),
        charts=charts_of(found),
        facts=facts_of(found.evidence),
        groups=groups_of(found.summary),
        settings=settings_of(found),
    )
    footer = _FOOTER.format(version=__version__, engine=result.engine, candles=f"{result.counts.bars:,}")
    return shell(
        "Backtest",
        f"{name}, {plan.settings.margin.policy}, {span}",
        f"{name} with {plan.settings.margin.policy}",
        f"{coins} · {span} · {played}",
        body,
        footer,
    )


def _warnings(sentences: tuple[str, ...]) -> str:
    if not sentences:
        return ""
    rows = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    count = "one thing" if len(sentences) == 1 else f"{len(sentences)} things"
    return f'<details class="warnings"><summary>{count} to know</summary><ul>{rows}</ul></details>'
