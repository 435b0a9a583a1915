"""A look at a database that is not opened refuses nothing."""

from pathlib import Path

from bot.store.database import Binding, open_journal
from bot.store.peek import account_name, committed


def test_what_is_no_database_has_no_account_and_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database at all, only text")
    (tmp_path / "empty.db").touch()
    for name in ("text.db", "empty.db", "none.db"):
        assert (account_name(tmp_path / name), committed(tmp_path / name)) == (None, None)
    assert not (tmp_path / "none.db").exists()


def test_the_account_is_told_before_anything_is_committed(tmp_path: Path) -> None:
    open_journal(tmp_path / "new.db", Binding("okx", "testnet", "testnet account 1 of okx")).close()
    assert account_name(tmp_path / "new.db") == "testnet account 1 of okx"
    assert committed(tmp_path / "new.db") is None
