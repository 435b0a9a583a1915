"""F42 to F50: the account, its owner and the venue's own acts."""

from typing import TYPE_CHECKING

from bot.core.intent import AddMargin
from bot.core.position import Position
from bot.sim.server.books import PlacedOrder
from bot.sim.server.faults import Fault as ServerFault
from tests.simulation.calls import Effect
from tests.simulation.faults.acts import (
    BAD_KEY,
    WRITES,
    answer,
    dice,
    drop_orders,
    for_a_while,
    later,
    move_price,
    reduce_by_hand,
    when_held,
    while_disturbed,
)

if TYPE_CHECKING:
    from tests.simulation.world import World

_EVERYTHING = (
    *("entry", "exit", "stop", "cancel", "margin", "leverage", "mode"),
    *("read:orders", "read:trades", "read:position", "read:money", "read:order", "read:stop", "read:other"),
)


def mode_toggled(world: "World") -> None:
    """F42: the account is in cross mode when the bot comes; at OKX every order names its mode."""
    if world.dialect == "okx":
        return
    world.fault_fires("cross at the start")
    for symbol in world.symbols:
        world.exchange.server.force_margin_mode(symbol, is_isolated=False)


def liquidated(world: "World") -> None:
    """F43: a crash of the price liquidates, with the bot up or down."""
    is_down = dice(world).random() < 0.5

    def crash(position: Position) -> None:
        if is_down:
            world.bot.restart_seconds = 10.0
            world.bot.kill()
        drop_orders(world, position.symbol, ("stop",))
        move_price(world, position.symbol, -0.5 * position.side if position.side > 0 else 0.9)

    when_held(world, crash)


def deleveraged(world: "World") -> None:
    """F44: the venue takes a part of the position."""

    def take(position: Position) -> None:
        step = world.exchange.venue.state.instruments[position.symbol].quantity_step
        reduce_by_hand(world, position, max(round(position.quantity * 0.5 / step) * step, step), "adl")

    when_held(world, take)


def opened_by_hand(world: "World") -> None:
    """F45: somebody opens a position in a symbol of ours, or rests an order there."""

    def act() -> None:
        flat = [each for each in world.symbols if each not in world.exchange.venue.state.positions]
        symbol = dice(world).choice(flat or list(world.symbols))
        world.fault_fires(f"by hand in {symbol}")
        world.touched_by_hand.add(symbol)
        if world.dialect != "okx":  # one in cross mode is refused at every start, and rightly
            world.exchange.server.force_margin_mode(symbol, is_isolated=True)
        _open(world, symbol)

    later(world, act)


def _open(world: "World", symbol: str) -> None:
    from bot.core.intent import OpenPosition

    embedded = world.exchange.embedded
    number = embedded.recorder.next("orders")
    quantity = 20.0 * world.exchange.venue.state.instruments[symbol].quantity_step
    now_ms, name = embedded.market_ms, f"o{number}"
    order = PlacedOrder(
        number, f"byhand{number}", name, symbol, "market", 1, quantity, 0.0, "GTC", False, False, "new",
        0.0, 0.0, now_ms, now_ms,
    )  # fmt: skip
    embedded.place_order(order, OpenPosition(symbol, 1, quantity))
    embedded.commit()


def margin_by_hand(world: "World") -> None:
    """F46: somebody adds margin to a position of ours."""

    def add(position: Position) -> None:
        world.touched_by_hand.add(position.symbol)
        world.incomparable.add("margin")
        amount = dice(world).uniform(3.0, 40.0)
        world.exchange.embedded.request(AddMargin(position.symbol, position.isolated_wallet + amount))

    when_held(world, add)


def maintenance(world: "World") -> None:
    """F48: the venue is away, and its orders may be gone when it comes back."""
    is_cleared = dice(world).random() < 0.5

    def end() -> None:
        world.exchange.faults.is_in_maintenance = False
        if is_cleared:
            for symbol in world.symbols:
                drop_orders(world, symbol, ("stop", "take_profit", "trailing", "entry"))
            world.exchange.embedded.commit()

    def begin() -> None:
        world.exchange.faults.is_in_maintenance = True

    for_a_while(world, "maintenance", begin, end, 3.0, 50.0)


def key_revoked(world: "World") -> None:
    """F49: the key is not accepted for a while; Hyperliquid asks for none where nothing is changed."""
    is_asked = world.dialect != "hyperliquid"
    effect = Effect("answered", answer=answer(world, BAD_KEY, 401 if is_asked else 400))
    kinds = _EVERYTHING if is_asked else WRITES
    while_disturbed(world, "key revoked", kinds, effect, 3.0, 40.0)


def banned(world: "World") -> None:
    """F50: 429, then 418."""

    def plan() -> None:
        world.fault_fires("rate limit")
        wait_ms = dice(world).randint(1_000, 10_000)
        world.exchange.faults.plan(
            ServerFault("rate_limited", times=dice(world).randint(1, 4), delay_ms=wait_ms)
        )
        if dice(world).random() < 0.5:
            world.exchange.faults.plan(ServerFault("banned", delay_ms=2 * wait_ms))

    later(world, plan)
