"""The daily summary: the account, each open position, and what was done since the last one."""

from collections.abc import Iterator
from typing import Final

from bot.alerts.texts import Setting, Text, bot_next, headline, named, stop_words, timed
from bot.engine.desk import Desk
from bot.engine.entries import portfolio
from bot.view.figures import tick_price

Counts = dict[str, float]

_MARGIN: Final = ("margin_adds", "margin_added", "margin_releases", "margin_released")
_COUNTED: Final = ("trades", "liquidations", *_MARGIN)


def counts_of(desk: Desk) -> Counts:
    """Return what has been counted since the database began, and the wallet."""
    tally = desk.state.tally
    return {**{name: getattr(tally, name) for name in _COUNTED}, "wallet": desk.state.equity_quote()}


def daily_text(desk: Desk, before: Counts, now: Counts, setting: Setting) -> Text:
    """Return the account, what was done since `before`, what is open, and whether anything halts the bot."""
    done = {name: now[name] - before.get(name, 0.0) for name in now}
    lines = (
        _account(desk, now["wallet"], done["wallet"], setting),
        _done(done),
        *_positions(desk, setting),
        _halts(desk),
    )
    what = f"daily summary: wallet {done['wallet']:+,.2f} {setting.quote}"
    return Text(headline("info", "", what, setting.mode), timed("\n".join(lines), desk.state.now_ms))


def _account(desk: Desk, wallet: float, gained: float, setting: Setting) -> str:
    account = portfolio(desk)
    return (
        f"Wallet {wallet:,.2f} {setting.quote} ({gained:+,.2f} since the last summary), "
        f"{account.free_quote:,.2f} free, {account.equity_quote - account.free_quote:,.2f} margin; day's PnL "
        f"{account.day_pnl_quote:+,.2f} with open positions."
    )


def _done(done: Counts) -> str:
    return (
        f"{done['trades']:.0f} trades closed, {done['liquidations']:.0f} liquidations; margin added "
        f"{done['margin_adds']:.0f} times ({done['margin_added']:,.2f}), released "
        f"{done['margin_releases']:.0f} times ({done['margin_released']:,.2f})."
    )


def _positions(desk: Desk, setting: Setting) -> Iterator[str]:
    if not desk.state.positions():
        yield "No position is open."
    for market in desk.state.markets.values():
        if (holding := market.holding) is not None:
            risk = desk.risk.risk_of(desk.view(market, holding))
            at = tick_price(risk.liquidation_price, market.instrument.tick_size)
            yield (
                f"{named(holding)}: {risk.distance:.2%} to liquidation at {at}, margin "
                f"{risk.isolated_wallet:,.2f}; {stop_words(holding)}. {bot_next(market, holding)}"
            )


def _halts(desk: Desk) -> str:
    halts = desk.state.halts
    if not halts:
        return "Nothing is halted."
    causes = "; ".join(f"{cause.replace('_', ' ')}, {halt.message}" for cause, halt in halts.items())
    return f"HALTED, {desk.state.halt_level()}: {causes}."
