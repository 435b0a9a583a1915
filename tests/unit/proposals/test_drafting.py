"""What may be proposed: what a person may order, no more than the policy itself may, and not too often."""

import math
import os
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.ordering import risk_of
from bot.outlook import last_state
from bot.proposals.drafting import LEVELS, MOST_OPEN, Draft, propose
from bot.proposals.ground import OLDEST_MS, Ground, ground_of, seen
from bot.proposals.limits import judged
from bot.proposals.standing import LIFE_MS, standings
from bot.risk.by_hand import Wish
from bot.store.commands import CommandFiles
from bot.store.proposals import ProposalFiles
from bot.store.queries import run_config
from bot.store.reader import open_reader


def proposals_of(path: Path) -> list[Any]:
    return ProposalFiles(path).newest(1_000)


def test_a_proposal_waits_for_a_person_and_orders_nothing(running: Path, symbol: str, now_ms: int) -> None:
    made = propose(running, Draft("add", "assistant x", "near", symbol, 5.0), now_ms)
    assert made.seen is not None
    before, after = made.seen.preview.before, made.seen.preview.after
    assert before is not None
    assert after is not None
    assert after.isolated_wallet == pytest.approx(before.isolated_wallet + 5.0)
    assert made.proposal.words.startswith("Add 5.00 to the margin of ")
    (standing,) = standings(running, last_state(running), now_ms, 10)
    assert (standing.proposal, standing.state, standing.outcome) == (made.proposal, "open", "")
    assert standing.expires_ms == now_ms + LIFE_MS
    assert CommandFiles(running).waiting() == ()


def test_a_coin_names_its_open_position(running: Path, symbol: str, now_ms: int) -> None:
    coin = symbol.partition("/")[0].lower()
    made = propose(running, Draft("reduce", "x", "", coin, fraction=0.5), now_ms)
    assert made.proposal.symbol == symbol
    assert made.proposal.words.startswith("Close ")


def test_closing_may_be_proposed(running: Path, symbol: str, now_ms: int) -> None:
    made = propose(running, Draft("close", "x", "", symbol), now_ms)
    assert made.seen is not None
    assert made.seen.preview.after is None


@pytest.mark.parametrize(
    ("verb", "amount", "fraction", "said"),
    [
        ("add", 1e12, 0.0, "stays in reserve"),
        ("add", 0.0, 0.0, "must be a number above 0"),
        ("add", -5.0, 0.0, "must be a number above 0"),
        ("add", math.nan, 0.0, "must be finite"),
        ("add", math.inf, 0.0, "must be finite"),
        ("release", 1e12, 0.0, "can be released now"),
        ("release", -1.0, 0.0, "must be a number above 0"),
        ("reduce", 0.0, 0.0, "above 0 and below 1"),
        ("reduce", 0.0, 1.5, "above 0 and below 1"),
        ("reduce", 0.0, -0.5, "above 0 and below 1"),
        ("reduce", 0.0, math.nan, "must be finite"),
    ],
)
def test_what_is_outside_the_limits_is_refused_at_once(
    running: Path, symbol: str, now_ms: int, verb: Any, amount: float, fraction: float, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        propose(running, Draft(verb, "x", "", symbol, amount, fraction), now_ms)
    assert proposals_of(running) == []


@pytest.mark.parametrize("name", ["DOGE", "", "\x1b[2J", "BTC/USDT:USDT; DROP", "x" * 5_000])
def test_an_unknown_symbol_is_refused_with_those_that_are_open(
    running: Path, now_ms: int, name: str, symbol: str
) -> None:
    with pytest.raises(UserError, match="is no open position of this bot") as raised:
        propose(running, Draft("close", "x", "", name), now_ms)
    assert symbol in str(raised.value)
    assert len(str(raised.value)) < 500
    assert "\x1b" not in str(raised.value)


def test_the_policys_own_cap_binds_where_a_person_may_go_on(path: Path, symbol: str, now_ms: int) -> None:
    """The free balance beyond the reserve would allow it; the agreed loss of the position does not."""
    ground = ground_of(path, now_ms)
    room = ground.state.free_quote / 4.0
    assert judged(ground.state, ground.risk, symbol, Wish("add", 5.0), is_blind=False).refusal == ""
    found = judged(ground.state, ground.risk, symbol, Wish("add", room), is_blind=False)
    assert "more than the policy may add now" in found.refusal
    assert "A person may go beyond it" in found.refusal


def test_a_policy_that_releases_nothing_is_not_asked_to(path: Path, symbol: str, now_ms: int) -> None:
    """A person may release what the policy keeps; an assistant may not even propose it."""
    usual, strict = ground_of(path, now_ms), bound_by(path, now_ms, allow_release=False)
    for ground in (usual, strict):
        holding = ground.state.markets[symbol].holding
        assert holding is not None
        wallet = holding.position.isolated_wallet
        holding.position = holding.position._replace(isolated_wallet=wallet + 200.0)
    assert seen(usual, symbol, Wish("release", 10.0)).preview.refusal == ""
    with pytest.raises(UserError, match=r"The policy releases no margin \(margin\.limits\.allow_release\)"):
        seen(strict, symbol, Wish("release", 10.0))


def test_a_policy_that_has_added_as_often_as_it_may_is_not_asked_to(
    path: Path, symbol: str, now_ms: int
) -> None:
    with pytest.raises(UserError, match=r"The policy may add 0 times.*margin\.limits\.max_adds"):
        seen(bound_by(path, now_ms, max_adds=0), symbol, Wish("add", 5.0))


def bound_by(path: Path, now_ms: int, **limits: Any) -> Ground:
    """Return the ground of now with other limits of the policy."""
    with open_reader(path) as reader:
        config = run_config(reader)
    config["margin"]["limits"] |= limits
    return ground_of(path, now_ms)._replace(risk=risk_of(config))


def test_without_a_bot_nothing_about_a_position_is_proposed(path: Path, symbol: str, now_ms: int) -> None:
    with pytest.raises(UserError, match=r"No bot is running.*Start it"):
        propose(path, Draft("close", "x", "", symbol), now_ms)


def test_stale_figures_are_no_ground(running: Path, symbol: str, now_ms: int) -> None:
    for file in running.parent.glob("paper.db*"):
        os.utime(file, (now_ms / 1_000 - 40, now_ms / 1_000 - 40))
    with pytest.raises(UserError, match="they are stale"):
        seen(ground_of(running, now_ms), symbol, Wish("close"))
    assert OLDEST_MS < 40_000


def test_a_stale_mark_is_no_ground(running: Path, symbol: str, now_ms: int) -> None:
    ground = ground_of(running, now_ms)
    ground.state.markets[symbol].mark_ms -= ground.max_mark_age_ms + 1
    with pytest.raises(UserError, match="is stale"):
        seen(ground, symbol, Wish("close"))


@pytest.mark.parametrize("level", LEVELS)
def test_a_halt_may_be_proposed_without_a_bot(path: Path, now_ms: int, level: str) -> None:
    made = propose(path, Draft("halt", "x", "it rains", level=level), now_ms)
    assert made.seen is None
    assert made.proposal.words.startswith(f"Halt ({level}")


@pytest.mark.parametrize("level", ["FLATTEN", "DISCONNECTED", "", "resume", "\x1b[1m"])
def test_no_other_level_may_be_proposed(path: Path, now_ms: int, level: str) -> None:
    with pytest.raises(UserError, match="cannot be proposed as a level"):
        propose(path, Draft("halt", "x", "", level=level), now_ms)


def test_a_missing_database_is_told(tmp_path: Path, now_ms: int) -> None:
    with pytest.raises(UserError, match=r"none\.db"):
        propose(tmp_path / "none.db", Draft("halt", "x", level="NO_ENTRY"), now_ms)


def test_nobody_is_worn_out_by_proposals(path: Path, now_ms: int) -> None:
    draft = Draft("halt", "x", level="NO_ENTRY")
    for k in range(MOST_OPEN):
        propose(path, draft, now_ms + k)
    with pytest.raises(UserError, match="a person can weigh no more"):
        propose(path, draft, now_ms + MOST_OPEN)
    propose(path, draft, now_ms + LIFE_MS + MOST_OPEN)


def test_texts_of_whoever_proposes_are_plain_and_short(path: Path, now_ms: int) -> None:
    reason = "[bold]<script>alert(1)</script>\x1b[31m\n\u202eignore all rules " + "x" * 1_000
    made = propose(path, Draft("halt", "a\x00b\n" + "c" * 500, reason, level="NO_ENTRY"), now_ms).proposal
    assert made.reason.startswith("[bold]<script>alert(1)</script> [31m ignore all rules xxx")
    assert (len(made.reason), len(made.proposed_by)) == (300, 60)
    assert made.proposed_by.startswith("a b ccc")
    assert propose(path, Draft("halt", "\n", level="NO_ENTRY"), now_ms).proposal.proposed_by == "an assistant"
