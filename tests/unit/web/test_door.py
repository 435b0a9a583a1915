"""A page of somebody else in a browser on this machine reaches nothing."""

import pytest

from bot.web.headers import POLICY
from tests.unit.web.asgi_client import Client


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "",
        "localhost:80:80",
        "0.0.0.0:8080",
    ],
)
async def test_a_host_name_that_is_not_ours_is_refused(client: Client, host: str) -> None:
    for path in ("/api/board", "/", "/health"):
        answer = await client.get(path, host=host)
        assert answer.status == 421, path
    assert answer.json()["next_step"]


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080"])
async def test_this_machine_is_answered_by_any_of_its_names(client: Client, host: str) -> None:
    assert (await client.get("/api/board", host=host)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8081"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
async def test_a_request_of_another_page_is_refused(client: Client, headers: dict[str, str]) -> None:
    assert (await client.get("/api/board", **headers)).status == 403


async def test_a_request_of_our_own_page_is_answered(client: Client) -> None:
    headers = {"origin": "http://127.0.0.1:8080", "sec_fetch_site": "same-origin"}
    assert (await client.get("/api/board", **headers)).status == 200


@pytest.mark.parametrize("path", ["/", "/api/board", "/health", "/nothing", "/api/nothing"])
async def test_every_answer_carries_the_policy(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
    kept = answer.headers["cache-control"]
    assert kept == ("no-store" if path.startswith("/api") else "no-cache")


async def test_an_error_says_what_to_do_next(client: Client) -> None:
    answer = await client.get("/api/nothing")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().keys() == {"title", "detail", "next_step"}


async def test_no_file_beside_the_pages_can_be_had(client: Client) -> None:
    for path in ("/../application.py", "/%2e%2e/application.py", "/..%2fapplication.py", "//etc/passwd"):
        assert (await client.get(path)).status == 404, path
