"""The calculators of the pages are those of the command line, and read no file of this machine."""

import json
from typing import Any

import pytest

from bot.cli.main import run
from tests.unit.web.asgi_client import Client

FIELDS = {
    "position": {"side": "long", "entry": 60000, "leverage": "10x", "quantity": 0.1},
    "leverage": {"side": "short", "entry": "60000", "stop": 61000, "sigma_day": "3%", "margin": 100},
    "size": {"side": "long", "entry": 60000, "stop": 59000, "equity": 10000, "sigma_day": "3%"},
    "topup": {"side": "long", "entry": 60000, "leverage": 20, "quantity": 0.1, "distance": "8%"},
    "funding": {"side": "long", "entry": 60000, "leverage": 10, "quantity": 1, "funding_rate": "-0.01%"},
    "tiers": {"symbol": "ETH"},
    "whatif": {
        "shock": ["-5%", "5%"],
        "side": "long",
        "entry": 60000,
        "leverage": 10,
        "quantity": 0.1,
        "free": 100,
    },
    "scenario": {"name": "portfolio"},
}


def printed(name: str, fields: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> Any:
    """Return what the command line prints for the same fields."""
    words = []
    for field, value in fields.items():
        texts = [str(each) for each in (value if isinstance(value, list) else [value])]
        flag = f"--{field.replace('_', '-')}="
        words += texts if name == "scenario" else [flag + text for text in texts]
    capsys.readouterr()
    assert run(["calc", name, *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", FIELDS)
async def test_a_form_answers_what_the_command_line_prints(
    client: Client, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = await client.post(f"/api/calc/{name}", {"fields": FIELDS[name]})
    assert told.status == 200, told.body
    assert capsys.readouterr().out == ""
    assert told.json()["answer"] == printed(name, FIELDS[name], capsys)


async def test_every_verb_is_a_form_with_the_words_of_its_flags(client: Client) -> None:
    forms = {form["name"]: form for form in (await client.get("/api/calc")).json()["forms"]}
    assert forms.keys() == FIELDS.keys()
    fields = {field["name"]: field for field in forms["whatif"]["fields"]}
    assert fields["shock"]["kind"] == "list"
    assert fields["side"]["choices"] == ["long", "short"]
    assert fields["sigma_day"]["meaning"] == "Volatility per day: 3% or 0.03."
    assert forms["scenario"]["fields"][0]["is_required"]


@pytest.mark.parametrize("name", FIELDS)
async def test_no_form_reads_a_file_or_a_database(client: Client, name: str) -> None:
    for field in ("file", "db", "config", "path", "data", "live", "as_json"):
        answer = await client.post(f"/api/calc/{name}", {"fields": {field: "/etc/passwd"}})
        assert answer.status == 422, field
        assert "has no field" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"side": "up", "entry": 1, "leverage": 2, "quantity": 1}, "--side"),
        ({"side": "long", "entry": -60000, "leverage": 10, "quantity": 0.1}, "--entry"),
        ({"side": "--help", "entry": 1, "leverage": 2, "quantity": 1}, "--side"),
        ({"side": ["long", "short"]}, "one value"),
        ({"entry": "9" * 300}, "longer"),
        ({"inverse": "yes"}, "true or false"),
        ({"over": "4d"}, "has no field"),
    ],
)
async def test_bad_input_is_refused_in_words(client: Client, fields: dict[str, Any], says: str) -> None:
    answer = await client.post("/api/calc/position", {"fields": fields})
    assert answer.status == 422
    assert says in answer.json()["detail"]


@pytest.mark.parametrize(
    "raw", [b"{", b"\xff\xfe", b"[]", b'{"fields": 1}', b'{"fields": {"side": {}}}', b""]
)
async def test_malformed_bodies_are_refused(client: Client, raw: bytes) -> None:
    answer = await client.post("/api/calc/position", raw)
    assert answer.status in (400, 422)
    assert answer.json()["next_step"]


async def test_a_body_that_is_not_json_or_too_large_is_refused(client: Client) -> None:
    assert (await client.post("/api/calc/position", b"{}", content_type="text/plain")).status == 415
    assert (await client.post("/api/calc/position", b" " * 70_000)).status == 413
    assert (await client.post("/api/calc/position", b"{}", transfer_encoding="chunked")).status == 413
    assert (await client.post("/api/calc/nothing", {"fields": {}})).status == 404


async def test_a_walk_that_takes_minutes_is_left_to_the_command_line(client: Client) -> None:
    answer = await client.post("/api/calc/whatif", {"fields": {"shock": "-5%", "over": "4d"}})
    assert (answer.status, "at most 3d" in answer.json()["detail"]) == (422, True)
