"""The address of an HTTP proxy that the exchange is reached through: one form, and no password in it."""

from urllib.parse import urlsplit

from bot.loopback import is_loopback


def proxy_address(text: str) -> str:
    """Return `text` as http://HOST:PORT. ValueError: it is none, or it says more, such as a password.

    The text is not repeated: what stands in front of the host would be a secret.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a bracket left open, or no number for a port
        host, port, parts = "", None, urlsplit("")
    if "@" in parts.netloc:
        raise ValueError(
            "it has a user or password, which would stand in logs: let the proxy know us by address"
        )
    if parts.scheme != "http" or not host or not port:
        raise ValueError(
            "only http://HOST:PORT is accepted; what is sent through it is encrypted all the same"
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("it has a path or a query: only http://HOST:PORT is accepted")
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def is_on_this_machine(proxy: str) -> bool:
    """Return whether the proxy's host is this machine's own."""
    return is_loopback(urlsplit(proxy).hostname or "")
