"""Every listed code of a venue means what its documents say, through ccxt's own reading of the reply.

Written out from the documents, not from the code: outcome of a write, then of a read where it differs.
"""

import json
from typing import Any

import ccxt
import pytest

from bot.clock import VirtualClock
from bot.errors import Fatal, OutcomeUnknown, Rejected, RingfenceError, Transient, Unavailable
from bot.exchange.codes import CODES
from bot.exchange.connect import link_to, venue_of
from bot.exchange.hosts import Access
from bot.exchange.outcomes import as_error, outcome_of_error
from tests.unit.exchange.recorder import CANARY, START_MS

LOOPBACK = Access("loopback", "http://127.0.0.1:1")

# Venue, what a write's answer of these codes is, codes.
WRITES: tuple[tuple[str, type[RingfenceError], str, str], ...] = (
    # Set already: the callers that set a mode or a leverage take it for success.
    ("binanceusdm", Rejected, "margin_mode_refused", "-4046"),
    ("binanceusdm", Rejected, "margin_mode_refused", "-4047 -4048 -4049 -4053 -4168"),
    ("binanceusdm", Rejected, "margin_mode_refused", "-4052 -4059 -4061 -4067 -4068"),
    ("binanceusdm", Rejected, "below_minimum", "-4055 -4164"),
    ("binanceusdm", Rejected, "insufficient_balance", "-2018 -2019 -4050"),
    ("binanceusdm", Rejected, "beyond_removable", "-4051"),
    ("binanceusdm", Rejected, "no_position", "-2024 -4054"),
    ("binanceusdm", Rejected, "would_trigger_immediately", "-2021 -4142"),
    ("binanceusdm", Rejected, "reduce_only", "-2022 -2026 -4118"),
    ("binanceusdm", Rejected, "in_liquidation", "-2023"),
    ("binanceusdm", Rejected, "position_limit", "-2025 -2027"),
    ("binanceusdm", Rejected, "leverage_refused", "-2028 -4161"),
    ("binanceusdm", Rejected, "duplicate_client_id", "-4116 -20132"),
    ("binanceusdm", Rejected, "unknown_order", "-2011 -2013 -4117 -20124"),
    ("binanceusdm", Rejected, "precision", "-4003 -1111 -20130"),
    ("binanceusdm", Rejected, "unavailable", "-4120"),
    ("binanceusdm", Transient, "", "-1003 -1008 -1021"),
    ("binanceusdm", OutcomeUnknown, "", "-1000 -1001 -1006 -1007"),
    ("binanceusdm", Fatal, "", "-2015"),
    ("bybit", Rejected, "insufficient_balance", "110004 110006 110007 110012 110014 110044 110045"),
    ("bybit", Rejected, "leverage_refused", "110013 110043"),
    ("bybit", Rejected, "margin_mode_refused", "110015 110025 110026 110027"),
    ("bybit", Rejected, "beyond_removable", "110011"),
    ("bybit", Rejected, "reduce_only", "110017"),
    ("bybit", Rejected, "unknown_order", "110001"),
    ("bybit", Rejected, "duplicate_client_id", "110072"),
    ("bybit", Rejected, "would_trigger_immediately", "110092 110093"),
    ("bybit", Rejected, "below_minimum", "110094"),
    ("bybit", Transient, "", "10002 10006"),
    ("okx", Rejected, "insufficient_balance", "51008 51127 51131 59103 59108 59200"),
    ("okx", Rejected, "margin_mode_refused", "59000 59100 59101 59104 59109"),
    ("okx", Rejected, "leverage_refused", "59102 59105 59106 59107"),
    ("okx", Rejected, "no_position", "59216 59300"),
    ("okx", Rejected, "beyond_removable", "59301"),
    ("okx", Rejected, "would_trigger_immediately", "51277 51278 51279 51280"),
    ("okx", Rejected, "unknown_order", "51400 51401 51603"),
    ("okx", Rejected, "precision", "51000"),
    ("okx", Transient, "", "50011 50102"),
    ("bitget", Rejected, "insufficient_balance", "40711 40712 40762 43012"),
    ("bitget", Rejected, "beyond_removable", "40713"),
    ("bitget", Rejected, "no_position", "22002 40709"),
    ("bitget", Rejected, "duplicate_client_id", "40786"),
    ("bitget", Rejected, "unknown_order", "40109 40768 43001 43025"),
    ("bitget", Rejected, "precision", "40208 40808 41103"),
    ("bitget", Rejected, "position_limit", "45113"),
    ("bitget", Rejected, "below_minimum", "45110"),
    ("bitget", Rejected, "would_trigger_immediately", "40917 45122"),
    ("gate", Rejected, "insufficient_balance", "INSUFFICIENT_AVAILABLE MARGIN_BALANCE_NOT_ENOUGH"),
    ("gate", Rejected, "beyond_removable", "REMOVE_TOO_MUCH"),
    ("gate", Rejected, "margin_mode_refused", "POSITION_CROSS_MARGIN"),
    ("gate", Rejected, "in_liquidation", "POSITION_IN_LIQUIDATION"),
    ("gate", Rejected, "no_position", "POSITION_EMPTY"),
    ("gate", Rejected, "would_trigger_immediately", "LIQUIDATE_IMMEDIATELY"),
    ("gate", Rejected, "leverage_refused", "LEVERAGE_TOO_HIGH"),
    ("kucoinfutures", Rejected, "insufficient_balance", "300003 330008"),
    ("kucoinfutures", Rejected, "no_position", "300009"),
    ("kucoinfutures", Rejected, "unknown_order", "100001 100004"),
    ("kucoinfutures", Rejected, "precision", "300011 300012"),
    ("kucoinfutures", Rejected, "margin_mode_refused", "330005 330012"),
    ("kucoinfutures", Rejected, "in_liquidation", "300014"),
    ("kucoinfutures", Rejected, "duplicate_client_id", "300018"),
    ("kucoinfutures", Rejected, "unknown_symbol", "100003 200003"),
    ("kucoinfutures", Rejected, "leverage_refused", "300016"),
    ("kucoinfutures", Rejected, "position_limit", "300001 300004 300005"),
    ("kucoinfutures", Transient, "", "300015 400002 429000"),
    ("kucoinfutures", Fatal, "", "400001 400003 400004 400005 400006 400007 411100"),
)
LISTED = [(venue, kind, refusal, code) for venue, kind, refusal, codes in WRITES for code in codes.split()]

# The form of a refusal, and its HTTP status: Bybit and OKX answer 200 to everything.
REPLIES: dict[str, tuple[int, Any]] = {
    "binanceusdm": (400, lambda code: {"code": int(code), "msg": "said no"}),
    "bybit": (200, lambda code: {"retCode": int(code), "retMsg": "said no", "result": {}}),
    "okx": (200, lambda code: {"code": "1", "msg": "", "data": [{"sCode": code, "sMsg": "said no"}]}),
    "bitget": (400, lambda code: {"code": code, "msg": "said no", "data": None}),
    "gate": (400, lambda code: {"label": code, "message": "said no"}),
    "kucoinfutures": (200, lambda code: {"code": code, "msg": "said no"}),
}


def refusal_of(venue: str, code: str) -> Exception:
    """Return what the venue's ccxt client raises when this code comes back."""
    client = link_to(venue_of(venue), LOOPBACK, CANARY, VirtualClock(START_MS))[0].client
    status, body = REPLIES[venue]
    text = json.dumps(body(code))
    url, reply = "http://127.0.0.1:1/x", json.loads(text)
    with pytest.raises(ccxt.BaseError) as raised:
        client.handle_errors(status, "", url, "POST", {}, text, reply, {}, "")
    return raised.value


@pytest.mark.parametrize(("venue", "kind", "refusal", "code"), LISTED)
def test_a_listed_code_means_for_a_write_what_the_documents_say(
    venue: str, kind: type[RingfenceError], refusal: str, code: str
) -> None:
    outcome = outcome_of_error(refusal_of(venue, code), venue, is_write=True)
    assert (type(as_error(outcome)), outcome.code) == (kind, refusal)


@pytest.mark.parametrize(("venue", "kind", "refusal", "code"), LISTED)
def test_a_listed_code_means_for_a_read_that_nothing_was_changed(
    venue: str, kind: type[RingfenceError], refusal: str, code: str
) -> None:
    """No read is of unknown outcome, and few refusals answer one: it is asked again."""
    outcome = outcome_of_error(refusal_of(venue, code), venue, is_write=False)
    wanted = Transient if kind is OutcomeUnknown else kind
    if kind is Rejected and refusal not in ("unknown_order", "unknown_symbol", "no_position"):
        wanted, refusal = Unavailable, ""
    assert (type(as_error(outcome)), outcome.code) == (wanted, refusal)


def test_no_listed_code_is_left_to_ccxts_class() -> None:
    """ccxt has several of them as a bare ExchangeError, which would be an unknown outcome."""
    assert [(venue, code) for venue, _, _, code in LISTED if code not in CODES[venue]] == []
    assert len(LISTED) == len({(venue, code) for venue, _, _, code in LISTED}) == 151


@pytest.mark.parametrize("status", [418, 429])
def test_a_rate_refused_by_status_alone_was_thrown_away_unread(status: int) -> None:
    client = link_to(venue_of("binanceusdm"), LOOPBACK, CANARY, VirtualClock(START_MS))[0].client
    with pytest.raises(ccxt.DDoSProtection) as raised:
        client.handle_errors(status, "", "http://127.0.0.1:1/x", "POST", {}, "slow down", {}, {}, "")
    outcome = outcome_of_error(raised.value, "binanceusdm", is_write=True)
    assert type(as_error(outcome)) is Transient
