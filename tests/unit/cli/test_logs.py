"""Log lines: their shape, and that no secret passes."""

import io

import orjson
import pytest

from bot import logs
from bot.cli.session import tell_data
from bot.redaction import REDACTED


def _lines(stream: io.StringIO) -> list[dict]:
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("name", ["api_key", "secret", "api_secret", "password", "auth_token", "passphrase"])
def test_a_value_under_a_secret_name_is_redacted(name):
    assert logs.redact_secrets(None, "info", {"event": "venue.connected", name: "hunter2"})[name] == REDACTED


@pytest.mark.parametrize(
    "text",
    [
        "GET /order?apiKey=hunter2&x=1",
        "secret: hunter2",
        "https://user:hunter2@host/path",
        "http://user:p/hunter2@host:8888",
        "http://user:p@hunter2@host:8888",
        "token=hunter2",
    ],
)
def test_a_secret_inside_a_text_is_redacted(text):
    line = logs.redact_secrets(None, "info", {"event": "venue.refused", "detail": {"replies": [text]}})
    assert "hunter2" not in str(line)
    assert REDACTED in str(line)


@pytest.mark.parametrize("name", ["symbol", "monkey", "tokenized_shares", "mark", "keyboard"])
def test_ordinary_facts_pass_unchanged(name):
    assert logs.redact_secrets(None, "info", {name: "BTC/USDT:USDT"}) == {name: "BTC/USDT:USDT"}


def test_a_line_is_one_json_object_with_time_level_event_and_facts():
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    logs.logger(run="r1").info("margin.added", amount_quote=35.2, reason="above band\nsecond line")
    (line,) = _lines(stream)
    assert line["event"] == "margin.added"
    assert (line["level"], line["run"], line["amount_quote"]) == ("info", "r1", 35.2)
    assert line["time"].endswith("Z")
    assert list(line)[:3] == ["time", "level", "event"], "what people look for stands first"


def test_lines_below_the_level_are_not_written():
    stream = io.StringIO()
    logs.configure("json", "warning", stream)
    bound = logs.logger()
    bound.info("margin.held")
    bound.warning("feed.stale")
    assert [line["event"] for line in _lines(stream)] == ["feed.stale"]


def test_an_exception_in_a_line_keeps_its_traceback_and_loses_its_secret():
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    try:
        raise ValueError("token=hunter2")
    except ValueError:
        logs.logger().exception("strategy.failed")
    assert "ValueError" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_auto_writes_json_where_there_is_no_terminal(tmp_path):
    path = tmp_path / "ringfence.log"
    with logs.open_stream(path, io.StringIO()) as stream:
        logs.configure("auto", "info", stream)
        logs.logger().info("run.started")
    assert orjson.loads(path.read_text())["event"] == "run.started"


def test_the_files_played_are_information_and_what_they_lack_a_warning():
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    tell_data("Replaying 1m candles from a.csv.", ["No funding."])
    tell_data("", ())
    assert [(line["level"], line["notice"]) for line in _lines(stream)] == [
        ("info", "Replaying 1m candles from a.csv."),
        ("warning", "No funding."),
    ]
