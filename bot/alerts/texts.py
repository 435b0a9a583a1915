"""What alerts say: the position, the numbers, what the bot did and will do, the next step. Plain text, UTC.

What the journal says already (a move, an alert of the engine) is said in its words.
"""

from collections.abc import Callable
from typing import NamedTuple

from bot.alerts.words import ACKNOWLEDGE
from bot.core.alert import Grade
from bot.core.event import AlertRaised, Event, Liquidated, MarginMoved, PositionRisk
from bot.core.position import side_name
from bot.core.timerange import utc_second_text
from bot.engine.state import Holding, Market


class Text(NamedTuple):
    """Title and body of a message."""

    title: str
    body: str


class Phrases(NamedTuple):
    """The words of the journal and of the live view. `mode`: "paper", "testnet" or "live".

    `journal` returns the line of an event, its prices in ticks of the size given; `next_action` what
    happens next to a position.
    """

    mode: str
    quote: str
    journal: Callable[[Event, float | None], str]
    next_action: Callable[[Market, Holding], str]


def headline(grade: Grade, symbol: str, what: str, mode: str) -> str:
    """Return the title: grade unless it is only information, pair, what, and whose money."""
    gravity = "" if grade == "info" else f"{grade.upper()} "
    pair = f"{symbol.partition(':')[0]} " if symbol else ""
    return f"{gravity}{pair}{what} [{mode}]"


def named(holding: Holding) -> str:
    """Return a position as alerts of the engine name it."""
    held = holding.position
    return f"{side_name(held.side)} {held.quantity:.10g} {held.symbol} (position {holding.position_id})"


def timed(body: str, ts_ms: int) -> str:
    """Return a body with the market's time."""
    return f"{body}\n\n{utc_second_text(ts_ms)} UTC."


def with_acknowledgement(text: Text, alert_id: str) -> Text:
    """Return the text of a critical alert with how to end its repetition."""
    return text._replace(body=f"{text.body} To be told no more: {ACKNOWLEDGE} {alert_id}")


def raised_text(event: AlertRaised, what: str, grade: Grade, phrases: Phrases) -> Text:
    """Return what the engine said; `what` stands in the title."""
    return Text(headline(grade, event.symbol, what, phrases.mode), timed(event.message, event.ts_ms))


def moved_text(event: MarginMoved, market: Market | None, phrases: Phrases) -> Text:
    """Return what was moved and why, the risk before and after, and what comes next."""
    verb = "margin added" if event.amount_quote > 0.0 else "margin released"
    holding = market.holding if market is not None else None
    owner, following = f"position {event.position_id}", ""
    if market is not None and holding is not None and holding.position_id == event.position_id:
        owner, following = named(holding), f" {bot_next(market, holding, phrases)}"
    tick = market.instrument.tick_size if market is not None else None
    before, after = event.before, event.after
    body = (
        f"{owner}: {phrases.journal(event, tick)}. Mark {after.mark:.10g}, margin "
        f"{before.isolated_wallet:,.2f} -> {after.isolated_wallet:,.2f} {phrases.quote}, margin ratio "
        f"{before.margin_ratio:.2%} -> {after.margin_ratio:.2%}.{following}"
    )
    title = f"{verb}: {abs(event.amount_quote):,.2f} {phrases.quote}"
    return Text(headline("info", event.symbol, title, phrases.mode), timed(body, event.ts_ms))


def liquidated_text(event: Liquidated, cool_until_ms: int, phrases: Phrases) -> Text:
    """Return what was lost, and what the bot does after it."""
    until = ""
    if cool_until_ms > event.ts_ms:
        until = f" Nothing is entered in {event.symbol} before {utc_second_text(cool_until_ms)} UTC."
    body = (
        f"{side_name(event.side)} {event.quantity:.10g} {event.symbol} was liquidated at mark "
        f"{event.mark:.10g}, liquidation price {event.liquidation_price:.10g}: {event.loss_quote:,.2f} "
        f"{phrases.quote} lost, {event.free_quote:,.2f} free.{until} Other positions are managed as before. "
        "Next step: ringfence journal shows why neither stop nor margin came first; ringfence halt stops "
        "entries."
    )
    return Text(headline("critical", event.symbol, "liquidated", phrases.mode), timed(body, event.ts_ms))


def distance_text(
    grade: Grade, market: Market, holding: Holding, risk: PositionRisk, level: float, phrases: Phrases
) -> Text:
    """Return that liquidation is nearer than a level that was set."""
    body = (
        f"{named(holding)}: liquidation at {risk.liquidation_price:.10g} is {risk.distance:.2%} from the "
        f"mark {risk.mark:.10g}; told below {level:.2%}. Margin {risk.isolated_wallet:,.2f} {phrases.quote}, "
        f"{holding.added_quote:,.2f} of it added, margin ratio {risk.margin_ratio:.2%}; "
        f"{stop_words(holding)}. {bot_next(market, holding, phrases)} Next step: if you do not want that, "
        "add margin, reduce or close it."
    )
    title = headline(grade, market.instrument.symbol, f"liquidation {risk.distance:.2%} away", phrases.mode)
    return Text(title, timed(body, market.mark_ms))


def farther_text(market: Market, holding: Holding, away: float, level: float, phrases: Phrases) -> Text:
    """Return that liquidation is farther away again than a level."""
    pair = market.instrument.symbol.partition(":")[0]
    why = f"{named(holding)}: liquidation is {away:.2%} from the mark {market.mark:.10g} again."
    return over_text(f"{pair} liquidation nearer than {level:.2%} [{phrases.mode}]", why, market.mark_ms)


def budget_text(market: Market, holding: Holding, share: float, phrases: Phrases) -> Text:
    """Return that little is left to be added."""
    wallet, most = holding.position.isolated_wallet, holding.agreed_loss_quote
    body = (
        f"{named(holding)}: {share:.0%} of what may be added to it is added. Margin {wallet:,.2f} "
        f"{phrases.quote} of at most {most:,.2f} that were agreed as its loss, {holding.adds} adds made, "
        f"{max(most - wallet, 0.0):,.2f} left; {stop_words(holding)}. When nothing is left the bot adds no "
        f"more. {bot_next(market, holding, phrases)} Next step: reduce or close it if you will not wait."
    )
    title = headline("warning", market.instrument.symbol, "margin budget nearly spent", phrases.mode)
    return Text(title, timed(body, market.mark_ms))


def stop_moved_text(market: Market, holding: Holding, before: float, phrases: Phrases) -> Text:
    """Return where the stop was and is."""
    side, mark = holding.position.side, market.mark
    now = holding.stop.trigger_price if holding.stop is not None else 0.0
    verb = "follows" if side * (now - before) > 0.0 else "was moved"
    body = (
        f"{named(holding)}: the stop {verb} from {before:.10g} to {now:.10g}, "
        f"{side * (mark - now) / mark:.2%} from the mark {mark:.10g}. {bot_next(market, holding, phrases)}"
    )
    title = headline("info", market.instrument.symbol, f"stop moved to {now:.10g}", phrases.mode)
    return Text(title, timed(body, market.mark_ms))


def drawdown_text(
    grade: Grade, equity: float, peak: float, level: float, ts_ms: int, phrases: Phrases
) -> Text:
    """Return how much of the highest equity is lost."""
    lost = 1.0 - equity / peak
    body = (
        f"Equity {equity:,.2f} {phrases.quote} with open positions is {lost:.1%} below its highest "
        f"{peak:,.2f}; told from {level:.1%} on. Trading goes on until a limit of [halts] or [entry] is met. "
        "Next step: ringfence trades shows what lost it; ringfence halt stops entries."
    )
    return Text(headline(grade, "", f"drawdown {lost:.1%}", phrases.mode), timed(body, ts_ms))


def late_start_text(began_ms: int, now_ms: int, phrases: Phrases) -> Text:
    """Return that the session does not run yet."""
    body = (
        f"The bot was started at {utc_second_text(began_ms)} UTC and could not begin yet: the exchange does "
        "not answer, or not with what a start needs. Open positions are not looked after meanwhile; their "
        "stops rest at the exchange. It goes on trying. Next step: look at its log, the network and the "
        "exchange's status page; look after positions at the exchange if it lasts."
    )
    return Text(headline("critical", "", "not started yet", phrases.mode), timed(body, now_ms))


def over_text(title: str, why: str, ts_ms: int) -> Text:
    """Return that what was told has passed."""
    plain = title.removeprefix("CRITICAL ").removeprefix("WARNING ")
    return Text(f"OVER {plain}", timed(why, ts_ms))


def bot_next(market: Market, holding: Holding, phrases: Phrases) -> str:
    """Return what the bot will do next with a position, as the live view says it."""
    return f"The bot next: {phrases.next_action(market, holding)}."


def stop_words(holding: Holding) -> str:
    """Return whether a stop rests, and where."""
    if holding.stop is None:
        return "NO stop rests at the venue"
    return f"the stop at {holding.stop.trigger_price:.10g} rests at the venue"
