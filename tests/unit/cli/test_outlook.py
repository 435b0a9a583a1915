"""Open positions as of a database's last commit."""

import pytest

from bot.errors import UserError
from bot.outlook import outlook
from bot.risk.manager import RiskManager
from bot.settings import Flag, load
from bot.store.database import open_journal
from tests.unit.store.story import BINDING, DEPOSIT, RUN


def test_a_row_for_each_open_position_the_nearest_to_liquidation_first(paper_session):
    rows = outlook(paper_session.path, paper_session.settings)
    assert {row["symbol"] for row in rows} == {held.symbol for held in paper_session.state.positions()}
    assert [row["distance"] for row in rows] == sorted(row["distance"] for row in rows)


def test_the_plan_is_what_the_running_bot_would_decide(paper_session):
    settings, state = paper_session.settings, paper_session.state
    risk = RiskManager(
        settings.margin.policy,
        settings.margin.policy_params,
        settings.margin.limits,
        settings.entry,
        settings.brackets,
    )
    for row in outlook(paper_session.path, settings):
        market = state.markets[row["symbol"]]
        view = state.view(market, market.holding)._replace(mark_age_ms=0)
        decision = risk.decide_margin(view, state.book(market, market.holding))
        assert (row["action"], row["amount_quote"], row["reason"]) == (
            decision.action,
            decision.amount_quote,
            decision.reason,
        )


def test_another_policy_may_plan_otherwise_on_the_same_positions(paper_session):
    static = load(None, (Flag("margin.policy", "--policy", "static"),))
    mine = outlook(paper_session.path, paper_session.settings)
    other = outlook(paper_session.path, static)
    assert [row["distance"] for row in other] == [row["distance"] for row in mine]
    assert all(row["action"] == "hold" for row in other)


def test_a_database_without_a_checkpoint_holds_no_position(tmp_path):
    journal = open_journal(tmp_path / "new.db", BINDING)
    journal.start_run(RUN)
    journal.set_deposit(DEPOSIT)
    journal.close()
    assert outlook(tmp_path / "new.db", load()) == []


def test_a_database_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.db"):
        outlook(tmp_path / "nowhere.db", load())
