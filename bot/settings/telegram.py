"""The settings of the Telegram bot: whose chats may ask and order, and where the Bot API is."""

import re
from typing import Annotated, Final
from urllib.parse import quote, urlsplit

from pydantic import SecretStr, field_validator

from bot.loopback import is_loopback
from bot.settings import values
from bot.settings.section import Section, Whole, from_text, setting

BASE_URL: Final = "https://api.telegram.org"

_TOKEN: Final = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,100}")
_ONLY_THESE: Final = "only https://NAME, and http://127.0.0.1:PORT for a Bot API of your own, are accepted"

ChatIds = Annotated[tuple[Whole, ...], from_text(values.whole_numbers_from_text)]


class Telegram(Section):
    """Questions and orders from Telegram; off unless it is enabled, has a token and names its chats."""

    enabled: bool = setting(False, "Listen to the chats below while `ringfence trade` runs.")
    bot_token: SecretStr | None = setting(
        None,
        "Token of the bot, a secret: environment or secrets folder only.",
        example="123456789:WhatBotFatherGaveYou",
    )
    allowed_chats: ChatIds | None = setting(
        None,
        "Ids of the only chats that are answered; every member of a group among them may order.",
        example=(123456789,),
    )
    base_url: str = setting(BASE_URL, "Where the Bot API is.")

    @field_validator("bot_token")
    @classmethod
    def _check_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is None:
            return None
        text = values.checked_secret(token.get_secret_value())
        if _TOKEN.fullmatch(text) is None:
            raise ValueError("it must be the token that BotFather gave, NUMBER:LETTERS")
        return SecretStr(text)

    @field_validator("allowed_chats")
    @classmethod
    def _check_chats(cls, chats: tuple[int, ...] | None) -> tuple[int, ...] | None:
        if chats is None:
            return None
        if 0 in chats or len(set(chats)) != len(chats):
            raise ValueError("different ids of chats were expected, none of them 0, such as 123456789")
        return chats

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, url: str) -> str:
        return _origin(url)

    @property
    def chats(self) -> frozenset[int]:
        """Return the ids of the chats that are answered."""
        return frozenset(self.allowed_chats or ())

    @property
    def is_on(self) -> bool:
        """Return whether anything is asked of Telegram."""
        return self.enabled and self.bot_token is not None and bool(self.chats)


def token_secrets(token: SecretStr | None) -> tuple[str, ...]:
    """Return what of a token must never be shown, as it is written and as an address holds it."""
    plain = values.plain(token)
    return (plain, quote(plain, safe=""), plain.partition(":")[2]) if plain else ()


def _origin(url: str) -> str:
    """Return an address as SCHEME://HOST[:PORT]. ValueError: the token would be sent in the clear."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(_ONLY_THESE) from None
    has_more = parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not host or has_more or not is_safe:
        raise ValueError(f"{_ONLY_THESE}, because the token is sent there")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port is None else f":{port}")
