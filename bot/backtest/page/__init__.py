"""A backtest as one HTML page that needs nothing else: no network, no library, readable from disk."""

from html import escape
from pathlib import Path
from typing import Final

from bot import __version__
from bot.backtest.backtest import Backtest
from bot.backtest.page.charts import charts_of
from bot.backtest.page.tables import cards_of, facts_of, groups_of, settings_of
from bot.core.timeframe import timeframe_text
from bot.core.timerange import utc_text

_FOLDER: Final = Path(__file__).parent

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
<header>
<div>
<p class="eyebrow">Backtest</p>
<h1>{heading}</h1>
<p class="subtitle">{subtitle}</p>
</div>
<button id="theme" type="button" aria-label="Switch between light and dark">Light / dark</button>
</header>
{warnings}
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
</section>
<footer>Ringfence {version}, {engine} engine, {candles} candles. Money in quote currency, times in UTC. What a
backtest shows has happened in recorded candles under the assumptions of its settings; it is no
promise.</footer>
</main>
<script>
{script}</script>
</body>
</html>
"""


def page_of(found: Backtest) -> str:
    """Return the page: figures, charts and tables of one backtest, in light and dark."""
    plan, result = found.plan, found.result
    name = plan.settings.strategy.name
    span = f"{utc_text(result.start_ms)[:10]} to {utc_text(result.end_ms)[:10]}"
    coins = ", ".join(symbol.partition(":")[0] for symbol in result.symbols)
    played = (
        f"{timeframe_text(result.timeframe_ms)} candles, played in {timeframe_text(result.detail_ms)} ones"
    )
    return _PAGE.format(
        title=escape(f"{name}, {plan.settings.margin.policy}, {span}"),
        heading=escape(f"{name} with {plan.settings.margin.policy}"),
        subtitle=escape(f"{coins} · {span} · {played}"),
        style=(_FOLDER / "style.css").read_text("utf-8"),
        script=(_FOLDER / "script.js").read_text("utf-8"),
        warnings=_warnings(found.warnings),
        cards=cards_of(found),
        charts=charts_of(found),
        facts=facts_of(found.evidence),
        groups=groups_of(found.summary),
        settings=settings_of(found),
        version=__version__,
        engine=escape(result.engine),
        candles=f"{result.counts.bars:,}",
    )


def _warnings(sentences: tuple[str, ...]) -> str:
    if not sentences:
        return ""
    rows = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    count = "one thing" if len(sentences) == 1 else f"{len(sentences)} things"
    return f'<details class="warnings"><summary>{count} to know</summary><ul>{rows}</ul></details>'
