"""Messages through Apprise to services on this machine, and URLs that are none."""

import asyncio
import email
import email.policy
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from bot.alerts.courier import Courier, Parcel, in_thread
from bot.alerts.sinks import Sink, sinks_of
from bot.clock import WallClock
from bot.core.alert import Delivery
from bot.errors import UserError
from bot.logs import logger
from bot.redaction import remember_secrets, url_secrets
from bot.settings.alerts import AlertRoute
from tests.unit.alerts.receivers import MailService, WebService

SAID = Delivery(
    "d1", "0000000a", "phone", "alert", "critical", "CRITICAL BTC/USDT stop", "long 1 <b> & 2 %\n\nUTC.", 0
)
TOKEN = "CanaryToken99"

# Apprise imports a module of Python's that goes in 3.13, for its mail.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def sink(url: str) -> Sink:
    return sinks_of({"phone": AlertRoute(apprise_url=url)})["phone"]  # type: ignore[arg-type]


async def sent(url: str) -> str:
    return await in_thread(sink(url).send)(SAID)


async def test_a_push_service_gets_title_and_body_as_plain_text() -> None:
    async with WebService().serving() as service:
        assert await sent(f"ntfy://127.0.0.1:{service.port}/alerts") == ""
    (got,) = service.got
    assert (got["topic"], got["title"], got["message"]) == ("alerts", SAID.title, SAID.body)


async def test_a_webhook_gets_the_same_and_how_grave_it_is() -> None:
    async with WebService().serving() as service:
        assert await sent(f"json://127.0.0.1:{service.port}/hook/{TOKEN}") == ""
    (got,) = service.got
    assert (got["title"], got["message"], got["type"]) == (SAID.title, SAID.body, "failure")
    assert service.heads[0].startswith(f"POST /hook/{TOKEN} ")


async def test_a_mail_server_gets_a_mail() -> None:
    async with MailService().serving() as service:
        url = f"mailto://127.0.0.1:{service.port}?from=bot@example.org&to=me@example.org&format=text"
        assert await sent(url) == ""
    mail = email.message_from_string(service.mails[0], policy=email.policy.default)
    assert mail["Subject"] == SAID.title
    assert "long 1 <b> & 2 %" in str(mail)


@pytest.mark.parametrize("status", [400, 401, 500])
async def test_a_service_that_refuses_is_told_with_its_answer_and_without_secrets(
    status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    async with WebService(status).serving() as service:
        url = f"json://127.0.0.1:{service.port}/{TOKEN}"
        remember_secrets(url_secrets(url))
        reason = await sent(url)
    assert str(status) in reason
    shown = "".join(capfd.readouterr())
    assert TOKEN not in reason + shown


async def test_a_service_that_is_not_there_is_told_at_once() -> None:
    async with WebService().serving() as service:
        port = service.port
    assert "onnection" in await sent(f"json://127.0.0.1:{port}/")


async def test_a_service_that_never_answers_is_given_up_and_others_get_theirs_meanwhile() -> None:
    async with WebService(is_silent=True).serving() as silent, WebService().serving() as swift:
        sends = {
            "silent": in_thread(sink(f"json://127.0.0.1:{silent.port}/?rto=0.3").send),
            "swift": in_thread(sink(f"json://127.0.0.1:{swift.port}/").send),
        }
        courier = Courier(sends, WallClock(), logger())
        courier.take(Parcel(SAID._replace(delivery_id=name, route=name)) for name in sends)
        courier.look()
        ended = []
        while len(ended) < 2:
            await asyncio.sleep(0.01)
            ended += courier.outcomes()
    assert [(each.delivery_id, each.status) for each in ended] == [
        ("swift", "delivered"),
        ("silent", "given_up"),  # it was written long ago: a day of tries is over
    ]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "has no Apprise URL"),
        (f"nfty://host/{TOKEN}", 'begins with "nfty://", which is no service, did you mean "ntfy"?'),
        (f"qqqqqq://{TOKEN}", "which is no service, Apprise's documents list them"),
        (f"{TOKEN}", "one looks like ntfys://"),
        (f"{TOKEN}.{TOKEN}://x", "one looks like ntfys://"),
        (f"https://example.org/{TOKEN}", "a webhook is written json://"),
        (f"slack://{TOKEN}", "a URL of slack:// that lacks something"),
    ],
)
def test_a_url_of_no_service_is_refused_in_one_paragraph_that_does_not_show_it(url: str, said: str) -> None:
    with pytest.raises(UserError) as refused:
        sink(url)
    text = str(refused.value)
    assert text.startswith("The route phone of alerts has ")
    assert said in text
    assert "RINGFENCE__ALERTS__ROUTES__PHONE__APPRISE_URL" in text
    assert TOKEN not in text


def test_what_a_service_answers_is_shown_without_the_secrets_of_its_url() -> None:
    class Log:
        message = f"Bad Request: chat of {TOKEN}\n not found at tgram://bot:{TOKEN}@host"

    class Answer:
        def __bool__(self) -> bool:
            return False

        def logs(self) -> list[Log]:
            return [Log()]

    class Refusing:
        def notify(self, **_: object) -> Answer:
            return Answer()

    remember_secrets(url_secrets(f"tgram://bot:{TOKEN}/1"))
    assert Sink(Refusing()).send(SAID) == (
        "Bad Request: chat of [redacted] not found at tgram://[redacted]@host"
    )


def test_apprise_has_no_log_but_what_we_make_of_it() -> None:
    """Without a handler Python writes warnings to standard error, and at debug level there are URLs in it."""
    for _ in range(3):
        sink("json://127.0.0.1/")
    log = logging.getLogger("apprise")
    nothing = [handler for handler in log.handlers if isinstance(handler, logging.NullHandler)]
    assert (log.propagate, len(nothing)) == (False, 1)


def test_a_service_whose_code_fails_is_a_message_that_was_not_delivered() -> None:
    class Broken:
        def notify(self, **_: object) -> None:
            raise KeyError(TOKEN)

    assert Sink(Broken()).send(SAID) == "the service failed with KeyError"


def test_apprise_is_imported_only_where_a_route_is_set(root: Path) -> None:
    """It takes a quarter of a second and hundreds of modules."""
    code = (
        "import sys; import bot.alerts.alarm, bot.alerts.sinks;"
        "bot.alerts.sinks.sinks_of({}); print('apprise' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
