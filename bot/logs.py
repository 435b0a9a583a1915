"""Log lines: one JSON object a line for machines, aligned columns in a terminal. Secrets never pass.

Event names are `noun.verb` ("margin.added"); facts are keys with units, never part of the name.
Bind a logger once and keep it: a bound logger costs a fraction of a microsecond when filtered.
"""

import asyncio
import logging
import sys
from collections import deque
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final, Literal, TextIO

import orjson
import structlog

from bot.redaction import redacted

Format = Literal["auto", "json", "console"]
Level = Literal["debug", "info", "warning", "error"]

LINES_KEPT: Final = 500

_FIRST: Final = ("time", "level", "event")


def redact_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Return the line with every secret replaced: by the key's name, and inside texts by their form."""
    return {name: redacted(name, value) for name, value in event.items()}


class KeptLines:
    """The last lines, as they are written, for whoever looks at a running bot: a processor."""

    def __init__(self) -> None:
        self._lines: deque[dict[str, Any]] = deque(maxlen=LINES_KEPT)

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Keep a line."""
        self._lines.append(dict(event))
        return event

    def newest_first(self) -> list[dict[str, Any]]:
        """Return what is kept."""
        return list(reversed(self._lines))


def kept_lines() -> list[dict[str, Any]]:
    """Return the last lines of this process, newest first, secrets redacted; none before `configure`."""
    processors = structlog.get_config()["processors"]
    return next((each.newest_first() for each in processors if isinstance(each, KeptLines)), [])


def configure(log_format: Format, level: Level, stream: TextIO) -> None:
    """Send every line of `level` and above to `stream`; "auto" is columns in a terminal, else JSON."""
    is_console = log_format == "console" or (log_format == "auto" and stream.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            redact_secrets,
            KeptLines(),
            structlog.dev.ConsoleRenderer(colors=stream.isatty()) if is_console else _json_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )


def open_stream(path: Path | None, fallback: TextIO) -> TextIO:
    """Return `path` opened to append, a line at a time, or `fallback` when there is none. OSError passes."""
    return fallback if path is None else path.open("a", buffering=1, encoding="utf-8")


def logger(**facts: Any) -> Any:
    """Return a logger that adds `facts` to every line. Call after `configure`, once per component."""
    return structlog.get_logger().bind(**facts)


def tell_of_the_loop() -> None:
    """Let the running loop say what nobody waits for by its kind and place, and never by its text.

    ccxt leaves futures behind that nobody awaits. asyncio would print their errors, with the signed address.
    """
    asyncio.get_running_loop().set_exception_handler(tell_of_error)


def tell_of_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say in one line what a loop would print with its trace, and with what the error's text holds."""
    error, place = context.get("exception"), ""
    trace = getattr(error, "__traceback__", None)
    while trace is not None:
        code = trace.tb_frame.f_code
        place, trace = f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}", trace.tb_next
    what = str(context.get("message", "")).partition("<")[0].partition("(")[0].strip()
    facts = {"what": what, "error_type": type(error).__name__, "place": place}
    if structlog.is_configured():
        logger().warning("loop.error", **facts)
    else:  # a verb without a log, whose output is on stdout
        sys.stderr.write(f"loop.error {' '.join(facts.values())}\n")


def _json_line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    first = {name: event[name] for name in _FIRST if name in event}
    return orjson.dumps({**first, **event}, default=str, option=orjson.OPT_SERIALIZE_NUMPY).decode()
