"""Settings of alerts: routes by environment and secrets folder, their URLs never in a file nor shown."""

import json
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.redaction import REDACTED, url_secrets, without_secrets
from bot.settings import config_hash, effective, load
from bot.settings.values import plain

URL = "tgram://123456789:CanaryTokenABCDEF/CanaryChat99?format=text&auth=Canary%20Auth"
NAME = "RINGFENCE__ALERTS__ROUTES__PHONE__APPRISE_URL"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o700)
    return tmp_path


def test_a_variable_makes_a_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, f"{URL}\n")
    monkeypatch.setenv("RINGFENCE__ALERTS__ROUTES__PHONE__ALSO", "stop, liquidation")
    route = load().alerts.routes["phone"]
    assert plain(route.apprise_url) == URL
    assert route.also == ("stop", "liquidation")


def test_a_file_of_the_secrets_folder_is_the_url_of_a_route_that_a_file_describes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_SECRETS_DIR", str(folder))
    secret = folder / "alerts__routes__phone__apprise_url"
    secret.write_text(f"{URL}\n")
    secret.chmod(0o600)
    config = folder.parent / f"{folder.name}.toml"
    config.write_text('[alerts.routes.phone]\nquiet_hours = "22:00-07:00"\n')
    route = load(config).alerts.routes["phone"]
    assert (plain(route.apprise_url), route.quiet_hours) == (URL, "22:00-07:00")


def test_a_url_in_a_configuration_file_is_refused(folder: Path) -> None:
    config = folder / "c.toml"
    config.write_text(f'[alerts.routes.phone]\napprise_url = "{URL}"\n')
    with pytest.raises(UserError, match="Secrets do not belong") as refused:
        load(config)
    assert "Canary" not in str(refused.value)


def test_no_part_of_a_url_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services echo tokens alone, decoded or not, in what they answer."""
    monkeypatch.setenv(NAME, URL)
    settings = load()
    shown = json.dumps(effective(settings)) + repr(settings) + config_hash(settings)
    assert "Canary" not in shown
    assert effective(settings)["alerts"]["routes"]["phone"]["apprise_url"] == REDACTED
    for said in (URL, "bot123456789:CanaryTokenABCDEF", "chat CanaryChat99", "Canary%20Auth", "Canary Auth"):
        assert "Canary" not in without_secrets(said)


def test_the_name_of_a_host_is_no_secret_and_everything_else_may_be() -> None:
    assert url_secrets("") == url_secrets("nonsense") == ()
    url = "mailtos://user:pass%2Fword@mail.example.org?format=markdown&to=me@localhost"
    assert url_secrets(url) == (url, "user", "pass%2Fword", "me", "pass/word")


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("ROUTES__PHONE__ALSO", "stopp", 'did you mean "stop"'),
        ("ROUTES__PHONE__QUIET_HOURS", "22-7", "22:00-07:00"),
        ("ROUTES__PHONE__LEAST_GRADE", "bad", "it must be"),
        ("ROUTES__PHONE__MOST_PER_HOUR", "0", "at least 1"),
        ("ROUTES__PHONE__APRISE_URL", "x", 'did you mean "apprise_url"'),
        ("DISTANCE_LEVELS", "2%", "0.02,0.01"),
        ("DISTANCE_LEVELS", "0.02,1.5", "above 0 and below 1"),
        ("DISTANCE_LEVELS", "0.02,0.02", "different"),
        ("DAILY_SUMMARY_AT", "25:00", "07:30"),
    ],
)
def test_what_is_impossible_is_refused_with_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, key: str, text: str, said: str
) -> None:
    monkeypatch.setenv(f"RINGFENCE__ALERTS__{key}", text)
    with pytest.raises(UserError, match="Nothing was started") as refused:
        load()
    assert said in str(refused.value)


def test_a_route_has_a_plain_name(folder: Path) -> None:
    config = folder / "c.toml"
    config.write_text('[alerts.routes."My Phone"]\nquiet_hours = ""\n')
    with pytest.raises(UserError, match="no name of a route"):
        load(config)
