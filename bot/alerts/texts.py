"""What alerts say: the position, the numbers, what the bot did and will do, the next step. Plain text, UTC.

What the journal says already (a move, an alert of the engine) is said in its words.
"""

from typing import NamedTuple

from bot.alerts.words import ACKNOWLEDGE
from bot.core.alert import Grade
from bot.core.codec import to_json
from bot.core.event import AlertRaised, Liquidated, MarginMoved, PositionClosed, PositionRisk
from bot.core.position import side_name
from bot.core.timerange import utc_second_text
from bot.engine.state import Holding, Market
from bot.view.event_words import event_words
from bot.view.figures import step_decimals, tick_price
from bot.view.next_action import held_words, next_action_words


class Text(NamedTuple):
    """Title and body of a message."""

    title: str
    body: str


class Setting(NamedTuple):
    """Whose money it is ("paper", "testnet" or "live"), and the currency of the account."""

    mode: str
    quote: str


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


def raised_text(event: AlertRaised, what: str, grade: Grade, setting: Setting) -> Text:
    """Return what the engine said; `what` stands in the title."""
    return Text(headline(grade, event.symbol, what, setting.mode), timed(event.message, event.ts_ms))


def moved_text(event: MarginMoved, market: Market | None, setting: Setting) -> Text:
    """Return what was moved and why, the risk before and after, and what comes next."""
    verb = "margin added" if event.amount_quote > 0.0 else "margin released"
    holding = market.holding if market is not None else None
    owner, following = f"position {event.position_id}", ""
    if market is not None and holding is not None and holding.position_id == event.position_id:
        owner, following = named(holding), f" {bot_next(market, holding)}"
    tick = market.instrument.tick_size if market is not None else None
    before, after = event.before, event.after
    body = (
        f"{owner}: {event_words(to_json(event), tick)}. Mark {tick_price(after.mark, tick)}, margin "
        f"{before.isolated_wallet:,.2f} -> {after.isolated_wallet:,.2f} {setting.quote}, margin ratio "
        f"{before.margin_ratio:.2%} -> {after.margin_ratio:.2%}.{following}"
    )
    title = f"{verb}: {abs(event.amount_quote):,.2f} {setting.quote}"
    return Text(headline("info", event.symbol, title, setting.mode), timed(body, event.ts_ms))


def liquidated_text(event: Liquidated, cool_until_ms: int, setting: Setting) -> Text:
    """Return what was lost, and what the bot does after it."""
    until = _cooling(event.symbol, event.ts_ms, cool_until_ms)
    body = (
        f"{side_name(event.side)} {event.quantity:.10g} {event.symbol} was liquidated at mark "
        f"{event.mark:.10g}, liquidation price {event.liquidation_price:.10g}: {event.loss_quote:,.2f} "
        f"{setting.quote} lost, {event.free_quote:,.2f} free.{until} Other positions are managed as before. "
        "Next step: ringfence journal shows why neither stop nor margin came first; ringfence halt stops "
        "entries."
    )
    return Text(headline("critical", event.symbol, "liquidated", setting.mode), timed(body, event.ts_ms))


def deleveraged_text(event: PositionClosed, cool_until_ms: int, setting: Setting) -> Text:
    """Return that the exchange closed a position against somebody's liquidation."""
    body = (
        f"{side_name(event.side)} {event.symbol} (position {event.position_id}) was closed by the exchange "
        f"at {event.exit_price:.10g} to fill somebody's liquidation (auto-deleveraging): PnL "
        f"{event.realised_pnl_quote:+,.2f} {setting.quote}."
        f"{_cooling(event.symbol, event.ts_ms, cool_until_ms)} "
        "Its stop and targets are taken back. Next step: look whether a hedge of it is still wanted."
    )
    return Text(headline("warning", event.symbol, "deleveraged", setting.mode), timed(body, event.ts_ms))


def distance_text(
    grade: Grade, market: Market, holding: Holding, risk: PositionRisk, level: float, setting: Setting
) -> Text:
    """Return that liquidation is nearer than a level that was set."""
    at = tick_price(risk.liquidation_price, market.instrument.tick_size)
    body = (
        f"{named(holding)}: liquidation at {at} is {risk.distance:.2%} from the mark {_mark(market)}; told "
        f"below {level:.2%}. Margin {risk.isolated_wallet:,.2f} {setting.quote}, {holding.added_quote:,.2f} "
        f"of it added, margin ratio {risk.margin_ratio:.2%}; {stop_words(holding)}. "
        f"{bot_next(market, holding)} Next step: if you do not want that, add margin, reduce or close it."
    )
    title = headline(grade, market.instrument.symbol, f"liquidation {risk.distance:.2%} away", setting.mode)
    return Text(title, timed(body, market.mark_ms))


def farther_text(market: Market, holding: Holding, away: float, level: float, setting: Setting) -> Text:
    """Return that liquidation is farther away again than a level."""
    pair = market.instrument.symbol.partition(":")[0]
    why = f"{named(holding)}: liquidation is {away:.2%} from the mark {_mark(market)} again."
    return over_text(f"{pair} liquidation nearer than {level:.2%} [{setting.mode}]", why, market.mark_ms)


def budget_text(market: Market, holding: Holding, share: float, setting: Setting) -> Text:
    """Return that little is left to be added."""
    wallet, most = holding.position.isolated_wallet, holding.agreed_loss_quote
    body = (
        f"{named(holding)}: {share:.0%} of what may be added to it is added. Margin {wallet:,.2f} "
        f"{setting.quote} of at most {most:,.2f} that were agreed as its loss, {holding.adds} adds made, "
        f"{max(most - wallet, 0.0):,.2f} left; {stop_words(holding)}. When nothing is left the bot adds no "
        f"more. {bot_next(market, holding)} Next step: reduce or close it if you will not wait."
    )
    title = headline("warning", market.instrument.symbol, "margin budget nearly spent", setting.mode)
    return Text(title, timed(body, market.mark_ms))


def stop_moved_text(market: Market, holding: Holding, before: float, setting: Setting) -> Text:
    """Return where the stop was and is."""
    side, mark = holding.position.side, market.mark
    now = holding.stop.trigger_price if holding.stop is not None else 0.0
    verb = "follows" if side * (now - before) > 0.0 else "was moved"
    tick = market.instrument.tick_size
    body = (
        f"{named(holding)}: the stop {verb} from {tick_price(before, tick)} to {tick_price(now, tick)}, "
        f"{side * (mark - now) / mark:.2%} from the mark {_mark(market)}. {bot_next(market, holding)}"
    )
    title = headline("info", market.instrument.symbol, f"stop moved to {tick_price(now, tick)}", setting.mode)
    return Text(title, timed(body, market.mark_ms))


def drawdown_text(
    grade: Grade, equity: float, peak: float, level: float, ts_ms: int, setting: Setting
) -> Text:
    """Return how much of the highest equity is lost."""
    lost = 1.0 - equity / peak
    body = (
        f"Equity {equity:,.2f} {setting.quote} with open positions is {lost:.1%} below its highest "
        f"{peak:,.2f}; told from {level:.1%} on. Trading goes on until a limit of [halts] or [entry] is met. "
        "Next step: ringfence trades shows what lost it; ringfence halt stops entries."
    )
    return Text(headline(grade, "", f"drawdown {lost:.1%}", setting.mode), timed(body, ts_ms))


def late_start_text(began_ms: int, now_ms: int, setting: Setting) -> Text:
    """Return that the session does not run yet."""
    body = (
        f"The bot was started at {utc_second_text(began_ms)} UTC and could not begin yet: the exchange does "
        "not answer, or not with what a start needs. Open positions are not looked after meanwhile; their "
        "stops rest at the exchange. It goes on trying. Next step: look at its log, the network and the "
        "exchange's status page; look after positions at the exchange if it lasts."
    )
    return Text(headline("critical", "", "not started yet", setting.mode), timed(body, now_ms))


def over_text(title: str, why: str, ts_ms: int) -> Text:
    """Return that what was told has passed."""
    plain = title.removeprefix("CRITICAL ").removeprefix("WARNING ")
    return Text(f"OVER {plain}", timed(why, ts_ms))


def bot_next(market: Market, holding: Holding) -> str:
    """Return what the bot will do next with a position, as the live view says it."""
    side, decimals = holding.position.side, step_decimals(market.instrument.tick_size)
    left = max(holding.agreed_loss_quote - holding.position.isolated_wallet, 0.0)
    words = next_action_words(side, market.mark, holding.rungs, decimals, left)
    return f"The bot next: {words}{held_words(holding.last_hold_reason)}."


def stop_words(holding: Holding) -> str:
    """Return whether a stop rests, and where."""
    if holding.stop is None:
        return "NO stop rests at the venue"
    return f"the stop at {holding.stop.trigger_price:.10g} rests at the venue"


def _cooling(symbol: str, ts_ms: int, until_ms: int) -> str:
    is_cooling = until_ms > ts_ms
    return f" Nothing is entered in {symbol} before {utc_second_text(until_ms)} UTC." if is_cooling else ""


def _mark(market: Market) -> str:
    return tick_price(market.mark, market.instrument.tick_size)
