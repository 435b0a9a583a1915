"""Who asks: a session of a person, the bearer of a token, or on paper whoever is on this machine."""

from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.datastructures import Headers

from bot.settings import Settings
from bot.web.attempts import Attempts
from bot.web.caller import Caller
from bot.web.listening import needs_login
from bot.web.sessions import LONGEST_SECONDS, Sessions
from bot.web.vault import SCOPES, Vault

COOKIE: Final = "ringfence_session"
_BEARER: Final = "bearer "
_LONGEST_COOKIE: Final = 4_096


class Guards:
    """`is_open`: no password is asked for, for no money is real and only this machine reaches the pages."""

    def __init__(self, settings: Settings, vault: Vault, sessions: Sessions, attempts: Attempts) -> None:
        web = settings.web
        self.is_open = not needs_login(settings)
        self.vault, self.sessions, self.attempts = vault, sessions, attempts
        self._password_mark = vault.password_mark
        self._is_secure = web.has_tls or bool(web.public_url)

    def who_asks(self, headers: Headers) -> Caller | None:
        """Return who sent a request with these headers; None: nobody that is known."""
        bearer = headers.get("authorization", "")
        if bearer[: len(_BEARER)].lower() == _BEARER:
            return self._bearer(bearer[len(_BEARER) :].strip())
        if self.is_open:
            return Caller("this machine", frozenset(SCOPES), lambda: True)
        self._end_sessions_of_old_passwords()
        session_id = session_of(headers)
        if session_id and self.sessions.use(session_id):
            return Caller("this session", frozenset(SCOPES), partial(self.sessions.is_open, session_id))
        return None

    def _end_sessions_of_old_passwords(self) -> None:
        mark = self.vault.password_mark
        if mark != self._password_mark:
            self._password_mark = mark
            self.sessions.end_all()

    def cookie(self, session_id: str) -> str:
        """Return the cookie of a session, "" to take it back; no script and no other site ever sees it."""
        age = int(LONGEST_SECONDS) if session_id else 0
        secure = "; Secure" if self._is_secure else ""
        return f"{COOKIE}={session_id}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}"

    def _bearer(self, text: str) -> Caller | None:
        token = self.vault.token_of(text)
        if token is None:
            return None
        stands = partial(self._stands, token.sha256)
        return Caller(f"the token {token.name}", frozenset(token.scopes), stands)

    def _stands(self, sha256: str) -> bool:
        return any(token.sha256 == sha256 for token in self.vault.tokens)


def session_of(headers: Headers) -> str:
    """Return the id of the session that a request names, "" for none."""
    text = headers.get("cookie", "")
    if len(text) > _LONGEST_COOKIE:
        return ""
    try:
        found = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value
