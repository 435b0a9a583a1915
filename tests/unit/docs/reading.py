"""The documents as data: their code blocks, inline code, links and commands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[3]

_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"`([^`\n]+)`")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block: its language and its text."""

    language: str
    text: str


def text_of(document: str) -> str:
    """Return a document of this checkout."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str, *languages: str) -> list[Block]:
    """Return the fenced blocks of a document in one of `languages`, in order."""
    found = (Block(*match.groups()) for match in _FENCE.finditer(text_of(document)))
    return [block for block in found if block.language in languages]


def prose(document: str) -> str:
    """Return a document without its fenced blocks."""
    return _FENCE.sub("", text_of(document))


def inline_codes(document: str) -> list[str]:
    """Return what stands between backticks in the prose."""
    return _INLINE.findall(prose(document))


def links(document: str) -> list[str]:
    """Return the targets of all links and pictures that are files of this checkout."""
    return [target for target in _LINK.findall(prose(document)) if "://" not in target and target[0] != "#"]


def command_words(block: Block) -> Iterator[list[str]]:
    """Yield the words of each line of a shell block, comments left out."""
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words
