"""The router: what is told where and when. A pure function of rules, memory, what happened and the time.

Nothing that a route takes is lost: it is told, or counted in a summary. Its laws are those of
tests/property/alerts.
"""

from typing import Final, NamedTuple

from bot.alerts.rules import HOUR_MS, RouteRule, Rules
from bot.alerts.state import Held, RouterState, RouteState, Standing, Told, acknowledged
from bot.alerts.words import again_text, summary_text
from bot.core.alert import Alert, Delivery, Form, Grade, rank

_SEEN_KEPT: Final = 512
_STANDING_KEPT: Final = 500


class Raised(NamedTuple):
    """Something happened."""

    alert: Alert


class Over(NamedTuple):
    """What was raised under `key` has passed; title and body say so, an empty title tells nobody."""

    key: str
    title: str
    body: str


class Acknowledged(NamedTuple):
    """A person knows of what stands under this key; "" for all."""

    key: str


class Looked(NamedTuple):
    """Nothing happened but time."""


Happening = Raised | Over | Acknowledged | Looked
Answer = tuple[RouterState, tuple[Delivery, ...]]


def route(rules: Rules, state: RouterState, happening: Happening, now_ms: int) -> Answer:
    """Return what is remembered from now on, and the messages to send, in this order."""
    if isinstance(happening, Acknowledged):
        state = acknowledged(state, happening.key)
    desk = _Desk(rules, state, now_ms)
    desk.look()
    match happening:
        case Raised(alert):
            desk.hear(alert)
        case Over(key, title, body):
            desk.end(key, title, body)
        case Acknowledged() | Looked():
            pass
    return desk.answer()


class _Desk:
    """Working copies of one call: nothing that was given is changed."""

    def __init__(self, rules: Rules, state: RouterState, now_ms: int) -> None:
        self._rules, self._now_ms = rules, now_ms
        self._told, self._standing = dict(state.told), dict(state.standing)
        self._routes = {rule.name: state.routes.get(rule.name, RouteState()) for rule in rules.routes}
        self._seen = state.seen
        self._deliveries: list[Delivery] = []

    def answer(self) -> Answer:
        state = RouterState(self._told, self._standing, self._routes, self._seen)
        return state, tuple(self._deliveries)

    def look(self) -> None:
        """Do what only time makes due: repetitions to summaries, escalations, summaries that may go."""
        for name, each in self._routes.items():
            recent = tuple(sent for sent in each.sent_ms if self._now_ms - sent < HOUR_MS)
            self._routes[name] = each._replace(sent_ms=recent)
        for key, told in list(self._told.items()):
            if self._now_ms - told.told_ms >= self._rules.repeat_after_ms:
                del self._told[key]
                self._owe_repetitions(told)
        for key, standing in list(self._standing.items()):
            self._escalate(key, standing)
        for rule in self._rules.routes:
            self._summarise(rule)

    def hear(self, alert: Alert) -> None:
        if alert.alert_id in self._seen:
            return
        self._seen = (*self._seen, alert.alert_id)[-_SEEN_KEPT:]
        told = self._told.get(alert.key)
        if told is not None and rank(alert.grade) <= rank(told.grade):
            since_ms = told.again_since_ms or self._now_ms
            self._told[alert.key] = told._replace(again=told.again + 1, again_since_ms=since_ms)
            if alert.key not in self._standing:  # it was over, and is back
                self._stand(alert, ())
            return
        if told is not None:
            self._owe_repetitions(told)
        self._told[alert.key] = Told(self._now_ms, alert.grade, alert.kind, alert.title)
        self._stand(alert, tuple(rule.name for rule in self._rules.routes if self._tell(rule, alert)))

    def end(self, key: str, title: str, body: str) -> None:
        standing = self._standing.pop(key, None)
        if standing is None or not title:
            return
        alert = standing.alert._replace(title=title, body=body, grade="info")
        for rule in self._rules.routes:
            if rule.name in standing.routes:
                self._send_or_hold(rule, alert, "over", f"{alert.alert_id}-{rule.name}-over")

    def _stand(self, alert: Alert, routes: tuple[str, ...]) -> None:
        """Remember what is a warning or worse until it is over; the oldest that matter least go first."""
        if alert.grade == "info":
            return
        self._standing.pop(alert.key, None)
        self._standing[alert.key] = Standing(alert, self._now_ms, routes=routes)
        while len(self._standing) > _STANDING_KEPT:
            del self._standing[min(self._standing, key=lambda each: self._weight(self._standing[each]))]

    def _weight(self, standing: Standing) -> tuple[bool, int, int]:
        return not standing.is_acknowledged, rank(standing.alert.grade), standing.alert.ts_ms

    def _tell(self, rule: RouteRule, alert: Alert) -> bool:
        """Tell a route of a new alert, or hold it back; return whether the route takes it at all."""
        if rule.only_escalations or not rule.takes(alert):
            return False
        self._send_or_hold(rule, alert, "alert", f"{alert.alert_id}-{rule.name}")
        return True

    def _send_or_hold(self, rule: RouteRule, alert: Alert, form: Form, delivery_id: str) -> None:
        if rule.is_quiet(alert.grade, self._now_ms) or self._is_full(rule, alert.grade):
            self._owe(rule, alert.kind, alert.grade, alert.title, 1, self._now_ms)
        else:
            self._send(rule, alert, form, delivery_id, alert.title, alert.body)

    def _is_full(self, rule: RouteRule, grade: Grade) -> bool:
        return grade != "critical" and len(self._routes[rule.name].sent_ms) >= rule.most_per_hour

    def _send(
        self, rule: RouteRule, alert: Alert, form: Form, delivery_id: str, title: str, body: str
    ) -> None:
        self._deliver(Delivery(delivery_id, alert.alert_id, rule.name, form, alert.grade, title, body, 0))

    def _deliver(self, delivery: Delivery) -> None:
        self._deliveries.append(delivery._replace(created_ms=self._now_ms))
        if delivery.grade != "critical":
            known = self._routes[delivery.route]
            self._routes[delivery.route] = known._replace(sent_ms=(*known.sent_ms, self._now_ms))

    def _owe(self, rule: RouteRule, kind: str, grade: Grade, newest: str, count: int, since_ms: int) -> None:
        known = self._routes[rule.name]
        held = known.held or Held(since_ms, grade, {}, newest)
        counts = {**held.counts, kind: held.counts.get(kind, 0) + count}
        gravest = held.grade if rank(held.grade) >= rank(grade) else grade
        held = Held(min(held.since_ms, since_ms), gravest, counts, newest)
        self._routes[rule.name] = known._replace(held=held)

    def _owe_repetitions(self, told: Told) -> None:
        """What was raised again and not told is owed to every route that takes such alerts."""
        if told.again == 0:
            return
        alert = Alert("", "", 0, told.kind, "", "", 0, told.grade, told.title, "")  # type: ignore[arg-type]
        for rule in self._rules.routes:
            if not rule.only_escalations and rule.takes(alert):
                self._owe(rule, told.kind, told.grade, told.title, told.again, told.again_since_ms)

    def _escalate(self, key: str, standing: Standing) -> None:
        """Tell again what is critical and nobody has acknowledged, wherever it may be told now."""
        alert, rules = standing.alert, self._rules
        is_due = self._now_ms - standing.told_ms >= rules.escalate_after_ms
        is_open = alert.grade == "critical" and not standing.is_acknowledged
        if not (is_due and is_open and standing.times < rules.escalate_most):
            return
        ways = [
            rule for rule in rules.routes if rule.takes(alert) and not rule.is_quiet("critical", self._now_ms)
        ]
        if not ways:
            return
        times = standing.times + 1
        title, body = again_text(alert, times)
        for rule in ways:
            self._send(rule, alert, "escalation", f"{alert.alert_id}-{rule.name}-{times}", title, body)
        routes = tuple(dict.fromkeys((*standing.routes, *(rule.name for rule in ways))))
        self._standing[key] = standing._replace(told_ms=self._now_ms, times=times, routes=routes)

    def _summarise(self, rule: RouteRule) -> None:
        """Say how much was held back, as soon as the route may be told again."""
        known = self._routes[rule.name]
        held = known.held
        if held is None or rule.is_quiet(held.grade, self._now_ms) or self._is_full(rule, held.grade):
            return
        self._routes[rule.name] = known._replace(held=None)
        title, body = summary_text(held.counts, held.since_ms, self._now_ms, held.newest)
        delivery_id = f"summary-{rule.name}-{self._now_ms}"
        self._deliver(Delivery(delivery_id, "", rule.name, "summary", held.grade, title, body, 0))
