"""What lets people and programs in: one password and named tokens, of which hashes alone are kept.

They stand in a file beside the database that only its owner may read. Whoever may write there may give orders
anyhow. A running bot looks at the file again when it was changed.
"""

import hashlib
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import argon2

from bot.errors import UserError

SCOPES: Final = ("read", "guard", "trade")
_SUFFIX: Final = ".access"
_PREFIX: Final = "rf_"
_DRAFT: Final = ".draft"
# The least that OWASP's password storage sheet recommends of argon2id: 19 MiB, two passes.
_HASHER: Final = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_PASSWORD_BYTES: Final = 15
_TOKEN_BYTES: Final = 32


class Token(NamedTuple):
    """A named token: `sha256` of it, what it may, and when it was made (UTC ms)."""

    name: str
    sha256: str
    scopes: tuple[str, ...]
    created_ms: int


class Vault:
    """The password and the tokens of the database at `path`."""

    def __init__(self, path: Path) -> None:
        self.file = path.with_name(path.name + _SUFFIX)
        self._read_of: tuple[int, int] | None = None
        self._password = ""
        self._tokens: tuple[Token, ...] = ()

    @property
    def has_password(self) -> bool:
        """Return whether a password was set."""
        self._refresh()
        return bool(self._password)

    @property
    def password_mark(self) -> str:
        """Return what differs from password to password and tells nothing of them."""
        self._refresh()
        return _digest(self._password)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Return the tokens there are, without what only their owners know."""
        self._refresh()
        return self._tokens

    def new_password(self) -> str:
        """Set a new password and return it; only its hash is kept. UserError: it cannot be written."""
        password = secrets.token_urlsafe(_PASSWORD_BYTES)
        self._refresh()
        self._write(_HASHER.hash(password), self._tokens)
        return password

    def new_token(self, name: str, scopes: tuple[str, ...], now_ms: int) -> str:
        """Make a token and return it; only its hash is kept. UserError: name taken, scope unknown."""
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            raise UserError(
                f"A token may {', '.join(SCOPES)}, and not {unknown or 'nothing'}. Choose of these."
            )
        self._refresh()
        if any(token.name == name for token in self._tokens):
            raise UserError(f"There is a token {name} already. Revoke it first, or take another name.")
        made = _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
        self._write(self._password, (*self._tokens, Token(name, _digest(made), scopes, now_ms)))
        return made

    def revoke(self, name: str) -> None:
        """Forget a token. UserError: there is none of this name."""
        self._refresh()
        kept = tuple(token for token in self._tokens if token.name != name)
        if len(kept) == len(self._tokens):
            known = ", ".join(token.name for token in kept) or "none"
            raise UserError(f"There is no token {name}; there are {known}.")
        self._write(self._password, kept)

    def is_password(self, text: str) -> bool:
        """Return whether this is the password. It takes 50 ms on purpose: ask in a thread."""
        self._refresh()
        # With no password to compare with, the same time passes.
        known = self._password or _NOBODYS
        try:
            return _HASHER.verify(known, text) and bool(self._password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    def token_of(self, text: str) -> Token | None:
        """Return the token that this is, None for none."""
        digest = _digest(text)
        found = [token for token in self.tokens if secrets.compare_digest(token.sha256, digest)]
        return found[0] if found else None

    def _refresh(self) -> None:
        try:
            state = self.file.stat()
        except OSError:
            self._read_of, self._password, self._tokens = None, "", ()
            return
        of = (state.st_mtime_ns, state.st_size)
        if of != self._read_of:
            self._password, self._tokens = _read(self.file)
            self._read_of = of

    def _write(self, password: str, tokens: tuple[Token, ...]) -> None:
        body = {"password": password, "tokens": [token._asdict() for token in tokens]}
        draft = self.file.with_name(self.file.name + _DRAFT)
        try:
            with suppress(FileNotFoundError):
                draft.unlink()
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                json.dump(body, stream)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(self.file)
        except OSError as error:
            raise UserError(
                f"{self.file} cannot be written: {error.strerror}. Nothing was changed; give write access to "
                "its folder."
            ) from error
        self._read_of = None


def _read(file: Path) -> tuple[str, tuple[Token, ...]]:
    """UserError: it is none of ours; then nobody is let in."""
    try:
        body: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        rows = body["tokens"]
        tokens = tuple(
            Token(str(row["name"]), str(row["sha256"]), tuple(row["scopes"]), int(row["created_ms"]))
            for row in rows
        )
        return str(body["password"]), tokens
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{file} cannot be read, so nobody is let in. Remove it and run `ringfence web password`."
        ) from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_NOBODYS: Final = _HASHER.hash(secrets.token_urlsafe(_PASSWORD_BYTES))
