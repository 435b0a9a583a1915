"""Where settings come from, which source wins, and what is refused."""

import os
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.settings import Flag, Settings, load
from bot.settings.keys import known_keys
from bot.settings.model import ENVIRONMENT_PREFIX
from bot.settings.near_misses import setting_paths, variable_meant


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in [name for name in os.environ if name.upper().startswith("RINGFENCE_")]:
        monkeypatch.delenv(name)


class Places:
    """Writes one setting into any of the places it may come from."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.config: Path | None = None
        self.flags: tuple[Flag, ...] = ()

    def file(self, text: str) -> None:
        self.config = self.folder / "config.toml"
        self.config.write_text(text)

    def secret(self, name: str, text: str) -> None:
        path = self.folder / "secrets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
        path.chmod(0o600)
        self.monkeypatch.setenv("RINGFENCE_SECRETS_DIR", str(self.folder / "secrets"))

    def variable(self, name: str, text: str) -> None:
        self.monkeypatch.setenv(name, text)

    def flag(self, key: str, value: object) -> None:
        self.flags += (Flag(key, "--flag", value),)

    def load(self):
        return load(self.config, self.flags)

    def refusal(self) -> str:
        with pytest.raises(UserError) as caught:
            self.load()
        text = str(caught.value)
        assert "\n" not in text, "an error is one paragraph"
        return text


@pytest.fixture
def places(tmp_path, monkeypatch):
    return Places(tmp_path, monkeypatch)


_PUT = {
    "file": lambda places, seed: places.file(f"[run]\nseed = {seed}"),
    "secret": lambda places, seed: places.secret("run__seed", str(seed)),
    "environment": lambda places, seed: places.variable("RINGFENCE__RUN__SEED", str(seed)),
    "flag": lambda places, seed: places.flag("run.seed", seed),
}


@pytest.mark.parametrize("place", list(_PUT))
def test_every_place_overrides_the_default(places, place):
    _PUT[place](places, 4_711)
    assert places.load().run.seed == 4_711


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        ("flag", "environment"),
        ("flag", "secret"),
        ("flag", "file"),
        ("environment", "secret"),
        ("environment", "file"),
        ("secret", "file"),
    ],
)
def test_the_stronger_place_wins(places, winner, loser):
    _PUT[loser](places, 1)
    _PUT[winner](places, 2)
    assert places.load().run.seed == 2


def test_places_are_merged_key_by_key_not_table_by_table(places):
    places.file("[margin.limits]\nmax_adds = 3\nmin_step_quote = 25.0\n[run]\nseed = 1")
    places.variable("RINGFENCE__MARGIN__LIMITS__MAX_ADDS", "9")
    places.flag("margin.policy", "volatility")
    settings = places.load()
    assert (settings.margin.limits.max_adds, settings.margin.limits.min_step_quote) == (9, 25.0)
    assert (settings.margin.policy, settings.run.seed) == ("volatility", 1)


def test_a_secret_may_stand_in_a_folder_named_by_its_section(places):
    places.secret("run/seed", "99")
    assert places.load().run.seed == 99


def test_params_of_a_policy_survive_choosing_another_one(places):
    places.file('[margin]\npolicy = "stop_anchor"\n[margin.params.stop_anchor]\nlow = 0.5')
    places.flag("margin.policy", "static")
    settings = places.load()
    assert settings.margin.policy_params == settings.margin.params.static
    assert settings.margin.params.stop_anchor.low == 0.5


def test_params_of_a_strategy_are_numbers_from_any_place(places):
    places.file("[strategy.params.ema_cross]\nfast = 5")
    places.variable("RINGFENCE__STRATEGY__PARAMS__EMA_CROSS__STOP_ATR", "7.5")
    assert places.load().strategy.params == {"ema_cross": {"fast": 5, "stop_atr": 7.5}}


@pytest.mark.parametrize(
    ("text", "key", "meant"),
    [
        ("[run]\nsead = 1", "run.sead", '"seed"'),
        ("[rum]\nseed = 1", "rum.seed", '"run"'),
        ("[margin.limits]\nmax_ads = 3", "margin.limits.max_ads", '"max_adds"'),
        ("[margin.params.stop_anchr]\nlow = 0.5", "margin.params.stop_anchr.low", '"stop_anchor"'),
        ("[margin.params.volatility]\nsigma = 3.0", "margin.params.volatility.sigma", '"sigmas"'),
        ("[entry]\nmax_levrage = 3", "entry.max_levrage", '"max_leverage"'),
        ("[brackts]", "brackts", '"brackets"'),
        ("seed = 1", "seed", '"run.seed"'),
    ],
)
def test_a_misspelt_key_in_a_file_is_refused_with_the_file_the_key_and_the_nearest(places, text, key, meant):
    places.file(text)
    refusal = places.refusal()
    assert "config.toml" in refusal
    assert key in refusal
    assert meant in refusal


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("RINGFENCE__RUN__SEAD", '"seed"'),
        ("RINGFENCE__RUM__SEED", '"run"'),
        ("RINGFENCE__MARGIN__LIMITS__MAX_ADDSS", '"max_adds"'),
        ("RINGFENCE_RUN__SEED", '"RINGFENCE__RUN__SEED"'),
        ("RINGFENCE_RUN_SEED", '"RINGFENCE__RUN__SEED"'),
        ("RINGFENCE__ENTRY_MAX_LEVERAGE", '"RINGFENCE__ENTRY__MAX_LEVERAGE"'),
        ("RINGFENCE_ENTRY_MAX_LEVERAGE", '"RINGFENCE__ENTRY__MAX_LEVERAGE"'),
        ("RINGFENCE__MARGIN__LIMITS_MAX_ADDS", '"RINGFENCE__MARGIN__LIMITS__MAX_ADDS"'),
        ("RINGFENCE__MARGIN_LIMITS_MAX_ADDS", '"RINGFENCE__MARGIN__LIMITS__MAX_ADDS"'),
        ("RINGFNCE__ENTRY__MAX_LEVERAGE", '"RINGFENCE__ENTRY__MAX_LEVERAGE"'),
        ("RINGFENCES__ENTRY__MAX_LEVERAGE", '"RINGFENCE__ENTRY__MAX_LEVERAGE"'),
        ("ringfecne__margin__limits__max_adds", '"RINGFENCE__MARGIN__LIMITS__MAX_ADDS"'),
        ("ringfence__run__sead", '"seed"'),
    ],
)
def test_a_misspelt_variable_is_refused_with_its_name_and_the_nearest(places, variable, meant):
    places.variable(variable, "1")
    refusal = places.refusal()
    assert variable in refusal
    assert meant in refusal


def test_no_variable_of_a_setting_looks_like_another():
    known = known_keys(Settings)
    for path in setting_paths(known):
        assert variable_meant(ENVIRONMENT_PREFIX + "__".join(path).upper(), known) == ""


@pytest.mark.parametrize(
    "variable",
    ["FREQTRADE__ENTRY__MAX_LEVERAGE", "RINGFNCE__OTHER__KEY", "RINGFENCE_IMAGE_TAG", "RING__RUN__SEED"],
)
def test_a_variable_of_another_program_is_passed_over(places, variable):
    places.variable(variable, "1")
    places.load()


def test_a_misspelt_secret_is_refused_with_its_file_and_without_its_text(places):
    places.secret("run__sead", "hunter2")
    refusal = places.refusal()
    assert "run__sead" in refusal
    assert '"seed"' in refusal
    assert "hunter2" not in refusal


def test_a_bad_secret_is_refused_without_its_text(places):
    places.secret("run__seed", "hunter2")
    refusal = places.refusal()
    assert "run__seed" in refusal
    assert "hunter2" not in refusal


def test_a_misspelt_flag_key_is_refused():
    with pytest.raises(UserError, match=r'"seed"'):
        load(flags=(Flag("run.sead", "--seed", 1),))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[entry]\nmax_leverage = 0", "at least 1"),
        ("[entry]\nmax_leverage = 126", "at most 125"),
        ("[entry]\nmax_leverage = 2.5", "whole number"),
        ("[entry]\nmax_leverage = true", "number was expected"),
        ("[entry]\nrisk_fraction = -0.01", "at least"),
        ("[entry]\nrisk_fraction = nan", "finite number"),
        ("[entry]\nrisk_fraction = inf", "finite number"),
        ("[entry]\nrisk_fraction = 'much'", "number"),
        ("[margin]\npolicy = 'stop_ancor'", '"stop_anchor"'),
        ("[margin]\nlimits = 3", "table"),
        ("[margin.params.stop_anchor]\nlow = 1.2", "at most"),
        ("[margin.params.stop_anchor]\nhigh = 0.9", "at least"),
        ("[run]\nmode = 'demo'", "paper"),
        ("[exchange]\nname = 'binance'", "binanceusdm"),
        ("[run]\nmode = 'papr'", "'paper'"),
        ("[run]\nspeed = 'fast'", '"60x"'),
        ("[run]\nspeed = 0", "at least 0.01"),
        ("[run]\nspeed = nan", "at least"),
        ("[run]\nfor_seconds = 'soon'", '"10m"'),
        ("[run]\nfor_seconds = -5", "above 0"),
        ("[run]\nheadless = 'perhaps'", "true or false"),
        ("[feed]\nkind = 'past'", "'synthetic', 'replay' or 'live'"),
        ("[feed]\nsymbols = ['BTCUSDT']", '"BTC/USDT:USDT"'),
        ("[feed]\nsymbols = []", "at least one"),
        ("[feed]\ntimerange = 'yesterday'", "YYYYMMDD-YYYYMMDD"),
        ("[feed]\ntimerange = '20250225-20250128'", "20250225-20250128"),
        ("[feed]\ntimeframe = '7m'", "7m"),
        ("[venue]\ndeposit_quote = 0", "above 0"),
        ("[venue]\nprofile = 'binance'", "'binanceusdm'"),
    ],
)
def test_an_impossible_value_is_refused_with_its_bound(places, text, says):
    places.file(text)
    refusal = places.refusal()
    assert "config.toml" in refusal
    assert says in refusal


def test_an_impossible_variable_is_named_with_its_setting(places):
    places.variable("RINGFENCE__ENTRY__MAX_LEVERAGE", "0")
    refusal = places.refusal()
    assert "RINGFENCE__ENTRY__MAX_LEVERAGE (entry.max_leverage)" in refusal
    assert "at least 1" in refusal


def test_every_impossible_value_is_named_at_once(places):
    places.file("[entry]\nmax_leverage = 0\nrisk_fraction = -1.0")
    places.variable("RINGFENCE__RUN__SEED", "-1")
    refusal = places.refusal()
    assert all(key in refusal for key in ("entry.max_leverage", "entry.risk_fraction", "run.seed"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[feed]\nkind = 'replay'", "feed.data"),
        (
            "[entry]\nmin_stop_distance = 0.2\nmax_stop_distance = 0.1",
            "entry.min_stop_distance 0.2 is not below entry.max_stop_distance 0.1",
        ),
        ("[entry]\nmax_stop_distance = 0.9\nbuffer_min = 0.2", "beyond liquidation"),
        ("[entry]\nposition_cap_fraction = 0.7\nportfolio_cap_fraction = 0.6", "portfolio_cap_fraction"),
        ("[entry]\nportfolio_cap_fraction = 0.9\nreserve_fraction = 0.2", "whole equity"),
        ("[brackets]\nfirst_take_profit_r = 3.0\nsecond_take_profit_r = 2.0", "first_take_profit_r"),
        ("[entry]\nmin_reward_to_risk = 5.0", "every entry would be refused"),
        ("[entry]\nrisk_fraction = 0.06", "entry.daily_loss_fraction"),
        ("[margin.limits]\nposition_cap_fraction = 0.1", "margin.limits.position_cap_fraction"),
        (
            "[margin.limits]\nreserve_fraction = 0.9\nposition_cap_fraction = 0.5",
            "margin.limits.reserve_fraction 0.9 and margin.limits.position_cap_fraction 0.5",
        ),
        (
            "[margin.limits]\nanchor_buffer_sigmas = 2\n[margin.params.stop_anchor]\nbuffer_sigmas = 0.5",
            "margin.limits.anchor_buffer_sigmas 2.0 is above margin.params.stop_anchor.buffer_sigmas 0.5",
        ),
        (
            "margin.policy = 'static'\n[margin.params.distance_band]\ntarget_distance = 0.1\ntarget_atrs = 5",
            "distance_band.target_distance 0.1 and margin.params.distance_band.target_atrs 5.0 are both set",
        ),
        ("[brackets]\ntrail_distance_r = 2.5", "brackets.trail_distance_r"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(places, text, says):
    places.file(text)
    refusal = places.refusal()
    assert "contradict" in refusal
    assert says in refusal


@pytest.mark.parametrize(
    "content", [b"[run\n", b"[run]\nseed = \n", b"\xff\xfe\x00", b"[run]\nseed=1\nseed=2\n"]
)
def test_a_file_that_is_no_toml_is_refused(places, content):
    places.config = places.folder / "config.toml"
    places.config.write_bytes(content)
    assert "config.toml cannot be read" in places.refusal()


@pytest.mark.parametrize("name", ["absent.toml", "."])
def test_a_file_that_is_not_there_is_refused(places, name):
    places.config = places.folder / name
    assert "no configuration file" in places.refusal()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('[entry]\nmax_leverage = "10"', 'config.toml: entry.max_leverage was "10"'),
        ('[run]\nseed = " 7 "', 'config.toml: run.seed was " 7 "'),
        ('[run]\nspeed = "60"', 'config.toml: run.speed was "60"'),
        ('[venue]\nimpact_fraction = "0.0001"', 'config.toml: venue.impact_fraction was "0.0001"'),
        ('[strategy.params.ema_cross]\nfast = "10"', 'config.toml: strategy.params.ema_cross.fast was "10"'),
    ],
)
def test_a_number_in_quotes_is_refused_in_a_file(places, text, where):
    places.file(text)
    assert f"{where}, but a number is written without quotes" in places.refusal()


def test_texts_with_a_unit_are_no_numbers_in_quotes(places):
    places.file('[run]\nspeed = "60x"\nfor_seconds = "10m"')
    settings = places.load()
    assert (settings.run.speed, settings.run.for_seconds) == (60.0, 600.0)


def test_the_environment_and_secrets_hold_numbers_as_text(places):
    places.variable("RINGFENCE__ENTRY__MAX_LEVERAGE", "10")
    places.secret("run__seed", "11")
    settings = places.load()
    assert (settings.entry.max_leverage, settings.run.seed) == (10, 11)


def test_a_secrets_folder_that_is_not_there_is_refused(places):
    places.variable("RINGFENCE_SECRETS_DIR", str(places.folder / "nowhere"))
    assert "RINGFENCE_SECRETS_DIR" in places.refusal()


def test_settings_cannot_be_changed_after_loading(places):
    settings = places.load()
    with pytest.raises(ValueError, match="frozen"):
        settings.run.seed = 1
    with pytest.raises(AttributeError):
        settings.entry.max_leverage = 100


def test_two_loads_of_the_same_places_are_equal(places):
    places.file("[run]\nseed = 5")
    assert places.load() == places.load()


@pytest.mark.parametrize("key", ["api_key", "secret", "password", "private_key"])
def test_a_secret_in_a_configuration_file_is_refused_without_its_text(places, key):
    places.file(f'[exchange]\n{key} = "CANARY"\n')
    said = places.refusal()
    assert f"exchange.{key}" in said
    assert "config.toml" in said
    assert "secrets folder or the environment" in said
    assert "CANARY" not in said


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_secret_that_everybody_may_read_is_refused_without_its_text(places, mode):
    places.secret("exchange__secret", "CANARY")
    path = places.folder / "secrets" / "exchange__secret"
    assert places.load().exchange.secret.get_secret_value() == "CANARY"
    path.chmod(mode)
    said = places.refusal()
    assert f"chmod 600 {path}" in said
    assert "CANARY" not in said


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_secrets_folder_that_others_may_write_to_is_refused(places, mode):
    places.secret("exchange__secret", "CANARY")
    folder = places.folder / "secrets"
    folder.chmod(mode)
    assert f"chmod 700 {folder}" in places.refusal()


def test_no_flag_of_any_verb_takes_a_secret_of_an_exchange(root):
    """A command line is seen by every process of the machine, and stays in the shell's history."""
    options = (root / "bot/cli/options.py").read_text() + (root / "bot/cli/trade.py").read_text()
    assert not any(f'"exchange.{key}"' in options for key in ("api_key", "secret", "password", "private_key"))
