"""Orders reach the bot once, ask where money moves, and only from whoever may give them."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.core.margin import liquidation_price
from bot.engine.errand import REFUSED, Errand
from bot.ports import Command
from bot.store.commands import CommandFiles
from bot.web.application import application
from bot.web.office import Office
from tests.unit.web.asgi_client import Client, Reply

HALT = {"verb": "halt", "level": "REDUCE_ONLY", "message": "lunch"}


@pytest.fixture
def files(office: Office) -> Iterator[CommandFiles]:
    """Return the orders beside the database; none is left behind."""
    found = CommandFiles(office.watched.path)
    yield found
    take(found)


def take(files: CommandFiles) -> list[Command]:
    """Take the orders away, as the bot does."""
    waiting = list(files.waiting())
    for each in waiting:
        files.done(each.command_id)
    return waiting


async def order(client: Client, body: Any, key: str = "one", **headers: str) -> Reply:
    return await client.post("/api/commands", body, idempotency_key=key, **headers)


async def test_a_halt_asks_nothing_and_reaches_the_bot(client: Client, files: CommandFiles) -> None:
    answer = await order(client, HALT)
    assert answer.status == 202
    (command,) = files.waiting()
    assert (command.verb, command.level, command.message) == ("halt", "REDUCE_ONLY", "lunch")
    told = answer.json()
    assert (told["command_id"], told["state"]) == (command.command_id, "waiting")


async def test_an_order_is_done_when_the_bot_has_taken_it(
    client: Client, files: CommandFiles, bot: Any
) -> None:
    command_id = (await order(client, HALT)).json()["command_id"]
    assert (await client.get(f"/api/commands/{command_id}")).json()["state"] == "waiting"
    take(files)
    bot.application.engine.state.commands.append(command_id)
    assert (await client.get(f"/api/commands/{command_id}")).json()["state"] == "done"
    bot.application.engine.state.commands.remove(command_id)
    assert (await client.get("/api/commands/1")).status == 404


async def test_the_same_key_orders_once(client: Client, files: CommandFiles) -> None:
    first, second = await order(client, HALT), await order(client, HALT)
    assert first.json()["command_id"] == second.json()["command_id"]
    assert len(files.waiting()) == 1
    assert (await order(client, {"verb": "halt"})).status == 409
    await order(client, HALT, "two")
    assert len(files.waiting()) == 1 + 1


async def test_a_key_is_remembered_over_a_restart(
    client: Client, files: CommandFiles, office_for: Any, bot: Any
) -> None:
    first = (await order(client, HALT)).json()
    again = await order(Client(application(office_for(bot.settings))), HALT)
    assert again.json()["command_id"] == first["command_id"]
    assert len(files.waiting()) == 1


async def test_closing_everything_is_done_only_when_it_was_confirmed(
    client: Client, files: CommandFiles
) -> None:
    asked = await order(client, {"verb": "flatten"})
    assert asked.status == 200
    told = asked.json()
    assert told["needs_confirmation"]
    assert len(told["before"]["positions"]) == 2
    assert told["after"]["positions"] == []
    assert files.waiting() == ()
    done = await order(client, {"verb": "flatten", "confirm": told["confirm"]})
    assert done.status == 202
    assert [(each.verb, each.level) for each in files.waiting()] == [("flatten", "FLATTEN")]
    again = await order(client, {"verb": "flatten", "confirm": told["confirm"]})
    assert again.json()["command_id"] == done.json()["command_id"], "the same order"
    assert (await order(client, {"verb": "flatten", "confirm": told["confirm"]}, "two")).status == 409


async def test_a_confirmation_is_of_one_order_and_of_one_minute(
    client: Client, files: CommandFiles, clock: Any
) -> None:
    token = (await order(client, {"verb": "flatten", "message": "a"})).json()["confirm"]
    assert (await order(client, {"verb": "flatten", "message": "b", "confirm": token})).status == 409
    token = (await order(client, {"verb": "flatten"})).json()["confirm"]
    clock.now += 61.0
    assert (await order(client, {"verb": "flatten", "confirm": token})).status == 409
    assert (await order(client, {"verb": "flatten", "confirm": "x"})).status == 409
    assert files.waiting() == ()


async def test_going_on_asks_where_money_is_real(
    client: Client, files: CommandFiles, office_for: Any, bot: Any
) -> None:
    assert (await order(client, {"verb": "resume"})).status == 202
    run = bot.settings.run.model_copy(update={"mode": "live"})
    office = office_for(bot.settings.model_copy(update={"run": run}))
    token = office.guards.vault.new_token("trader", ("trade",), 1)
    live = Client(application(office))
    answer = await order(live, {"verb": "resume"}, "two", authorization=f"Bearer {token}")
    assert "REAL MONEY" in answer.json()["message"]
    office.guards.vault.file.unlink()
    assert len(files.waiting()) == 1


async def test_a_token_orders_what_its_scopes_say(
    client: Client, files: CommandFiles, office: Office
) -> None:
    vault = office.guards.vault
    tokens = {scope: vault.new_token(scope, (scope,), 1) for scope in ("read", "guard", "trade")}
    may = {}
    for verb in ("halt", "flatten", "resume", "acknowledge"):
        for scope, token in tokens.items():
            bearer = {"authorization": f"Bearer {token}"}
            answer = await order(client, {"verb": verb}, f"{verb}{scope}", **bearer)
            may[verb, scope] = answer.status != 403
    vault.file.unlink()
    assert [scope for scope in tokens if may["halt", scope]] == ["guard", "trade"]
    assert [scope for scope in tokens if may["acknowledge", scope]] == ["guard", "trade"]
    assert [scope for scope in tokens if may["flatten", scope]] == ["trade"]
    assert [scope for scope in tokens if may["resume", scope]] == ["trade"]


@pytest.mark.parametrize(
    "body",
    [
        {"verb": "sell"},
        {"verb": "halt", "level": "FLATTEN"},
        {"verb": "halt", "message": "x" * 201},
        {"verb": "add", "symbol": "BTC/USDT:USDT", "amount_quote": -1},
        {"verb": "add", "symbol": "BTC/USDT:USDT", "amount_quote": 1e300},
        {"verb": "reduce", "symbol": "BTC/USDT:USDT", "fraction": 2},
        {"verb": "acknowledge", "alert_ids": ["../x"]},
        {"verb": "acknowledge", "alert_ids": ["00000000"]},
        {},
    ],
)
async def test_what_is_no_order_is_refused(client: Client, files: CommandFiles, body: Any) -> None:
    assert (await order(client, body)).status == 422
    assert files.waiting() == ()


def held(bot: Any) -> Any:
    """Return the market of the position whose margin was moved."""
    markets = bot.application.engine.state.markets.values()
    return next(market for market in markets if market.holding is not None and market.holding.adds)


async def test_margin_is_added_by_hand_when_that_was_confirmed(
    client: Client, files: CommandFiles, bot: Any
) -> None:
    market = held(bot)
    position = market.holding.position
    wish = {"verb": "add", "symbol": position.symbol, "amount_quote": 25.0}
    told = (await order(client, wish)).json()
    assert told["after"]["wallet_quote"] == pytest.approx(position.isolated_wallet + 25.0)
    moved = position._replace(isolated_wallet=told["after"]["wallet_quote"])
    assert told["after"]["liquidation_price"] == pytest.approx(liquidation_price(moved, market.rules))
    assert told["before"]["wallet_quote"] == position.isolated_wallet
    assert files.waiting() == ()
    assert (await order(client, {**wish, "confirm": told["confirm"]})).status == 202
    (command,) = files.waiting()
    assert command[1:] == ("add", "", "", position.symbol, 25.0, 0.0, market.holding.position_id)


async def test_a_close_that_was_done_is_told_again_and_not_refused(
    client: Client, files: CommandFiles, bot: Any
) -> None:
    market = held(bot)
    wish = {"verb": "close", "symbol": market.instrument.symbol}
    token = (await order(client, wish)).json()["confirm"]
    first = (await order(client, {**wish, "confirm": token})).json()
    holding, market.holding = market.holding, None
    again = await order(client, {**wish, "confirm": token})
    market.holding = holding
    assert (again.status, again.json()["command_id"]) == (202, first["command_id"])


async def test_a_confirmation_is_not_one_of_another_position(
    client: Client, files: CommandFiles, bot: Any
) -> None:
    holding = held(bot).holding
    wish = {"verb": "close", "symbol": holding.position.symbol}
    token = (await order(client, wish)).json()["confirm"]
    holding.position_id += 100
    answer = await order(client, {**wish, "confirm": token})
    holding.position_id -= 100
    assert answer.status == 409
    assert files.waiting() == ()


async def test_a_confirmation_is_not_one_of_another_amount(
    client: Client, files: CommandFiles, bot: Any
) -> None:
    wish = {"verb": "add", "symbol": held(bot).instrument.symbol, "amount_quote": 25.0}
    token = (await order(client, wish)).json()["confirm"]
    assert (await order(client, {**wish, "amount_quote": 26.0, "confirm": token})).status == 409
    assert files.waiting() == ()


async def test_what_the_bot_says_of_an_order_about_a_position_is_told(
    client: Client, files: CommandFiles, bot: Any
) -> None:
    state, symbol = bot.application.engine.state, held(bot).instrument.symbol
    wish = {"verb": "reduce", "symbol": symbol, "fraction": 0.5}
    token = (await order(client, wish)).json()["confirm"]
    command_id = (await order(client, {**wish, "confirm": token})).json()["command_id"]
    take(files)
    errand = Errand(command_id, "reduce", symbol, 0.0, 0.5, 1, 1, state=REFUSED, message="Too late.")
    state.errands.append(errand)
    told = (await client.get(f"/api/commands/{command_id}")).json()
    state.errands.remove(errand)
    assert (told["state"], told["message"]) == ("refused", "Too late.")


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"verb": "add", "symbol": "X", "amount_quote": 5}, "No position"),
        ({"verb": "add", "amount_quote": 1e9}, "free"),
        ({"verb": "release", "amount_quote": 1e9}, "too much"),
        ({"verb": "release"}, "amount_quote"),
        ({"verb": "reduce"}, "fraction"),
        ({"verb": "reduce", "fraction": 1e-9}, "smallest order"),
    ],
)
async def test_a_wish_that_the_engine_would_refuse_is_refused_at_once(
    client: Client, files: CommandFiles, bot: Any, wish: Any, says: str
) -> None:
    answer = await order(client, {"symbol": held(bot).instrument.symbol, **wish})
    assert answer.status == 422
    assert says in answer.json()["detail"]
    assert files.waiting() == ()


@pytest.mark.parametrize("key", ["", "x" * 129, "a b", "é"])
async def test_an_order_needs_a_key(client: Client, files: CommandFiles, key: str) -> None:
    assert (await order(client, HALT, key)).status == 422
    assert (await client.post("/api/commands", HALT)).status == 422
    assert files.waiting() == ()


async def test_orders_that_nobody_takes_do_not_pile_up(client: Client, files: CommandFiles) -> None:
    statuses = [(await order(client, HALT, str(number))).status for number in range(52)]
    assert statuses[:50] == [202] * 50
    assert statuses[50:] == [503, 503]


async def test_an_order_that_cannot_be_written_can_be_given_again(
    client: Client, files: CommandFiles, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.errors import UserError

    def fails(_self: Any, _command: Command) -> None:
        raise UserError("The disk is full.")

    with monkeypatch.context() as full:
        full.setattr(CommandFiles, "send", fails)
        assert (await order(client, HALT)).status == 422
    assert (await order(client, HALT)).status == 202
    assert len(files.waiting()) == 1
