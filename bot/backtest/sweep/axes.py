"""What a sweep varies: parameters of the strategy and of the policy, risk settings, within their bounds."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from bot.errors import UserError
from bot.plugins import did_you_mean, strategy_key
from bot.risk.limits import (
    ALLOCATION_BOUNDS,
    BRACKET_BOUNDS,
    CAP_BOUNDS,
    ENTRY_BOUNDS,
    MARGIN_BOUNDS,
)
from bot.risk.policies import POLICIES
from bot.settings import Settings
from bot.strategy import Strategy

Value = int | float

_SECTIONS: Final = {
    "entry": ENTRY_BOUNDS,
    "brackets": BRACKET_BOUNDS,
    "margin.limits": MARGIN_BOUNDS,
    "margin.allocation": ALLOCATION_BOUNDS,
    "margin.caps": CAP_BOUNDS,
}


class Declared(NamedTuple):
    """A number that may be varied: its key in the settings, its bounds, and whether it is whole."""

    key: str
    low: Value
    high: Value
    is_integer: bool


class Axis(NamedTuple):
    """One number that a sweep varies: `values` are the only ones, or it lies within `low` and `high`.

    `step` 0: any number between. `name` is as the user wrote it.
    """

    name: str
    key: str
    low: Value
    high: Value
    is_integer: bool
    step: float = 0.0
    values: tuple[Value, ...] = ()

    def size(self) -> int:
        """Return how many values a grid has on this axis. UserError: it has neither a step nor a list."""
        if self.values:
            return len(self.values)
        if not self.step:
            raise UserError(
                f"A grid needs the step of {self.name}: write --param "
                f"{self.name}={self.low:g}:{self.high:g}:STEP, or a list such as 5,10,20."
            )
        return math.floor((self.high - self.low) / self.step + 1e-9) + 1

    def grid(self) -> tuple[Value, ...]:
        """Return every value of an axis that has a step or a list. UserError: it has neither."""
        steps = range(self.size())
        return self.values or tuple(self.whole(self.low + number * self.step) for number in steps)

    def whole(self, value: float) -> Value:
        """Return the value in the axis's own type."""
        return round(value) if self.is_integer else float(value)


def declared_by(settings: Settings, strategy: Strategy) -> dict[str, Declared]:
    """Return everything that may be varied, by name.

    A parameter of the strategy or of the chosen policy goes by its bare name where only one has it, and by
    strategy.NAME and policy.NAME always; a risk setting by its key (entry.risk_fraction).
    """
    name, policy = strategy_key(settings.strategy.name), POLICIES[settings.margin.policy]
    ours = {
        each: Declared(f"strategy.params.{name}.{each}", parameter.low, parameter.high, parameter.is_integer)
        for each, parameter in strategy.parameters().items()
    }
    theirs = {
        each: Declared(
            f"margin.params.{policy.name}.{each}", bound.low, bound.high, _is_whole(policy.default, each)
        )
        for each, bound in policy.bounds.items()
    }
    known = {f"strategy.{each}": found for each, found in ours.items()}
    known |= {f"policy.{each}": found for each, found in theirs.items()}
    for section, bounds in _SECTIONS.items():
        present = _at(settings, section)
        for each, bound in bounds.items():
            key = f"{section}.{each}"
            known[key] = Declared(key, bound.low, bound.high, _is_whole(present, each))
    known |= {each: found for each, found in (ours | theirs).items() if (each in ours) != (each in theirs)}
    return known


def axes_of(texts: Sequence[str], settings: Settings, strategy: Strategy) -> tuple[Axis, ...]:
    """Return the axes of --param texts: NAME, NAME=LOW:HIGH, NAME=LOW:HIGH:STEP or NAME=A,B,C.

    A name alone takes its declared bounds. UserError: an unknown name, one that is there twice, a text that
    is none of these, or values out of bounds.
    """
    known = declared_by(settings, strategy)
    axes = tuple(_axis(text, known) for text in texts)
    keys = [axis.key for axis in axes]
    twice = next((axis.name for axis in axes if keys.count(axis.key) > 1), None)
    if twice is not None:
        raise UserError(f"--param names {twice} twice. Give each parameter once.")
    if not axes:
        raise UserError(
            "A sweep needs at least one --param, such as --param fast=5:50. What may be varied: "
            f"{', '.join(name for name in known if '.' not in name)}, and risk settings by their keys "
            "(ringfence show-config)."
        )
    return axes


def with_values(settings: Settings, axes: Sequence[Axis], values: Sequence[Value]) -> Settings:
    """Return the settings with each axis at its value. Nothing is checked: the axes lie within the bounds."""
    changes: dict[str, Any] = {}
    for axis, value in zip(axes, values, strict=True):
        *sections, name = axis.key.split(".")
        inner = changes
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[name] = value
    return _changed(settings, changes)


def _axis(text: str, known: Mapping[str, Declared]) -> Axis:
    name, has_range, given = text.partition("=")
    name = name.strip()
    if name not in known:
        raise UserError(f'There is no parameter "{name}" to vary: {did_you_mean(name, known)}')
    declared = known[name]
    if not has_range:
        return Axis(name, *declared)
    parts = given.split(",") if "," in given else given.split(":")
    try:
        numbers = [_number(part, declared.is_integer) for part in parts]
    except ValueError as error:
        raise UserError(
            f"--param {text}: {error}. Write {name}=LOW:HIGH, {name}=LOW:HIGH:STEP or a list {name}=A,B,C."
        ) from error
    if "," in given or len(numbers) == 1:
        axis = Axis(name, declared.key, min(numbers), max(numbers), declared.is_integer, 0.0, tuple(numbers))
    elif len(numbers) in (2, 3):
        axis = Axis(name, declared.key, numbers[0], numbers[1], declared.is_integer, sum(numbers[2:]))
    else:
        raise UserError(
            f"--param {text} has {len(numbers)} numbers. Write {name}=LOW:HIGH or {name}=LOW:HIGH:STEP."
        )
    _check(axis, declared)
    return axis


def _check(axis: Axis, declared: Declared) -> None:
    if axis.low > axis.high or axis.step < 0.0 or (axis.low < axis.high and axis.step > axis.high - axis.low):
        raise UserError(
            f"--param {axis.name} runs from {axis.low:g} to {axis.high:g} in steps of {axis.step:g}. The low "
            "end comes first, and a step fits between."
        )
    if axis.low < declared.low or axis.high > declared.high:
        raise UserError(
            f"--param {axis.name} runs from {axis.low:g} to {axis.high:g}, and may lie within "
            f"{declared.low:g} and {declared.high:g}. Choose a range within."
        )


def _number(text: str, is_integer: bool) -> Value:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text.strip()} is no number")
    if is_integer and value != int(value):
        raise ValueError(f"{text.strip()} is not whole")
    return int(value) if is_integer else value


def _is_whole(values: Any, name: str) -> bool:
    return isinstance(getattr(values, name), int)


def _at(settings: Any, key: str) -> Any:
    for part in key.split("."):
        settings = getattr(settings, part)
    return settings


def _changed(owner: Any, changes: Mapping[str, Any]) -> Any:
    """A copy of an owner with some of what it holds changed, at any depth."""
    is_mapping = isinstance(owner, Mapping)
    inner = {
        name: _changed(owner.get(name, {}) if is_mapping else getattr(owner, name), value)
        if isinstance(value, Mapping)
        else value
        for name, value in changes.items()
    }
    if is_mapping:
        return {**owner, **inner}
    return owner._replace(**inner) if hasattr(owner, "_replace") else owner.model_copy(update=inner)
