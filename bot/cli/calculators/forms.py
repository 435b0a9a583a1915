"""The calculators as forms: their fields are the flags of `ringfence calc`, their answers its JSON."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import typer
from typer.exceptions import TyperException

from bot.cli.calculators.given import duration_ms
from bot.cli.output import answers_kept
from bot.errors import UserError
from bot.view.forms import Field, Form

# Files, folders and databases of this machine are for its command line; JSON is the answer anyhow.
_LEFT_OUT: Final = frozenset(
    {"file", "db", "live", "config", "as_json", "path", "data", "timerange", "relative"}
)
_AS_JSON: Final = "--json"
_LONGEST_WALK_MS: Final = 3 * 86_400_000
_LONGEST: Final = 200


class CalculatorForms:
    """Every verb of `ringfence calc`. An answer takes milliseconds to a second: ask it in a thread."""

    def forms(self) -> tuple[Form, ...]:
        """Return every calculator with its fields."""
        return tuple(
            Form(name, _words(command.help), tuple(_field(each) for each in _fields(command)))
            for name, command in self._commands.items()
        )

    def answer(self, name: str, given: Mapping[str, Any]) -> Any:
        """Return what the calculator says. KeyError: there is none of this name. UserError: bad input."""
        command = self._commands[name]
        known = {each.name: each for each in _fields(command)}
        unknown = [key for key in given if key not in known]
        if unknown:
            raise UserError(f"{name} has no field {unknown[0][:40]}. It has {', '.join(known)}.")
        _check_length(given.get("over"))
        words = [text for key, each in known.items() for text in _typed(each, given.get(key))]
        with answers_kept() as answers:
            _run(command, [*words, _AS_JSON], name)
        return answers[-1] if answers else None

    @cached_property
    def _commands(self) -> dict[str, Any]:
        from bot.cli.calculator import app

        group: Any = typer.main.get_command(app)
        return group.commands


def _check_length(over: Any) -> None:
    """A bot that trades has a second for an answer: its loop shares the interpreter with it."""
    if isinstance(over, str) and over and duration_ms("--over", over) > _LONGEST_WALK_MS:
        raise UserError(f"--over is {over[:20]}; here at most 3d. `ringfence calc whatif` walks further.")


def _run(command: Any, words: list[str], name: str) -> None:
    try:
        command.main(args=words, prog_name=name, standalone_mode=False)
    except TyperException as error:
        raise UserError(f"{name}: {error.format_message()}") from error
    except typer.Exit as error:
        raise UserError(f"{name} has no answer to this.") from error


def _fields(command: Any) -> list[Any]:
    return [each for each in command.params if each.name not in _LEFT_OUT]


def _field(parameter: Any) -> Field:
    metavar = parameter.metavar or ("" if _is(parameter, "is_flag") else "TEXT")
    return Field(
        name=parameter.name,
        kind="switch" if _is(parameter, "is_flag") else "list" if _is(parameter, "multiple") else "text",
        metavar=metavar,
        choices=tuple(metavar.split("|")) if "|" in metavar else (),
        is_required=bool(parameter.required),
        meaning=_words(parameter.help),
    )


def _typed(parameter: Any, value: Any) -> Sequence[str]:
    """Return the words of a command line that give a parameter this value; none for no value."""
    if value is None or value == "" or value is False or value == []:
        return ()
    values = value if isinstance(value, list) else [value]
    if any(not isinstance(each, str | int | float) for each in values) or len(values) > 10:
        raise UserError(f"{parameter.name} takes a text or a number, or a few of them.")
    texts = [_text(parameter, each) for each in values]
    if _is(parameter, "is_flag"):
        if value is not True:
            raise UserError(f"{parameter.name} is true or false.")
        return (parameter.opts[0],)
    if not parameter.opts[0].startswith("-"):  # an argument
        return ["--", *texts] if texts[0].startswith("-") else texts
    if len(texts) > 1 and not _is(parameter, "multiple"):
        raise UserError(f"{parameter.name} takes one value.")
    return [f"{parameter.opts[0]}={text}" for text in texts]


def _text(parameter: Any, value: Any) -> str:
    text = str(value)
    if len(text) > _LONGEST:
        raise UserError(f"{parameter.name} is longer than {_LONGEST} signs.")
    return text


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


def _is(parameter: Any, name: str) -> bool:
    """Only options can be flags or be repeated, arguments cannot."""
    return bool(getattr(parameter, name, False))
