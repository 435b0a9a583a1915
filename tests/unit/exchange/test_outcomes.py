"""What a failure means: every class of ccxt, every listed code, and what is no proof of anything."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import aiohttp
import ccxt
import pytest

from bot.errors import Fatal, OutcomeUnknown, RefusalCode, Rejected, Transient, Unavailable
from bot.exchange.codes import CODES
from bot.exchange.outcomes import CLASSES, as_error, error_text, outcome_of_error, venue_code
from bot.exchange.venues import VENUES
from tests.unit.exchange.wire import error, wired

REFUSALS = set(get_args(RefusalCode))
_KEY: Any = type("Key", (), {"host": "x", "port": 1, "ssl": None, "is_ssl": False})()


def hierarchy(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == "ccxt.base.errors":
            yield from hierarchy(below)


@pytest.mark.parametrize("kind", sorted(set(hierarchy(ccxt.BaseError)), key=str))
def test_every_class_of_ccxt_has_a_meaning_of_its_own(kind: type[Exception]) -> None:
    """A class that a new ccxt brings is in no row, and this fails."""
    meaning = CLASSES[kind]
    assert (meaning.write == "rejected") == (meaning.refusal in REFUSALS)


def test_the_walk_sees_the_whole_hierarchy() -> None:
    assert len(CLASSES) == len(set(hierarchy(ccxt.BaseError))) >= 41


@pytest.mark.parametrize("venue", sorted(CODES))
def test_every_listed_code_says_something_known(venue: str) -> None:
    assert set(CODES[venue].values()) <= REFUSALS | {"not_done", "unknown", "fatal", "key", "account_mode"}
    assert venue in VENUES


@pytest.mark.parametrize(
    ("venue", "text", "code", "refusal"),
    [
        ("binanceusdm", '{"code":-2019,"msg":"Margin is insufficient."}', "-2019", "insufficient_balance"),
        ("bybit", '{"retCode":110011,"retMsg":"would liquidate"}', "110011", "beyond_removable"),
        ("okx", '{"code":"1","data":[{"sCode":"51008","sMsg":"x"}]}', "51008", "insufficient_balance"),
        ("gate", '{"label":"REMOVE_TOO_MUCH","message":"x"}', "REMOVE_TOO_MUCH", "beyond_removable"),
    ],
)
def test_a_venues_own_code_goes_before_ccxts_class(venue: str, text: str, code: str, refusal: str) -> None:
    raised = ccxt.ExchangeError(f"{venue} {text}")
    assert venue_code(raised) == code
    assert outcome_of_error(raised, venue, True)[:2] == ("rejected", refusal)


@pytest.mark.parametrize("code", [-1000, -1001, -1006, -1007, -1016])
def test_a_write_with_an_answer_of_unknown_state_is_of_unknown_fate(code: int) -> None:
    raised = ccxt.OperationFailed(f'binanceusdm {{"code":{code},"msg":"x"}}')
    assert outcome_of_error(raised, "binanceusdm", True).kind == "unknown"
    assert outcome_of_error(raised, "binanceusdm", False).kind == "transient"


@pytest.mark.parametrize("code", [-1003, -1008, -1015, -1021, -5028])
def test_what_the_venue_threw_away_unread_may_be_sent_again(code: int) -> None:
    raised = ccxt.OperationFailed(f'binanceusdm {{"code":{code},"msg":"x"}}')
    assert outcome_of_error(raised, "binanceusdm", True).kind == "transient"


def test_only_a_connection_that_never_opened_proves_that_nothing_was_sent() -> None:
    """ccxt raises ExchangeNotAvailable for a refused connection and for one cut after sending alike."""
    cut = ccxt.ExchangeNotAvailable("binanceusdm POST https://x")
    cut.__cause__ = aiohttp.ServerDisconnectedError()
    refused = ccxt.ExchangeNotAvailable("binanceusdm POST https://x")
    refused.__cause__ = aiohttp.ClientConnectorError(_KEY, OSError(111, "refused"))
    assert outcome_of_error(cut, "binanceusdm", True).kind == "unknown"
    assert outcome_of_error(refused, "binanceusdm", True).kind == "transient"


def test_a_parser_that_crashes_after_the_transfer_leaves_its_fate_open() -> None:
    """ccxt's add_margin on OKX moves the money and then raises TypeError."""
    assert outcome_of_error(TypeError("string indices"), "okx", True).kind == "unknown"


def test_an_unlisted_answer_is_no_refusal() -> None:
    raised = ccxt.ExchangeError('binanceusdm {"code":-4999,"msg":"new"}')
    assert outcome_of_error(raised, "binanceusdm", True).kind == "unknown"


@pytest.mark.parametrize(
    ("raised", "wanted"),
    [
        (ccxt.RequestTimeout("t"), OutcomeUnknown),
        (ccxt.RateLimitExceeded("r"), Transient),
        (ccxt.AuthenticationError("a"), Fatal),
        (ccxt.InsufficientFunds("i"), Rejected),
        (ccxt.OnMaintenance("m"), OutcomeUnknown),
    ],
)
def test_a_failed_write_raises_by_meaning(raised: Exception, wanted: type[Exception]) -> None:
    assert type(as_error(outcome_of_error(raised, "binanceusdm", True))) is wanted


def test_maintenance_makes_reads_unavailable() -> None:
    said = as_error(outcome_of_error(ccxt.OnMaintenance("m"), "binanceusdm", False))
    assert type(said) is Unavailable


def test_an_error_never_shows_the_signed_query() -> None:
    raised = ccxt.RequestTimeout("binanceusdm GET https://h/fapi/v1/order?signature=abc&timestamp=1")
    assert "signature" not in error_text(raised)
    assert "GET https://h/fapi/v1/order" in error_text(raised)


@pytest.mark.parametrize("code", [-2019, -2021, -2022, -2027, -4164])
async def test_error_tables_work_on_loopback_too(code: int) -> None:
    """ccxt picks Binance's table by URL prefix: on loopback these were bare ExchangeErrors."""
    connection, wire = wired()
    wire.answers["GET /fapi/v1/time"] = error(code)
    with pytest.raises(ccxt.BaseError) as raised:
        await connection.link.client.fetch_time()
    assert type(raised.value) is not ccxt.ExchangeError
    assert re.search(str(code), str(raised.value))
