"""Laws of the router over any story: what is told, what waits, and that nothing is lost."""

from collections import Counter
from typing import NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.alerts.router import Acknowledged, Happening, Looked, Over, Raised, route
from bot.alerts.rules import HOUR_MS, Quiet, RouteRule, Rules
from bot.alerts.state import NOTHING, RouterState, from_json, to_json
from bot.core.alert import GRADES, Alert, Delivery

START_MS = 1_763_884_800_000
KEYS = ("stop_missing 1", "stale 1", "moved 1", "moved 2")
KINDS = {"stop_missing 1": "stop", "stale 1": "feed", "moved 1": "margin_moved", "moved 2": "margin_moved"}


class Step(NamedTuple):
    wait_ms: int
    happening: Happening


class Told(NamedTuple):
    step: int
    now_ms: int
    delivery: Delivery


def alert_of(number: int, key: str, grade: str) -> Alert:
    kind = KINDS[key]
    return Alert(f"a{number}", key, START_MS, kind, kind, "BTC", 1, grade, f"title {number}", "body")  # type: ignore[arg-type]


@st.composite
def stories(draw: st.DrawFn) -> list[Step]:
    waits = st.integers(0, 3 * HOUR_MS) | st.integers(0, 120_000)
    steps = []
    for number in range(draw(st.integers(1, 25))):
        key = draw(st.sampled_from(KEYS))
        which = draw(st.sampled_from(("raise", "raise", "raise", "over", "acknowledge", "look")))
        happening: Happening = {
            "raise": Raised(alert_of(number, key, draw(st.sampled_from(GRADES)))),
            "over": Over(key, "over", "it is over"),
            "acknowledge": Acknowledged(draw(st.sampled_from((key, "")))),
            "look": Looked(),
        }[which]
        steps.append(Step(draw(waits), happening))
    return steps


@st.composite
def routes(draw: st.DrawFn, name: str) -> RouteRule:
    minutes = st.integers(0, 1439)
    return RouteRule(
        name,
        draw(st.sampled_from(GRADES)),
        draw(st.sampled_from(((), ("margin_moved",)))),
        draw(st.sampled_from(((), ("stop", "margin_moved")))),
        Quiet(draw(minutes), draw(minutes)),
        draw(st.booleans()),
        draw(st.integers(1, 4)),
        draw(st.booleans()),
    )


@st.composite
def rule_sets(draw: st.DrawFn) -> Rules:
    return Rules(
        (draw(routes("phone")), draw(routes("mail"))),
        draw(st.integers(1, 2 * HOUR_MS)),
        draw(st.integers(60_000, HOUR_MS)),
        draw(st.integers(0, 3)),
    )


def play(rules: Rules, story: list[Step], state: RouterState = NOTHING) -> tuple[RouterState, list[Told]]:
    told, now_ms = [], START_MS
    for number, (wait_ms, happening) in enumerate(story):
        now_ms += wait_ms
        state, deliveries = route(rules, state, happening, now_ms)
        told += [Told(number, now_ms, each) for each in deliveries]
    return state, told


def raised(story: list[Step]) -> dict[str, tuple[int, Alert]]:
    now_ms, found = START_MS, {}
    for wait_ms, happening in story:
        now_ms += wait_ms
        if isinstance(happening, Raised):
            found[happening.alert.alert_id] = (now_ms, happening.alert)
    return found


@given(rule_sets(), stories())
def test_quiet_hours_never_keep_a_critical_alert_back_unless_told_to(rules: Rules, story: list[Step]) -> None:
    """The first of its key within the window is told at once on every route that takes it."""
    _, told = play(rules, story)
    sent = {(each.delivery.alert_id, each.delivery.route) for each in told if each.delivery.form == "alert"}
    last: dict[str, int] = {}
    for alert_id, (now_ms, alert) in raised(story).items():
        if alert.grade != "critical" or now_ms - last.get(alert.key, -HOUR_MS * 99) < rules.repeat_after_ms:
            continue
        last[alert.key] = now_ms
        for rule in rules.routes:
            is_heard = rule.takes(alert) and not rule.only_escalations and not rule.does_quiet_critical
            assert not is_heard or (alert_id, rule.name) in sent


@given(rule_sets(), stories())
def test_nothing_but_what_a_quiet_hour_lets_through_is_told_in_one(rules: Rules, story: list[Step]) -> None:
    rule_of = {rule.name: rule for rule in rules.routes}
    for each in play(rules, story)[1]:
        rule, delivery = rule_of[each.delivery.route], each.delivery
        if rule.quiet.holds(each.now_ms):
            assert delivery.grade == "critical"
            assert not rule.does_quiet_critical


@given(rule_sets(), stories())
def test_no_two_of_the_same_are_told_within_the_window(rules: Rules, story: list[Step]) -> None:
    last: dict[tuple[str, str, str], int] = {}
    known = raised(story)
    for each in play(rules, story)[1]:
        if each.delivery.form == "alert":
            alert = known[each.delivery.alert_id][1]
            same = (alert.key, alert.grade, each.delivery.route)
            assert each.now_ms - last.get(same, -HOUR_MS * 99) >= rules.repeat_after_ms
            last[same] = each.now_ms


@given(rule_sets(), stories())
def test_an_acknowledged_alert_is_told_again_no_more(rules: Rules, story: list[Step]) -> None:
    """Until another one is raised under its key."""
    _, told = play(rules, story)
    known = raised(story)
    acknowledged: dict[str, int] = {}
    for number, (_, happening) in enumerate(story):
        if isinstance(happening, Acknowledged):
            for key in KEYS if happening.key == "" else (happening.key,):
                acknowledged.setdefault(key, number)
        if isinstance(happening, Raised):
            acknowledged.pop(happening.alert.key, None)
        for each in told:
            if each.step == number and each.delivery.form == "escalation":
                key = known[each.delivery.alert_id][1].key
                assert acknowledged.get(key, number) >= number


@given(rule_sets(), stories())
def test_escalations_are_critical_spaced_and_counted(rules: Rules, story: list[Step]) -> None:
    times: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], int] = {}
    for each in play(rules, story)[1]:
        place = (each.delivery.alert_id, each.delivery.route)
        if each.delivery.form == "escalation":
            times[place] += 1
            assert each.delivery.grade == "critical"
            assert each.now_ms - last.get(place, 0) >= rules.escalate_after_ms
        if each.delivery.form in ("alert", "escalation"):
            last[place] = each.now_ms
    assert all(count <= rules.escalate_most for count in times.values())


@given(rule_sets(), stories())
def test_no_route_gets_more_in_an_hour_than_it_may_beside_what_is_critical(
    rules: Rules, story: list[Step]
) -> None:
    told = play(rules, story)[1]
    for rule in rules.routes:
        usual = [
            each.now_ms
            for each in told
            if each.delivery.route == rule.name and each.delivery.grade != "critical"
        ]
        for begin in usual:
            assert sum(begin <= ms < begin + HOUR_MS for ms in usual) <= rule.most_per_hour


@given(rule_sets(), stories())
def test_whatever_a_route_takes_is_told_or_counted(rules: Rules, story: list[Step]) -> None:
    """Every alert is a message, or one of those that a summary counts or will count."""
    state, told = play(rules, story)
    for rule in rules.routes:
        if rule.only_escalations:
            continue
        mine = [each.delivery for each in told if each.delivery.route == rule.name]
        taken = sum(rule.takes(alert) for _, alert in raised(story).values())
        one_by_one = sum(each.form == "alert" for each in mine)
        counted = sum(int(each.title.partition(" ")[0]) for each in mine if each.form == "summary")
        held = state.routes[rule.name].held
        waiting = sum(held.counts.values()) if held is not None else 0
        again = sum(each.again for each in state.told.values())
        assert one_by_one + counted + waiting + again >= taken


@given(rule_sets(), stories(), st.data())
def test_a_restart_anywhere_changes_nothing(rules: Rules, story: list[Step], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(story)))
    whole = play(rules, story)
    state, before = play(rules, story[:cut])
    again = from_json(to_json(state))
    assert again == state
    later = (
        [Step(sum(step.wait_ms for step in story[: cut + 1]), story[cut].happening)]
        if cut < len(story)
        else []
    )
    end, after = play(rules, [*later, *story[cut + 1 :]], again)
    assert end == whole[0]
    assert [each.delivery for each in (*before, *after)] == [each.delivery for each in whole[1]]


@given(rule_sets(), stories())
def test_the_same_happening_is_told_once_however_often_it_is_read(rules: Rules, story: list[Step]) -> None:
    """After a kill the journal is read again from the last place that was written down."""
    state, told = play(rules, story)
    assume(told)
    now_ms = START_MS + sum(step.wait_ms for step in story)
    for step in story:
        if isinstance(step.happening, Raised):
            state, deliveries = route(rules, state, step.happening, now_ms)
            assert [each for each in deliveries if each.form == "alert"] == []


@settings(max_examples=50)
@given(rule_sets(), stories())
def test_no_two_messages_share_an_id(rules: Rules, story: list[Step]) -> None:
    """Or the second would be taken for one that was sent. Looks are at least a millisecond apart."""
    apart = [Step(step.wait_ms + 1, step.happening) for step in story]
    ids = [each.delivery.delivery_id for each in play(rules, apart)[1]]
    assert len(ids) == len(set(ids))


@given(rule_sets(), stories())
def test_what_is_given_is_not_changed(rules: Rules, story: list[Step]) -> None:
    state, _ = play(rules, story)
    kept = to_json(state)
    route(rules, state, Raised(alert_of(99, KEYS[0], "critical")), START_MS + 10**9)
    assert to_json(state) == kept
