"""Every fault that can be injected, by its number in the catalogue, and the others with the reason."""

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.simulation.faults import (
    account,
    exits,
    inside,
    margin,
    operator,
    orders,
    protection,
    storage,
    transport,
)

if TYPE_CHECKING:
    from tests.simulation.world import World

Change = Callable[["World"], None]


PROTECTED_WITHIN_S: Final = 10.0


class Fault(NamedTuple):
    """`install` is called when the world is built, `plan` before.

    `bound_s`: how long after it a position may be without a stop, where it is longer than usual, and `why`.
    """

    title: str
    install: Change
    plan: Change | None = None
    bound_s: float = PROTECTED_WITHIN_S
    why: str = ""


FAULTS: Final = MappingProxyType(
    {
        "F01": Fault("accepted, and the reply is lost", orders.reply_lost),
        "F02": Fault("delivered twice, or answered too late", orders.delivered_twice),
        "F03": Fault("5xx, carried out or not", orders.server_error),
        "F04": Fault("lists lag", orders.lists_lag),
        "F05": Fault("queries fail in a burst", orders.reads_fail),
        "F06": Fault("refused, and dead before it is written", orders.refused_then_killed),
        "F07": Fault("the stream tells before the reply", orders.stream_before_reply),
        "F08": Fault("partial fills", orders.parts_and_losses, orders.thin_book),
        "F09": Fault("a cancel meets a fill", orders.cancel_meets_fill, protection.trending),
        "F10": Fault("terminal orders say filled 0", orders.filled_says_zero),
        "F11": Fault("a replacement is half done", orders.cancel_half_done, protection.trending),
        "F12": Fault("dead at a border of a request", orders.killed_at_a_border),
        "F13": Fault("a close is refused: size reserved", exits.exit_reserved),
        "F14": Fault("a close is refused: price filter", exits.exit_outside_band),
        "F15": Fault("less than the least order is left", exits.dust_left),
        "F16": Fault("a contract's size is wrong", exits.contract_size_wrong),
        "F17": Fault("tick and step change", exits.terms_change),
        "F18": Fault("orders are thrown away by overload", exits.overload),
        "F19": Fault("a stop arrives too late", exits.stop_too_late),
        "F20": Fault("one leg is refused", protection.one_leg_refused),
        "F21": Fault("everything is slow", protection.everything_slow),
        "F22": Fault("dead while a stop is replaced", protection.killed_while_replacing, protection.trending),
        "F23": Fault("closed by hand", protection.closed_by_hand),
        "F24": Fault("too many stops", protection.too_many_stops),
        "F25": Fault("reduced by hand", protection.reduced_by_hand),
        "F26": Fault("the price jumps", protection.noted, protection.jumps),
        "F27": Fault("a stop vanishes", protection.stop_vanishes),
        "F28": Fault("no conditional orders", protection.no_conditional_orders),
        "F29": Fault("everything is cancelled", protection.all_cancelled),
        "F30": Fault("the bot is away", protection.bot_away),
        "F31": Fault("an add is refused", margin.add_refused),
        "F32": Fault("the position ends before the add", margin.closes_before_add),
        "F33": Fault("the price moves before a margin move", margin.price_moves_before_release),
        "F34": Fault("the reply of a margin move is lost", margin.margin_reply_lost),
        "F35": Fault("the reported liquidation price is off", margin.liquidation_misreported),
        "F36": Fault("funding at its cap", protection.noted, margin.high_funding),
        "F37": Fault("the margin mode is refused", margin.mode_refused, margin.cross_at_first),
        "F38": Fault("a leverage is ignored", margin.leverage_ignored),
        "F39": Fault("leverage set, order refused", margin.leverage_without_order),
        "F40": Fault("the tiers change", margin.tiers_change),
        "F41": Fault("the price runs against everything", protection.noted, margin.against_us),
        "F42": Fault("cross mode at the start", account.mode_toggled),
        "F43": Fault("liquidated", account.liquidated),
        "F44": Fault("deleveraged by the venue", account.deleveraged),
        "F45": Fault("opened by hand", account.opened_by_hand),
        "F46": Fault("margin moved by hand", account.margin_by_hand),
        "F47": Fault("a symbol is no longer traded", exits.symbol_settles),
        "F48": Fault("maintenance", account.maintenance),
        "F49": Fault("the key is revoked for a while", account.key_revoked),
        "F50": Fault("429 and 418", account.banned),
        "F51": Fault("the clock steps", transport.clock_skewed),
        "F52": Fault("streams stall", transport.streams_stall),
        "F53": Fault("messages doubled, late or lost", transport.messages_disturbed),
        "F54": Fault("the user stream ends", transport.user_stream_ends),
        "F55": Fault("prices freeze", transport.prices_freeze),
        "F56": Fault("positions read as none", transport.positions_empty),
        "F57": Fault("no network", transport.outage),
        "F58": Fault("an edge of a time zone", protection.noted, transport.edge_of_a_zone),
        "F59": Fault("the host sleeps", transport.host_sleeps),
        "F60": Fault("the database is locked, or the disk is slow", storage.locked_or_slow),
        "F61": Fault("the disk is full", storage.full),
        "F62": Fault("the power fails: a commit is torn, or gone", storage.power_fails),
        "F63": Fault("dead at any step, also twice", storage.killed_anywhere),
        "F64": Fault("SIGTERM", storage.terminated),
        "F65": Fault("a second bot on the database", storage.second_bot),
        "F66": Fault("dead at a commit, often", storage.killed_after_a_commit),
        "F67": Fault("a slow start", storage.slow_start),
        "F68": Fault("restarted while holding", storage.restarted_while_held),
        "F69": Fault("a strategy gives strange values", protection.noted, inside.strange_values),
        "F70": Fault("a strategy raises, or hangs", inside.strategy_hangs, inside.strategy_raises_or_hangs),
        "F73": Fault("a person halts, and perhaps resumes", operator.halted),
        "F74": Fault("a loop runs away", operator.stops_dropped_at_once, operator.few_orders),
    }
)

NOT_INJECTED: Final = MappingProxyType(
    {
        "F71": "configuration: tests/unit/settings",
        "F72": "modes and hosts: tests/unit/exchange/test_hosts.py; ids of another mode: I19 of every world",
        "F75": "secrets: looked for at the end of every world (I22), and tests/unit/exchange/test_canary.py",
        "F76": "there is no dashboard: tests/unit/security/test_no_surface.py",
        "F77": "dependencies: tests/unit/security/test_supply_chain.py",
        "F78": "key permissions: tests/contract/embedded/test_real_edges.py",
        "F79": "there is no upload: tests/unit/security/test_source_scan.py",
        "F80": "there is no dashboard: tests/unit/security/test_no_surface.py",
    }
)
