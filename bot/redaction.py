"""What must never be shown: by the name of a key, by its form inside a text, and by its value."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote

REDACTED: Final = "[redacted]"

_SECRET_NAME: Final = re.compile(
    r"(^|_)(secret|password|passphrase|token|credential|credentials|private_key|api_key|apikey|apprise_url|signature)s?($|_)",
    re.IGNORECASE,
)
_SECRET_TEXT: Final = re.compile(
    r"(?i)\b((?:api_?key|secret|password|passphrase|token|signature)\s*[=:]\s*)[^\s&,;\"']+"
    r"|(?<=://)[^\s\"']+(?=@)"  # to the last at sign: a password may hold one, and a slash
)


_URL_PARTS: Final = re.compile(r"[/@:#,\s]+")
_PUBLIC_HOST: Final = re.compile(r"localhost|[0-9]+([.][0-9]+){3}|([a-z0-9-]+[.])+[a-z]{2,}")
_PUBLIC_PARAMETERS: Final = {"format", "method", "mode", "overflow", "priority", "sound"}

_LEAST_LENGTH: Final = 8  # of a value that is looked for in texts: a shorter one may stand in any
# Of the process, not of an object: whoever prints an error cannot be given every secret.
_VALUES: Final[dict[str, None]] = {}


def remember_secrets(values: Iterable[str]) -> None:
    """Let no text that is shown hold one of these values; they are known until the process ends."""
    _VALUES.update(dict.fromkeys(value for value in values if len(value) >= _LEAST_LENGTH))


def without_secrets(text: str) -> str:
    """Return `text` with every secret of this process replaced, whatever stands around it."""
    for value in _VALUES:
        if value in text:
            text = text.replace(value, REDACTED)
    return text


def url_secrets(url: str) -> tuple[str, ...]:
    """Return what of a service's URL may be a secret, as it is written and as it is sent: nearly all of it.

    Services keep tokens in the place of hosts, users, folders and parameters alike.
    """
    place, _, query = url.partition("://")[2].partition("?")
    parts = _URL_PARTS.split(place)
    for pair in re.split("[&;]", query):
        name, _, value = pair.partition("=")
        parts += [] if name.lower() in _PUBLIC_PARAMETERS else _URL_PARTS.split(value)
    parts = [part for part in parts if part and not _PUBLIC_HOST.fullmatch(part)]
    return tuple(dict.fromkeys((url, *parts, *map(unquote, parts)))) if place else ()


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Return whether a key of this name holds something that must never be shown."""
    return _SECRET_NAME.search(name) is not None


def redacted(name: str, value: Any) -> Any:
    """Return `value` as plain data with every secret in it replaced, at any depth."""
    if is_secret_name(name):
        return REDACTED
    if isinstance(value, str):
        return _SECRET_TEXT.sub(lambda found: (found[1] or "") + REDACTED, without_secrets(value))
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: redacted(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted("", item) for item in value]
    return value
