"""What the router remembers: plain values that a restart gives back exactly."""

from typing import Any, Final, NamedTuple

from bot.core.alert import Alert, Grade


class Told(NamedTuple):
    """That a key was told at `told_ms` with `grade`; `again`: how often it was raised since and not told."""

    told_ms: int
    grade: Grade
    kind: str
    title: str
    again: int = 0
    again_since_ms: int = 0


class Standing(NamedTuple):
    """A warning or worse that is not over. `told_ms`: when it was raised, or told again the last time.

    `times`: how often it was told again. `routes`: where it was told.
    """

    alert: Alert
    told_ms: int
    times: int = 0
    is_acknowledged: bool = False
    routes: tuple[str, ...] = ()


class Held(NamedTuple):
    """What one route was not told yet: how many of each kind, since when, the gravest and the newest."""

    since_ms: int
    grade: Grade
    counts: dict[str, int]
    newest: str


class RouteState(NamedTuple):
    """One route: when the messages of the last hour that were not critical went out, and what it is owed."""

    sent_ms: tuple[int, ...] = ()
    held: Held | None = None


class RouterState(NamedTuple):
    """Everything that the next answer of the router depends on. `seen`: ids of the newest alerts."""

    told: dict[str, Told]
    standing: dict[str, Standing]
    routes: dict[str, RouteState]
    seen: tuple[str, ...] = ()


NOTHING: Final = RouterState({}, {}, {})


def acknowledged(state: RouterState, key: str) -> RouterState:
    """Return the state after a person said to know of what stands under `key`; "" for all."""
    standing = {
        each: known._replace(is_acknowledged=known.is_acknowledged or key in ("", each))
        for each, known in state.standing.items()
    }
    return state._replace(standing=standing)


def to_json(state: RouterState) -> dict[str, Any]:
    """Return the state as plain JSON values."""
    return {
        "told": {key: list(told) for key, told in state.told.items()},
        "standing": {key: [list(each.alert), *each[1:]] for key, each in state.standing.items()},
        "routes": {name: _route_json(each) for name, each in state.routes.items()},
        "seen": list(state.seen),
    }


def from_json(saved: dict[str, Any]) -> RouterState:
    """Return the state that `to_json` was given."""
    return RouterState(
        {key: Told(*told) for key, told in saved["told"].items()},
        {key: _standing(*each) for key, each in saved["standing"].items()},
        {name: _route(*each) for name, each in saved["routes"].items()},
        tuple(saved["seen"]),
    )


def _route_json(route: RouteState) -> list[Any]:
    return [list(route.sent_ms), None if route.held is None else list(route.held)]


def _standing(alert: list[Any], told_ms: int, times: int, is_acknowledged: bool, routes: Any) -> Standing:
    return Standing(Alert(*alert), told_ms, times, is_acknowledged, tuple(routes))


def _route(sent_ms: list[int], held: list[Any] | None) -> RouteState:
    return RouteState(tuple(sent_ms), None if held is None else Held(*held))
