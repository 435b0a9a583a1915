"""What a loop says of errors that nobody awaits: kind and place, never an address with its signature."""

import asyncio
import gc
import io
from collections.abc import Callable
from typing import Any

import orjson
import pytest
import structlog

from bot import logs
from bot.cli import session
from bot.cli.beside import Beside
from bot.errors import UserError
from bot.settings import Settings

SIGNED = "GET https://fapi.example/fapi/v1/order?timestamp=1&signature=0123abcd"


class Unanswered(Exception):
    """Stands for what ccxt raises: its text is the signed address."""


async def leave_a_future() -> None:
    """Fail a future as ccxt.pro's clients do, and forget it."""
    asyncio.get_running_loop().create_future().set_exception(Unanswered(SIGNED))


async def leave_a_task() -> None:
    async def fail() -> None:
        raise Unanswered(SIGNED)

    asyncio.get_running_loop().create_task(fail())
    await asyncio.sleep(0)


async def leave_a_callback() -> None:
    def fail(_address: str) -> None:
        raise Unanswered(SIGNED)

    asyncio.get_running_loop().call_soon(fail, SIGNED)
    await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def restored() -> Any:
    yield
    structlog.reset_defaults()


def said_of(leave: Callable[[], Any]) -> None:
    async def live() -> None:
        logs.tell_of_the_loop()
        await leave()
        gc.collect()

    asyncio.run(live())


@pytest.mark.parametrize("leave", [leave_a_future, leave_a_task, leave_a_callback])
def test_an_error_that_nobody_awaits_is_told_without_its_text(
    leave: Callable[[], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    said_of(leave)
    (line,) = [orjson.loads(each) for each in stream.getvalue().splitlines()]
    assert (line["event"], line["error_type"], line["level"]) == ("loop.error", "Unanswered", "warning")
    assert "signature" not in stream.getvalue() + "".join(capfd.readouterr())
    assert "fapi" not in stream.getvalue()


def test_a_task_that_failed_is_told_with_the_place() -> None:
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    said_of(leave_a_task)
    line = orjson.loads(stream.getvalue())
    assert line["what"] == "Task exception was never retrieved"
    assert line["place"].startswith("test_loop_errors.py:")
    assert line["place"].endswith(" fail")


def test_a_verb_without_a_log_keeps_its_output_clean(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    said_of(leave_a_future)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Unanswered" in err
    assert "signature" not in err


class Refusing:
    """An application whose venue cannot be met."""

    async def meet(self) -> None:
        raise UserError("no venue")

    async def leave(self) -> None:
        """Nothing is open."""


def test_a_trading_session_tells_its_errors_so_from_the_beginning() -> None:
    async def live() -> Any:
        application: Any = Refusing()
        beside = Beside(Settings(), None)
        with pytest.raises(UserError):
            await session._trade(application, application.meet, lambda: None, None, [], beside)
        return asyncio.get_running_loop().get_exception_handler()

    assert asyncio.run(live()) is logs.tell_of_error
