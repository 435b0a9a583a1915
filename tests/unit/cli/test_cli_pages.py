"""`ringfence web` makes what lets people and programs in, shows it once, and takes tokens back."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.web.vault import Vault


@pytest.fixture
def database(workplace: Path) -> Path:
    path = workplace / "bot.db"
    path.touch()
    return path


def test_a_password_is_shown_once_and_only_its_hash_is_kept(ringfence: Any, database: Path) -> None:
    made = json.loads(ringfence("web", "password", "--db", database, "--json").out)["password"]
    assert len(made) == 20
    assert Vault(database).is_password(made)
    assert made not in ringfence("web", "token", "--db", database).out
    again = ringfence("web", "password", "--db", database).out.splitlines()[0].rpartition(" ")[2]
    assert again != made
    assert not Vault(database).is_password(made)
    assert Vault(database).is_password(again)


def test_a_token_is_made_listed_and_taken_back(ringfence: Any, database: Path) -> None:
    scopes = ("--scope", "read", "--scope", "guard")
    made = json.loads(ringfence("web", "token", "phone", *scopes, "--db", database, "--json").out)["token"]
    listed = json.loads(ringfence("web", "token", "--db", database, "--json").out)
    assert [(row["name"], row["scopes"]) for row in listed] == [("phone", "read, guard")]
    assert made not in ringfence("web", "token", "--db", database).out
    assert ringfence("web", "token", "phone", "--revoke", "--db", database).code == 0
    assert Vault(database).token_of(made) is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("token", "a", "--scope", "root"), "root"),
        (("token", "a" * 41), "1 to 40"),
        (("token", "a", "--revoke"), "no token a"),
    ],
)
def test_what_makes_no_token_is_refused(
    ringfence: Any, database: Path, words: tuple[str, ...], says: str
) -> None:
    outcome = ringfence("web", *words, "--db", database)
    assert outcome.code == 2
    assert says in outcome.err


def test_without_a_database_there_is_nothing_to_open(ringfence: Any, workplace: Path) -> None:
    outcome = ringfence("web", "password", "--db", "none.db")
    assert outcome.code == 2
    assert "no database none.db" in outcome.err
    assert list(workplace.iterdir()) == []
