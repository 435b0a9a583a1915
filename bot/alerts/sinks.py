"""The far end of a route: one service of Apprise, which is imported only where a route is set.

Nothing of its URL is shown: not in an error, not in what the service answers, not in Apprise's own log.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from bot.core.alert import Delivery
from bot.errors import UserError
from bot.plugins import did_you_mean
from bot.redaction import redacted
from bot.settings.alerts import AlertRoute
from bot.settings.values import plain

_NEXT_STEP: Final = (
    "Nothing was started: correct it where the secret is kept, in the secrets folder or the variable "
    "RINGFENCE__ALERTS__ROUTES__{variable}__APPRISE_URL; ringfence alerts test tries it."
)
_LONGEST_REASON: Final = 300
_LONGEST_SCHEME: Final = 20
_TYPES: Final = {"info": "info", "warning": "warning", "critical": "failure"}


class Sink:
    """One service. Its calls block for as long as it takes to answer: use it in a thread."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, delivery: Delivery) -> str:
        """Send once; return "" when the service took it, else why not, in one line without secrets."""
        try:
            result = self._client.notify(
                body=delivery.body,
                title=delivery.title,
                notify_type=_TYPES[delivery.grade],
                body_format="text",
                log_level=logging.WARNING,
            )
        except Exception as error:  # noqa: BLE001  a service is somebody else's code
            return f"the service failed with {type(error).__name__}"
        if result:
            return ""
        said = " ".join(" ".join(entry.message.split()) for entry in result.logs())
        return redacted("", said)[:_LONGEST_REASON] or "the service did not take it"


def sinks_of(routes: Mapping[str, AlertRoute]) -> dict[str, Sink]:
    """Return the service of each route. UserError: a route has no URL, or one that is of no service."""
    return {name: _sink(name, plain(route.apprise_url)) for name, route in sorted(routes.items())}


def _sink(name: str, url: str) -> Sink:
    if not url:
        raise UserError(f"The route {name} of alerts has no Apprise URL. {_next_step(name)}")
    import apprise  # noqa: PLC0415  a quarter of a second: only those who are told something wait for it

    _silence(logging.getLogger("apprise"))
    # No deadline of its own: that would take threads which hold the end of the process up.
    asset = apprise.AppriseAsset(
        app_id="Ringfence",
        app_desc="Ringfence",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
        storage_mode="memory",
        service_timeout=0,
    )
    service = apprise.Apprise.instantiate(url, asset=asset)
    if service is None:
        fault = _fault(url)
        end = "" if fault.endswith("?") else "."
        raise UserError(f"The route {name} of alerts has {fault}{end} {_next_step(name)}")
    return Sink(apprise.Apprise(service, asset=asset))


def _silence(log: logging.Logger) -> None:
    """Keep a log to itself: it would go to standard error, with what none of ours has redacted."""
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())


def _fault(url: str) -> str:
    """Return what is wrong with a URL, showing its scheme at most."""
    from apprise.manager_plugins import NotificationManager  # noqa: PLC0415  imported by now

    scheme, is_there, _ = url.partition("://")
    if not is_there or not scheme.isalnum() or len(scheme) > _LONGEST_SCHEME:
        return "no Apprise URL: one looks like ntfys://ntfy.sh/TOPIC"
    known = sorted(NotificationManager().schemas())
    if scheme.lower() in ("http", "https"):
        return "a web address: a webhook is written json:// or jsons://"
    if scheme.lower() not in known:
        meant = did_you_mean(scheme, known)
        hint = meant.rstrip(".") if meant.startswith("did") else "Apprise's documents list them"
        return f'a URL that begins with "{scheme}://", which is no service, {hint}'
    return f"a URL of {scheme}:// that lacks something, or has too much, for that service"


def _next_step(name: str) -> str:
    return _NEXT_STEP.format(variable=name.upper())
