"""The settings of the pages and the API that a running bot serves."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import field_validator

from bot.loopback import is_loopback
from bot.settings import values
from bot.settings.section import Section, Whole, from_text, setting


class Web(Section):
    """The pages and the API of a running bot; without a password on this machine in paper mode only."""

    enabled: bool = setting(True, "Serve them while `ringfence trade` runs.")
    host: str = setting(
        "127.0.0.1", "Address they are bound to; beyond this machine only with TLS or behind a proxy."
    )
    port: Whole = setting(8080, "Port; 0: any that is free.", ge=0, le=65_535)
    public_url: str = setting(
        "", "Address at which a reverse proxy with TLS serves them, https://NAME; empty: there is none."
    )
    trusted_proxies: Annotated[tuple[str, ...], from_text(values.list_from_text)] = setting(
        ("127.0.0.1", "::1"),
        "Addresses or networks of that proxy; X-Forwarded-For is believed from there alone.",
    )
    exports: Path = setting(
        Path("exports"), "Folder whose folders are exports of backtests and sweeps, shown there."
    )
    tls_certificate: Path | None = setting(
        None, "Certificate chain in PEM, to serve TLS itself.", example="tls/fullchain.pem"
    )
    tls_key: Path | None = setting(None, "Its private key in PEM.", example="tls/key.pem")

    @field_validator("host")
    @classmethod
    def _check_host(cls, host: str) -> str:
        if not host or any(sign in host for sign in "/@ "):
            raise ValueError("it must be the name or address of an interface, such as 127.0.0.1")
        return host

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, url: str) -> str:
        return _https_origin(url) if url else ""

    @field_validator("trusted_proxies")
    @classmethod
    def _check_trusted_proxies(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for each in proxies:
            try:
                ip_network(each)
            except ValueError:
                raise ValueError(
                    f'"{each}" is neither an address nor a network, such as 172.18.0.0/16'
                ) from None
        return proxies

    @property
    def has_tls(self) -> bool:
        """Return whether it serves TLS itself."""
        return self.tls_certificate is not None and self.tls_key is not None

    @property
    def is_local(self) -> bool:
        """Return whether nobody but this machine can reach it."""
        return is_loopback(self.host) and not self.public_url


def _https_origin(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("it must be https://NAME or https://NAME:PORT") from None
    has_more = parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme != "https" or not host or has_more:
        raise ValueError("it must be https://NAME or https://NAME:PORT, and nothing else")
    return f"https://{host}" + (f":{port}" if port not in (None, 443) else "")
