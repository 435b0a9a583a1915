"""Keys that a bot trades with are in no byte of what it writes, says or is started with."""

import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.replay_files import environment

ROOT = Path(__file__).resolve().parents[2]
KEY, SECRET = "CANARYKEY0123456789abcdef", "CANARYSECRET0123456789abcdef"
CANARIES = (KEY.encode(), SECRET.encode())


@pytest.fixture
def port() -> Iterator[str]:
    """The port of an exchange on this machine whose one key is the canary."""
    serve = [sys.executable, "-m", "bot", "exchange", "serve", "--port", "0", "--speed", "600x"]
    exchange = subprocess.Popen(
        serve,
        cwd=ROOT,
        env=environment(RINGFENCE_EXCHANGE_KEY=f"{KEY}:{SECRET}"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert exchange.stderr is not None
    found = re.search(r"127\.0\.0\.1:(\d+)", exchange.stderr.readline())
    assert found is not None
    yield found[1]
    exchange.send_signal(signal.SIGTERM)
    exchange.wait()
    exchange.stderr.close()


class Bot:
    """Verbs of the program with the canaries in a secrets folder, and everything they leave behind."""

    def __init__(self, folder: Path, port: str, secret: str = SECRET) -> None:
        self.written = folder / "written"
        self.written.mkdir()
        secrets = folder / "secrets"
        secrets.mkdir()
        for name, text in (("exchange__api_key", KEY), ("exchange__secret", secret)):
            (secrets / name).write_text(text)
            (secrets / name).chmod(0o600)
        self._environment = environment(
            RINGFENCE_SECRETS_DIR=str(secrets),
            RINGFENCE__RUN__DB=str(self.written / "bot.db"),
            RINGFENCE__LOG__LEVEL="debug",
        )
        self.exchange: tuple[str, ...] = ("--venue", "binanceusdm", "--base-url", f"http://127.0.0.1:{port}")

    def run(self, *words: str) -> tuple[int, bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.stdout
        return done.returncode, done.stdout

    def trade(self) -> tuple[int, bytes]:
        summary = str(self.written / "summary.json")
        return self.run("trade", *self.exchange, "--headless", "--for", "5s", "--summary", summary)

    def trade_and_kill(self) -> tuple[str, bytes]:
        """Trade until something was committed, then kill; return the command line and what was said."""
        words = [sys.executable, "-m", "bot", "trade", *self.exchange, "--headless"]
        process = subprocess.Popen(
            words, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdout is not None
        said = b""
        for line in process.stdout:
            said += line
            if b"equity.marked" in line or b"order.accepted" in line or len(said) > 20_000:
                break
        process.kill()
        said += process.stdout.read()
        process.stdout.close()
        process.wait()
        return " ".join(words), said

    def crash(self) -> bytes:
        """Trade with a planted bug: what is said of an error that nobody expected."""
        planted = (
            "import sys, bot.app, bot.cli.main\n"
            "def broken(application): raise ZeroDivisionError('planted')\n"
            "bot.app.Application.open = property(broken)\n"
            "sys.exit(bot.cli.main.run(sys.argv[1:]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", planted, "trade", *self.exchange, "--headless"],
            cwd=ROOT,
            env=self._environment | {"PYTHONASYNCIODEBUG": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.stdout


def assert_clean(what: str, content: bytes) -> None:
    assert not any(canary in content for canary in CANARIES), what


def test_a_session_with_keys_leaves_none_of_them_anywhere(port: str, tmp_path: Path) -> None:
    bot = Bot(tmp_path, port)
    code, said = bot.trade()
    assert code == 0, said[-3000:]
    assert b"order.accepted" in said or b"equity.marked" in said or b"run.ended" in said
    assert_clean("log", said)
    for verb in (("show-config",), ("show-config", "--json"), ("status",), ("doctor",), ("trades",)):
        assert_clean(" ".join(verb), bot.run(*verb)[1])
    with sqlite3.connect(bot.written / "bot.db") as connection:
        (configuration,) = connection.execute("SELECT config FROM run").fetchone()
        assert_clean("dump", "\n".join(connection.iterdump()).encode())
    assert "[redacted]" in configuration  # the keys did reach the settings
    files = [path for path in bot.written.rglob("*") if path.is_file()]
    assert len(files) >= 3
    for path in files:
        assert_clean(path.name, path.read_bytes())


def test_a_killed_session_leaves_no_key_in_its_log_of_commits_and_none_in_copies(
    port: str, tmp_path: Path
) -> None:
    bot = Bot(tmp_path, port)
    command, said = bot.trade_and_kill()
    assert_clean("command line", command.encode())
    assert_clean("log", said)
    assert (bot.written / "bot.db-wal").stat().st_size > 0
    copy = str(bot.written / "copy.db")
    for words in (("db", "backup", copy), ("db", "restore", copy), ("db", "check"), ("journal",)):
        code, told = bot.run(*words)
        assert code == 0, told
        assert_clean(" ".join(words), told)
    files = {path.name: path.read_bytes() for path in bot.written.rglob("*") if path.is_file()}
    assert {"bot.db", "bot.db.reserve", "bot.db.lock", "copy.db"} <= set(files)
    assert any(name.endswith("-wal") and content for name, content in files.items())
    for name, content in files.items():
        assert_clean(name, content)


def test_an_error_that_nobody_expected_is_told_without_a_key(port: str, tmp_path: Path) -> None:
    bot = Bot(tmp_path, port)
    said = bot.crash()
    assert b"ZeroDivisionError: planted" in said
    assert b"Traceback" in said
    assert_clean("crash", said)


_TELLS: Final = f"""
from bot.strategy import Strategy, no_signals


class Tells(Strategy):
    timeframe = "1m"
    first_ms = 0

    @property
    def warmup(self):
        return 5

    def signals(self, candles):
        self.first_ms = self.first_ms or candles.open_ms[-1]
        if candles.open_ms[-1] > self.first_ms + 20 * 60_000:
            raise RuntimeError("cannot sign with {KEY} and {SECRET}")
        return no_signals(len(candles.close))
"""


def test_a_strategy_that_fails_with_the_keys_in_its_words_tells_nobody(port: str, tmp_path: Path) -> None:
    bot = Bot(tmp_path, port)
    own = tmp_path / "own"
    own.mkdir()
    (own / "tells.py").write_text(_TELLS)
    bot.exchange += ("--strategy", "tells")
    bot._environment["RINGFENCE__STRATEGY__DIRECTORY"] = str(own)
    code, said = bot.trade()
    assert code == 0, said[-3000:]
    assert b"cannot sign with [redacted] and [redacted]" in said
    assert_clean("log", said)
    for verb in (("status",), ("status", "--json"), ("journal",), ("positions",)):
        assert_clean(" ".join(verb), bot.run(*verb)[1])
    for path in (path for path in bot.written.rglob("*") if path.is_file()):
        assert_clean(path.name, path.read_bytes())


def test_a_strategy_that_cannot_be_built_is_refused_without_the_keys(port: str, tmp_path: Path) -> None:
    bot = Bot(tmp_path, port)
    own = tmp_path / "own"
    own.mkdir()
    (own / "tells.py").write_text(f"raise RuntimeError('{SECRET}')")
    bot.exchange += ("--strategy", "tells")
    bot._environment["RINGFENCE__STRATEGY__DIRECTORY"] = str(own)
    code, said = bot.trade()
    assert code == 2
    assert b"cannot be imported: RuntimeError: [redacted]" in said
    assert_clean("refusal", said)


def test_a_key_that_is_refused_is_said_without_the_key(port: str, tmp_path: Path) -> None:
    bot = Bot(tmp_path, port, secret=SECRET[::-1])
    code, said = bot.trade()
    assert code == 2
    assert_clean("refusal", said)
    assert SECRET[::-1].encode() not in said
    code, said = bot.run("doctor", *bot.exchange)
    assert code == 1, said
    assert_clean("doctor", said)
    assert SECRET[::-1].encode() not in said
