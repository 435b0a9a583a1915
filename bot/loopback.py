"""An exchange on this machine: the one form of its address, and how fast its market runs unless told."""

import ipaddress
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, urlsplit

ONLY_THESE: Final = "only http://127.0.0.1:PORT and http://[::1]:PORT are accepted"
_USUAL_PORT: Final = 80
# A mark older than 5 s of market time is not acted on: at 60x that leaves a client 83 ms, at 600x 8 ms.
SERVED_PACE: Final = 60.0


def loopback_address(text: str) -> str:
    """Return `text` as http://HOST:PORT, the same for every spelling of one address.

    ValueError: it is not this machine's, or it says more than where: user, path or query.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a bracket left open, or no number for a port
        raise ValueError(
            f"it is not on this machine: {ONLY_THESE}, because keys would be sent to it"
        ) from None
    if parts.scheme != "http" or not is_loopback(host):
        raise ValueError(f"it is not on this machine: {ONLY_THESE}, because keys would be sent to it")
    excess = _excess(parts)
    if excess:
        raise ValueError(f"it has {excess}: {ONLY_THESE}, and keys have settings of their own")
    return f"http://{_canonical(host)}" + (f":{port}" if port not in (None, _USUAL_PORT) else "")


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Return whether a host name is this machine's own and can be nobody else's."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _excess(parts: SplitResult) -> str:
    found = (
        ("a user or password" if "@" in parts.netloc else ""),
        ("a path" if parts.path not in ("", "/") else ""),
        ("a query" if parts.query or parts.fragment else ""),
    )
    return " and ".join(each for each in found if each)


def _canonical(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"
    address = ipaddress.ip_address(host)
    return f"[{address}]" if address.version == 6 else str(address)
