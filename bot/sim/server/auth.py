"""API keys, and whether a request was signed with the key's secret. HMAC-SHA256 of the bytes received."""

import hmac
from typing import Final, NamedTuple

PAPER_KEY: Final = "ringfence-paper-key"
PAPER_SECRET: Final = "ringfence-paper-secret"  # opens nothing: the exchange listens on loopback only
PAPER_PASSPHRASE: Final = "ringfence-paper-passphrase"
# A wallet and the key of an agent that signs for it; both are published and hold nothing anywhere.
PAPER_WALLET: Final = "0x" + "52" * 20
PAPER_AGENT_KEY: Final = "0x" + "11" * 32


class ApiKey(NamedTuple):
    """A key and its secret; the passphrase counts where a venue's keys have one."""

    key: str
    secret: str
    passphrase: str = PAPER_PASSPHRASE


def is_signed(payload: bytes, signature: str, secret: str) -> bool:
    """Return whether `signature` is the hex HMAC-SHA256 of `payload`, in constant time."""
    expected = hmac.digest(secret.encode(), payload, "sha256").hex()
    return hmac.compare_digest(expected, signature.lower())


def without_signature(part: bytes) -> bytes:
    """Return a query or form body without its `signature` parameter, the rest byte by byte as received."""
    kept = [pair for pair in part.split(b"&") if not pair.startswith(b"signature=")]
    return b"&".join(kept)
