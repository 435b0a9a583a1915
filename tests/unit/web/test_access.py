"""Beyond paper money on this machine nobody is let in without a password or a token, and no longer."""

import re
import stat
from typing import Any

import pytest

from bot.errors import UserError
from bot.web.application import api, application
from bot.web.attempts import Attempts
from bot.web.guards import COOKIE
from bot.web.office import Office
from bot.web.serving import server_for
from bot.web.vault import Vault
from tests.unit.web.asgi_client import Client, Reply

OURS = {"origin": "http://127.0.0.1:8080", "sec_fetch_site": "same-origin"}


@pytest.fixture
def vault(office: Office) -> Any:
    yield office.guards.vault
    office.guards.vault.file.unlink(missing_ok=True)


@pytest.fixture
def closed(office_for: Any, bot: Any, vault: Vault) -> Office:
    """Return the office of a session whose money is not paper's."""
    run = bot.settings.run.model_copy(update={"mode": "testnet"})
    return office_for(bot.settings.model_copy(update={"run": run}))


@pytest.fixture
def stranger(closed: Office) -> Client:
    return Client(application(closed))


async def login(client: Client, password: str) -> Reply:
    answer = await client.post("/api/login", {"password": password}, **OURS)
    for cookie in answer.cookies:
        client.headers["cookie"] = cookie.partition(";")[0]
    return answer


OPEN = {"/api/session", "/health", "/metrics"}


def reads(office: Office) -> list[str]:
    """Return every path of the API that is read, with something in the place of its parameters."""
    paths = [path for path, verbs in api(office).openapi()["paths"].items() if "get" in verbs]
    return [re.sub(r"{.*?}", "1", path) for path in paths if path not in OPEN]


async def test_a_stranger_reads_nothing(stranger: Client, closed: Office) -> None:
    paths = reads(closed)
    assert len(paths) > 15
    for path in paths:
        assert (await stranger.get(path)).status == 401, path
    told = (await stranger.get("/api/session")).json()
    assert (told["is_let_in"], told["is_open"], told["scopes"]) == (False, False, [])


async def test_the_password_opens_a_session_whose_cookie_no_script_and_no_site_sees(
    stranger: Client, vault: Vault
) -> None:
    answer = await login(stranger, vault.new_password())
    assert answer.json()["scopes"] == ["guard", "read", "trade"]
    (cookie,) = answer.cookies
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert (await stranger.get("/api/board")).status == 200


async def test_behind_tls_the_cookie_is_for_tls_alone(office_for: Any, bot: Any, vault: Vault) -> None:
    web = bot.settings.web.model_copy(update={"public_url": "https://bot.example"})
    client = Client(application(office_for(bot.settings.model_copy(update={"web": web}))), "bot.example")
    password = vault.new_password()
    headers = {"origin": "https://bot.example"}
    answer = await client.post("/api/login", {"password": password}, **headers)
    assert "Secure" in answer.cookies[0].split("; ")
    assert (await client.get("/api/board")).status == 401


async def test_a_wrong_password_and_no_password_open_nothing(stranger: Client, vault: Vault) -> None:
    assert (await login(stranger, "")).status == 422
    assert (await login(stranger, "guess")).status == 401
    password = vault.new_password()
    assert (await login(stranger, password + "x")).status == 401
    assert (await stranger.get("/api/board")).status == 401


async def test_a_session_ends_when_it_is_not_used_and_after_half_a_day(
    stranger: Client, vault: Vault, clock: Any
) -> None:
    await login(stranger, vault.new_password())
    clock.now += 14 * 60
    assert (await stranger.get("/api/board")).status == 200
    clock.now += 16 * 60
    assert (await stranger.get("/api/board")).status == 401


async def test_use_does_not_keep_a_session_longer_than_half_a_day(
    stranger: Client, vault: Vault, clock: Any
) -> None:
    await login(stranger, vault.new_password())
    for _ in range(72):
        assert (await stranger.get("/api/session")).json()["is_let_in"]
        clock.now += 10 * 60
    assert (await stranger.get("/api/board")).status == 401


async def test_logging_out_and_a_new_password_end_sessions(stranger: Client, vault: Vault) -> None:
    password = vault.new_password()
    await login(stranger, password)
    cookie = stranger.headers["cookie"]
    await stranger.post("/api/logout", **OURS)
    assert (await stranger.get("/api/board", cookie=cookie)).status == 401
    await login(stranger, password)
    assert (await stranger.get("/api/board")).status == 200
    vault.new_password()
    assert (await stranger.get("/api/board")).status == 401


async def test_a_cookie_without_a_page_of_ours_orders_nothing(stranger: Client, vault: Vault) -> None:
    await login(stranger, vault.new_password())
    for headers in ({}, {"origin": "http://evil.example"}, {"sec_fetch_site": "cross-site"}):
        answer = await stranger.post("/api/calc/tiers", {"fields": {}}, **headers)
        assert answer.status == 403, headers
    assert (await stranger.post("/api/calc/tiers", {"fields": {}}, **OURS)).status == 200


async def test_guessing_is_slowed_down_by_doubling(stranger: Client, vault: Vault, clock: Any) -> None:
    password = vault.new_password()
    answers = [await login(stranger, "guess") for _ in range(4)]
    assert [answer.status for answer in answers] == [401, 401, 401, 429]
    assert answers[-1].headers["retry-after"] == "1"
    assert (await login(stranger, password)).status == 429, "a right one has to wait as well"
    clock.now += 1.5
    assert (await login(stranger, "guess")).status == 401
    assert (await login(stranger, "guess")).headers["retry-after"] == "2"
    clock.now += 2.5
    assert (await login(stranger, password)).status == 200
    assert (await login(stranger, "guess")).status == 401


def test_many_addresses_do_not_get_round_the_wait(clock: Any) -> None:
    attempts = Attempts(clock)
    for number in range(40):
        attempts.failed(f"10.0.0.{number}")
    assert attempts.wait_seconds("10.0.1.1") > 60.0
    for _ in range(30):
        attempts.failed("10.0.0.1")
    assert attempts.wait_seconds("10.0.0.1") == 900.0


@pytest.fixture
def proxied(office_for: Any, bot: Any, vault: Vault) -> Client:
    """Return a client that comes through a reverse proxy on this machine."""
    web = bot.settings.web.model_copy(update={"public_url": "https://bot.example"})
    office = office_for(bot.settings.model_copy(update={"web": web}))
    config = server_for(application(office), web).config
    config.load()
    return Client(config.loaded_app, "bot.example")


async def test_behind_a_proxy_one_who_guesses_makes_nobody_else_wait(proxied: Client, vault: Vault) -> None:
    password, headers = vault.new_password(), {"origin": "https://bot.example"}

    async def tried(text: str, forwarded: str) -> int:
        asked = {**headers, "x_forwarded_for": forwarded}
        return (await proxied.post("/api/login", {"password": text}, **asked)).status

    guesses = [await tried("guess", f"198.51.100.{number}, 203.0.113.9") for number in range(4)]
    assert guesses == [401, 401, 401, 429], "what stands left of the proxy's own word is anybody's"
    assert await tried(password, "203.0.113.8") == 200


async def test_only_the_proxy_is_believed_from_where_a_request_came(proxied: Client, vault: Vault) -> None:
    password, headers = vault.new_password(), {"origin": "https://bot.example"}
    proxied.address = "203.0.113.9"
    for number in range(3):
        forged = {**headers, "x_forwarded_for": f"198.51.100.{number}"}
        assert (await proxied.post("/api/login", {"password": "guess"}, **forged)).status == 401
    forged = {**headers, "x_forwarded_for": "198.51.100.9"}
    assert (await proxied.post("/api/login", {"password": password}, **forged)).status == 429


async def test_without_a_proxy_nobody_says_from_where_a_request_came(
    stranger: Client, closed: Office, vault: Vault
) -> None:
    config = server_for(stranger.app, closed.settings.web).config
    config.load()
    stranger.app = config.loaded_app
    for number in range(3):
        stranger.headers["x-forwarded-for"] = f"198.51.100.{number}"
        assert (await login(stranger, "guess")).status == 401
    assert (await login(stranger, vault.new_password())).status == 429


async def test_a_token_may_what_its_scopes_say_and_no_more(stranger: Client, vault: Vault) -> None:
    seer, trader = vault.new_token("seer", ("read",), 1), vault.new_token("trader", ("trade",), 2)
    assert (await stranger.get("/api/board", authorization=f"Bearer {seer}")).status == 200
    refused = await stranger.get("/api/board", authorization=f"Bearer {trader}")
    assert refused.status == 403
    assert "this needs read" in refused.json()["detail"]
    for wrong in ("", "x", seer[:-1], seer + "x", "é"):
        assert (await stranger.get("/api/board", authorization=f"Bearer {wrong}")).status == 401
    vault.revoke("seer")
    assert (await stranger.get("/api/board", authorization=f"Bearer {seer}")).status == 401


def test_only_hashes_are_kept_in_a_file_of_its_owner(vault: Vault) -> None:
    password, token = vault.new_password(), vault.new_token("one", ("read", "guard"), 1)
    text = vault.file.read_text(encoding="utf-8")
    assert password not in text
    assert token not in text
    assert "$argon2id$" in text
    assert stat.S_IMODE(vault.file.stat().st_mode) == 0o600
    other = Vault(vault.file.with_name(vault.file.name.removesuffix(".access")))
    assert other.is_password(password)
    assert [each.name for each in other.tokens] == ["one"]


def test_a_token_needs_a_name_of_its_own_and_scopes_there_are(vault: Vault) -> None:
    vault.new_token("one", ("read",), 1)
    for name, scopes in (("one", ("read",)), ("two", ("admin",)), ("three", ())):
        with pytest.raises(UserError):
            vault.new_token(name, scopes, 1)
    with pytest.raises(UserError, match="there are one"):
        vault.revoke("two")


async def test_nobody_is_let_in_by_a_file_that_cannot_be_read(stranger: Client, vault: Vault) -> None:
    await login(stranger, vault.new_password())
    vault.file.write_text("{", encoding="utf-8")
    answer = await stranger.get("/api/board")
    assert answer.status == 503
    assert "ringfence web password" in answer.json()["detail"]


async def test_on_paper_this_machine_needs_no_password(client: Client) -> None:
    told = (await client.get("/api/session")).json()
    assert (told["is_let_in"], told["is_open"]) == (True, True)
    assert (await client.get("/api/board")).status == 200
