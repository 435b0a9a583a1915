"""The image runs one program as nobody in particular, from pinned and hashed parts."""

import json
import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]


class Instruction(NamedTuple):
    word: str
    text: str


def instructions() -> list[Instruction]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    joined = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    pairs = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [Instruction(word, text) for word, text in pairs]


def stages() -> list[list[Instruction]]:
    """Return the instructions of each stage, each beginning with its FROM; what stands before is dropped."""
    found: list[list[Instruction]] = []
    for instruction in instructions():
        if instruction.word == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


def final(word: str) -> str:
    """Return the text of the last such instruction of the final stage, which is the one that counts."""
    return [instruction.text for instruction in stages()[-1] if instruction.word == word][-1]


def exec_form(text: str) -> list[str]:
    words = json.loads(text)
    assert isinstance(words, list)
    return words


def test_both_stages_stand_on_the_same_named_python() -> None:
    """A virtual environment only works on the interpreter it was made with."""
    assert [stage[0].text.split()[0] for stage in stages()] == ["${PYTHON_IMAGE}"] * 2
    default = next(item.text for item in instructions() if item.word == "ARG")
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.13(\.\d+)?-slim(-[a-z]+)?(@sha256:[0-9a-f]{64})?", default)


def test_it_runs_as_user_1000_who_owns_only_the_volume() -> None:
    assert final("USER") == "1000:1000"
    assert exec_form(final("VOLUME")) == ["/data"]
    made = [item.text for item in stages()[-1] if item.word == "RUN"]
    assert len(made) == 1
    assert "install --directory --owner=1000 --group=1000 --mode=0700 /data" in made[0]
    copies = [item.text for item in stages()[-1] if item.word == "COPY"]
    assert copies
    assert not any("--chown" in copy or "--chmod" in copy for copy in copies)
    words = [item.word for item in stages()[-1]]
    assert words.index("USER") > max(index for index, word in enumerate(words) if word in {"RUN", "COPY"})


def test_program_and_healthcheck_are_started_without_a_shell() -> None:
    """A shell in between would swallow SIGTERM, and the orderly end with it."""
    assert exec_form(final("ENTRYPOINT")) == ["ringfence"]
    assert exec_form(final("CMD")) == ["trade", "--headless", "--db", "/data/paper.db"]
    assert final("STOPSIGNAL") == "SIGTERM"
    options, _, command = final("HEALTHCHECK").partition(" CMD ")
    assert exec_form(command) == ["ringfence", "doctor", "--live"]
    named = {option.split("=")[0] for option in options.split()}
    assert named == {"--interval", "--timeout", "--start-period", "--retries"}


def test_healthcheck_looks_at_the_database_that_is_traded() -> None:
    assert "RINGFENCE__RUN__DB=/data/paper.db" in final("ENV").split()


def test_every_installation_is_hash_locked_or_offline() -> None:
    runs = [item.text for item in instructions() if item.word == "RUN"]
    commands = [command for run in runs for command in run.split("&&")]
    installs = [command for command in commands if re.search(r"\bpip\b.* install ", command)]
    assert len(installs) == 3
    for command in installs:
        assert "--no-deps" in command
        assert "--require-hashes" in command or "--no-index" in command


def test_image_holds_no_secret_and_takes_nothing_from_elsewhere() -> None:
    for item in instructions():
        assert item.word != "ADD"
        assert not re.search(r"(?i)(secret|password|token|api_?key)", item.text), item
        assert not re.search(r"https?://", item.text), item


def test_build_context_holds_what_is_copied_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copies = [item.text for item in instructions() if item.word == "COPY" and "--from=" not in item.text]
    assert {source for copy in copies for source in copy.split()[:-1]} == allowed


def test_compiled_backtests_are_an_argument_and_their_code_is_made_in_the_build() -> None:
    build = [item.text for item in stages()[0]]
    assert "LOCK=base" in build  # the image that trades is as small as before
    installed = next(text for text in build if "/${LOCK}.lock" in text)
    locks = {path.stem for path in (ROOT / "requirements").glob("*.lock")}
    assert {"base", "research"} <= locks
    assert all(f"requirements/{lock}.lock" in " ".join(build) for lock in ("base", "research")), installed
    made = next(text for text in build if "ringfence warmup" in text)
    assert 'if [ "${LOCK}" = research ]; then /app/env/bin/ringfence warmup; fi' in made
