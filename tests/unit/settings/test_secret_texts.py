"""Secrets as files and shells leave them: with a line break at the end, or in the middle."""

from pathlib import Path

import pytest

from bot.errors import UserError
from bot.settings import load
from bot.settings.values import plain

NAMES = ("api_key", "secret", "password", "private_key")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGFENCE_SECRETS_DIR", str(tmp_path))
    tmp_path.chmod(0o700)
    return tmp_path


def put(folder: Path, name: str, text: str) -> None:
    file = folder / f"exchange__{name}"
    file.write_bytes(text.encode())
    file.chmod(0o600)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\n\n"])
def test_what_an_editor_leaves_around_a_secret_is_no_part_of_it(folder: Path, name: str, end: str) -> None:
    put(folder, name, f" abcdef{end}")
    assert plain(getattr(load().exchange, name)) == "abcdef"


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_with_a_line_break_at_its_end_is_taken_without(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"RINGFENCE__EXCHANGE__{name.upper()}", "abcdef\n")
    assert plain(getattr(load().exchange, name)) == "abcdef"


@pytest.mark.parametrize("name", NAMES)
def test_a_line_break_inside_is_refused_by_name_and_without_its_text(folder: Path, name: str) -> None:
    put(folder, name, "abc\ndef")
    with pytest.raises(UserError, match=rf"exchange\.{name}.*one line") as caught:
        load()
    assert "abc" not in str(caught.value)


def test_a_key_in_pem_keeps_its_lines(folder: Path) -> None:
    text = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"
    put(folder, "secret", f"{text}\n")
    assert plain(load().exchange.secret) == text
