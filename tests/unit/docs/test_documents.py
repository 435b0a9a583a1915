"""What the documents say is true: commands run, files and names exist, defaults are the defaults."""

import math
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import pytest
import typer

from bot.cli.main import app
from bot.plugins import strategy_files
from bot.risk.limits import BracketLimits, EntryLimits, MarginLimits
from bot.risk.policies import POLICIES
from bot.settings import load
from bot.settings.model import Settings
from bot.store.tables import TABLES
from tests.unit.docs.reading import ROOT, Block, blocks, command_words, inline_codes, links, prose, text_of

RUN: Final = (
    "README.md",
    "bot/README.md",
    "bot/BACKTEST.md",
    "bot/ALERTS.md",
    "strategies/README.md",
    "config/README.md",
)
ALL: Final = (
    *RUN,
    "bot/EVIDENCE.md",
    "bot/INVARIANTS.md",
    "bot/exchange/README.md",
    "tests/README.md",
    "CHANGELOG.md",
)
SHELLS: Final = ("sh", "console", "bash")
HOST: Final = {"make", "docker"}
EXCHANGE_PORT: Final = "8770"
MOST_README_LINES: Final = 300
MINUTE_MS: Final = 60_000
FIRST_CANDLE_MS: Final = 1_738_454_400_000  # 2025-02-02: a day of warm-up before the README's range
DAYS: Final = 3


def is_for_host(block: Block) -> bool:
    """Return whether a block is not run here: make and docker need a network or an engine.

    What talks to an exchange of its own is run by tests/e2e/test_trading_on_an_exchange.py.
    """
    words = command_words(block)
    return any(each[0] in HOST for each in words) or EXCHANGE_PORT in block.text


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A working directory like a fresh checkout with candles in `data` and `ringfence` on the path."""
    for name in ("config", "strategies"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "data").mkdir()
    write_candles(tmp_path / "data")
    program = tmp_path / "bin" / "ringfence"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bot "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return tmp_path


def write_candles(folder: Path) -> None:
    """Write one-minute candles and funding of BTC as the README lays them out, in CSV."""
    draw, price = random.Random(7), 100_000.0
    rows = ["timestamp,open,high,low,close,volume"]
    for minute in range(DAYS * 1440):
        close = price * math.exp(draw.gauss(0.0, 0.0006))
        high, low = max(price, close) * 1.0002, min(price, close) * 0.9998
        ts_ms = FIRST_CANDLE_MS + minute * MINUTE_MS
        rows.append(f"{ts_ms},{price:.1f},{high:.1f},{low:.1f},{close:.1f},12.5")
        price = close
    (folder / "BTCUSDT_1m.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    settlements = [FIRST_CANDLE_MS + number * 480 * MINUTE_MS for number in range(DAYS * 3)]
    funding = ["timestamp,funding_rate", *(f"{ts_ms},0.0001" for ts_ms in settlements)]
    (folder / "BTCUSDT_funding.csv").write_text("\n".join(funding) + "\n", encoding="utf-8")


@pytest.mark.parametrize("document", RUN)
def test_every_command_runs_as_it_is_written(document: str, scratch: Path) -> None:
    """In order, in one folder, each block one script that stops at its first error; `--for` is shortened."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE")}
    environment = kept | {"PATH": f"{scratch / 'bin'}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    for block in blocks(document, *SHELLS):
        if is_for_host(block):
            continue
        script = re.sub(r"--for \S+", "--for 2s", block.text)
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", script],
            cwd=scratch,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{document}:\n{script}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


@pytest.mark.parametrize("document", ALL)
def test_commands_for_make_and_docker_name_what_there_is(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for block in filter(is_for_host, blocks(document, *SHELLS)):
        for words in command_words(block):
            if words[0] == "make":
                assert {word for word in words[1:] if "=" not in word} <= targets, words
            elif words[0] == "ringfence":
                resolved(words[1:])
            elif words[0] != "export":
                assert words[:2] == ["docker", "compose"], f"cannot be checked: {words}"
                assert (ROOT / "compose.yaml").is_file()
                assert (ROOT / "Dockerfile").is_file()


@pytest.mark.parametrize("document", ALL)
def test_commands_in_the_prose_name_verbs_and_flags_that_exist(document: str) -> None:
    for code in inline_codes(document):
        if code.startswith("make "):
            assert re.search(rf"^{code.split()[1]}:", text_of("Makefile"), re.MULTILINE), code
        if code.startswith("ringfence "):
            words = code.split()[1:]
            command = resolved(words)
            known = {name for parameter in command.params for name in parameter.opts} | {"--help"}
            assert {word for word in words if word.startswith("--")} <= known, code


def resolved(words: list[str]) -> Any:
    """Return the command that `words` begin with; fails on a verb that does not exist."""
    command: Any = typer.main.get_command(app)
    for word in words:
        if not hasattr(command, "commands") or word.startswith("-"):
            return command
        assert word in command.commands, f"no verb {word!r} in {' '.join(words)!r}"
        command = command.commands[word]
    return command


@pytest.mark.parametrize("document", ["README.md", "config/README.md", "bot/ALERTS.md"])
def test_every_example_of_settings_is_accepted(document: str, tmp_path: Path) -> None:
    examples = blocks(document, "toml")
    assert examples
    for example in examples:
        (tmp_path / "example.toml").write_text(example.text, encoding="utf-8")
        assert load(tmp_path / "example.toml") != Settings()


@pytest.mark.parametrize("document", ALL)
def test_every_link_leads_to_a_file(document: str) -> None:
    missing = [target for target in links(document) if not ((ROOT / document).parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("document", ALL)
def test_every_python_file_named_exists(document: str) -> None:
    folders = (ROOT, ROOT / "bot", (ROOT / document).parent)
    named = {code for code in inline_codes(document) if re.fullmatch(r"[\w/]+/\w+\.py", code)}
    invented = {"path/to/file.py"}
    assert [
        name for name in named - invented if not any((folder / name).is_file() for folder in folders)
    ] == []


@pytest.mark.parametrize("document", ALL)
def test_no_dash_decorates_a_sentence(document: str) -> None:
    assert not re.search("[\u2013\u2014]", prose(document))


def verbs() -> Iterator[str]:
    """Yield every verb of the command line: "trade", "margin history", ..."""
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        inner = getattr(command, "commands", None)
        yield from (f"{name} {below}" for below in inner) if inner else (name,)


def test_the_readme_shows_every_verb_policy_strategy_and_section() -> None:
    readme = text_of("README.md")
    strategies = strategy_files(ROOT / "strategies")
    assert [verb for verb in verbs() if f"ringfence {verb}" not in readme] == []
    names = [*POLICIES, *strategies, *Settings.model_fields]
    assert [name for name in names if f"`{name}`" not in readme] == []


def test_the_readme_stays_readable_in_one_sitting() -> None:
    assert len(text_of("README.md").splitlines()) < MOST_README_LINES


def test_numbers_said_of_defaults_are_the_defaults() -> None:
    entry, bracket, margin = EntryLimits(), BracketLimits(), MarginLimits()
    settings = Settings()
    readme = " ".join(text_of("README.md").split())
    for said in (
        f"at {settings.run.speed:g} market seconds per second",
        f"a wallet of {settings.venue.deposit_quote:,.0f} USDT",
        f"The stop may cost {entry.risk_fraction:.0%} of equity".replace("%", " %"),
        f"at most {entry.max_leverage}x",
        f"half at {bracket.first_take_profit_r} R, the rest at {bracket.second_take_profit_r:g} R",
        f"From {bracket.trail_activate_r:g} R on the stop trails",
        f"older than {margin.max_mark_age_ms / 1000:g} s",
        f"the last {margin.reserve_fraction * 100:g} % of equity",
        f"waits {margin.add_cooldown_ms / 1000:g} s between adds",
        f"{settings.venue.latency_ms} ms latency",
        f"half a spread of {settings.venue.half_spread_fraction * 1e4:g} basis point",
        f"plus {settings.venue.impact_fraction * 1e4:g} basis points",
    ):
        assert said in readme, said
    assert (margin.max_adds, margin.max_added_fraction, margin.release_cooldown_ms) == (6, 2.0, 3_600_000)
    assert bracket.take_profit_fraction == 0.5


def test_the_architecture_names_every_table_and_no_other() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text_of("bot/README.md"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"\w+", row)} == set(TABLES)


def test_the_architecture_names_every_package_and_module_at_the_top() -> None:
    (tree, *_) = blocks("bot/README.md", "text")
    top = [path for path in (ROOT / "bot").iterdir() if not path.name.startswith("_")]
    names = [f"{path.name}/" if path.is_dir() else path.name for path in top if path.suffix in {"", ".py"}]
    assert [name for name in names if name not in tree.text] == []


def test_the_picture_is_the_session_that_the_readme_explains() -> None:
    """Every word and number of the explained position stands in the picture; nothing is fetched by it."""
    picture = text_of("tests/unit/docs/live-view.svg")
    drawn = " ".join("".join(ElementTree.fromstring(picture).itertext()).replace("\xa0", " ").split())
    (ladder,) = [block for block in blocks("README.md", "text") if "to liquidation" in block.text]
    said = re.findall(r"[\w.,%+-]+", re.sub("[━─▼]+", " ", ladder.text))
    assert [word for word in said if word not in drawn] == []
    assert set(re.findall(r"https?://[^\s\"<]+", picture)) == {"http://www.w3.org/2000/svg"}
