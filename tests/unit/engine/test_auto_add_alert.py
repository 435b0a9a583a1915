"""The venue's own auto-add-margin is on: a person is told once, until it is off."""

from bot.core.event import AlertRaised, AutoAddSwitched
from tests.unit.engine.desk_builder import A, Bench


def switch(bench: Bench, is_on: bool) -> None:
    bench.hear(AutoAddSwitched(bench.ts_ms, A, is_on))


def test_it_is_told_once_with_what_it_may_do_and_where_to_switch_it_off() -> None:
    bench = Bench()
    bench.enter()
    switch(bench, is_on=True)
    switch(bench, is_on=True)
    (alert,) = bench.told(AlertRaised)
    assert alert.cause == "auto_add_margin"
    agreed = f"{bench.holding().agreed_loss_quote:.2f}"
    for words in (agreed, "the stop at 98 stays", "Switch it off at the exchange"):
        assert words in alert.message


def test_after_it_was_off_it_is_news_again() -> None:
    bench = Bench()
    switch(bench, is_on=True)
    switch(bench, is_on=False)
    assert bench.market().alerts == {}
    switch(bench, is_on=True)
    assert [alert.position_id for alert in bench.told(AlertRaised)] == [0, 0]
