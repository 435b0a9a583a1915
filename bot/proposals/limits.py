"""What may be proposed about a position: what a person may order, and no more than the policy itself may."""

from bot.engine import by_hand
from bot.engine.state import Holding, Market, State
from bot.risk.addition import add_ceiling
from bot.risk.by_hand import ADD, RELEASE, Preview, Wish
from bot.risk.manager import RiskManager
from bot.risk.reasons import REASONS
from bot.view.figures import money


def judged(state: State, risk: RiskManager, symbol: str, wish: Wish, *, is_blind: bool) -> Preview:
    """Return what a wish would come to now; its `refusal` says which limit is against it."""
    found = by_hand.preview(state, risk, symbol, wish, is_blind=is_blind)
    market = state.markets.get(symbol)
    if found.refusal or market is None or market.holding is None:
        return found
    return found._replace(refusal=_beyond_policy(state, risk, market, market.holding, wish, found))


def _beyond_policy(
    state: State, risk: RiskManager, market: Market, holding: Holding, wish: Wish, found: Preview
) -> str:
    limits, book = risk.margin_limits, state.book(market, holding)
    if wish.verb == RELEASE and not limits.allow_release:
        return "The policy releases no margin (margin.limits.allow_release), so none is proposed."
    if wish.verb != ADD:
        return ""
    if book.adds >= limits.max_adds:
        return (
            f"The policy may add {limits.max_adds} times to a position and has (margin.limits.max_adds), so "
            f"no more is proposed. {_BY_A_PERSON}"
        )
    wallet = holding.position.isolated_wallet
    ceiling = add_ceiling(wallet, book, limits)
    if wallet + found.amount_quote <= ceiling.wallet:
        return ""
    room = max(ceiling.wallet - wallet, 0.0)
    return (
        f"{money(found.amount_quote)} is more than the policy may add now ({REASONS[ceiling.reason]}): at "
        f"most {money(room)}. Propose less. {_BY_A_PERSON}"
    )


_BY_A_PERSON = "A person may go beyond it: ringfence margin add."
