"""Every setting there is: its key, type, default, bounds, unit and meaning.

Models are frozen and refuse unknown keys. Numbers of the risk core come from bot/risk/limits.py.
"""

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.core.timeframe import MINUTE_MS, timeframe_ms
from bot.core.timerange import TimeRange, parse_timerange, timerange_text
from bot.loopback import loopback_address
from bot.plugins import did_you_mean
from bot.proxy import proxy_address
from bot.risk.limits import (
    ALLOCATION_BOUNDS,
    BRACKET_BOUNDS,
    CAP_BOUNDS,
    ENTRY_BOUNDS,
    HALT_BOUNDS,
    MARGIN_BOUNDS,
    AllocationLimits,
    BracketLimits,
    CapLimits,
    EntryLimits,
    HaltLimits,
    MarginLimits,
)
from bot.risk.policies import DEFAULT_POLICY, POLICIES
from bot.risk.presets import DEFAULT_PRESET, PRESETS
from bot.settings import values
from bot.settings.alerts import Alerts
from bot.settings.bounded import Bounded, refuse_boolean
from bot.settings.policy import PolicyParams
from bot.settings.section import Duration, Number, Section, Whole
from bot.settings.section import from_text as _from_text
from bot.settings.section import setting as _setting
from bot.settings.telegram import Telegram
from bot.settings.web import Web

ENVIRONMENT_PREFIX = "RINGFENCE__"
NESTING = "__"

# Rows of bot/exchange/venues.py, which imports more than a start needs; a test holds them equal.
EXCHANGES: Final = ("binanceusdm", "bybit", "okx", "bitget", "gate", "kucoinfutures", "hyperliquid")

StrategyParams = dict[str, dict[str, int | float]]


Speed = Annotated[
    float,
    Field(allow_inf_nan=True),
    BeforeValidator(refuse_boolean),
    _from_text(values.speed_from_text),
    PlainSerializer(values.speed_text),
]
Symbols = Annotated[tuple[str, ...], _from_text(values.symbols_from_text)]
Days = Annotated[TimeRange, _from_text(parse_timerange), PlainSerializer(timerange_text)]


class Run(Section):
    """What is run, where its memory is, and for how long."""

    mode: Literal["paper", "testnet", "live"] = _setting(
        "paper", "Whose money: none, a test account's, or yours. The last two need exchange.name."
    )
    db: Path | None = _setting(
        None,
        "SQLite database to continue from. Absent: var/paper.db, or one of its own for another feed.",
        example="var/paper.db",
    )
    for_seconds: Duration | None = _setting(
        None, 'Stop after this much wall time ("90s", "10m", "2h"); absent: until stopped.', "s", "10m", gt=0
    )
    speed: Speed = _setting(600.0, 'Market seconds per wall second ("1x", "60x"), or "max".', "x", ge=0.01)
    headless: bool = _setting(False, "No live view: one JSON log line per intent and outcome.")
    summary: Path | None = _setting(
        None, "Write the run's totals to this JSON file at the end.", example="summary.json"
    )
    seed: Whole = _setting(8, "Seed of the synthetic market and of everything random.", ge=0, le=2**63 - 1)


class Feed(Section):
    """Where prices come from."""

    kind: Literal["synthetic", "replay", "live"] = _setting(
        "synthetic", "A made-up market, candles from files, or the prices of exchange.name now (paper money)."
    )
    data: Path | None = _setting(None, "Folder of the candle files; replay only.", example="data")
    symbols: Symbols = _setting(
        ("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"), "Unified symbols of the perpetuals traded."
    )
    timerange: Days | None = _setting(
        None,
        "YYYYMMDD-YYYYMMDD, UTC, last day excluded; replay only; absent: all there is.",
        "days",
        "20250128-20250225",
    )
    timeframe: str = _setting("", "Candles the strategy sees (1m, 5m, 1h, ...); empty: its own.")
    allow_gaps: bool = _setting(False, "Treat missing candles as a feed outage instead of refusing the data.")
    tick_ms: Whole = _setting(
        1_000,
        "Market time between two mark prices of the synthetic market; divides a minute.",
        "ms",
        ge=100,
        le=60_000,
    )

    silence_ms: Whole = _setting(
        30_000,
        "An exchange that gives no market data of any kind for so long halts entries and raises an alert.",
        "ms",
        ge=5_000,
        le=3_600_000,
    )

    @field_validator("symbols")
    @classmethod
    def _check_symbols(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        return values.checked_symbols(symbols)

    @field_validator("tick_ms")
    @classmethod
    def _check_tick(cls, tick_ms: int) -> int:
        if MINUTE_MS % tick_ms:
            raise ValueError(f"it must divide a minute of {MINUTE_MS} ms")
        return tick_ms

    @field_validator("timeframe")
    @classmethod
    def _check_timeframe(cls, timeframe: str) -> str:
        if timeframe:
            timeframe_ms(timeframe)
        return timeframe


class Venue(Section):
    """The simulated exchange."""

    profile: Literal["binanceusdm"] = _setting(
        "binanceusdm", "Whose margin rules it follows; with live prices those of their exchange."
    )
    deposit_quote: Number = _setting(
        10_000.0, "Wallet at the start of a new database.", "quote", gt=0, le=1e9
    )
    half_spread_fraction: Number = _setting(
        0.0001, "From the last price to the best bid or ask.", "fraction of price", ge=0, le=0.05
    )
    impact_fraction: Number = _setting(
        0.0005,
        "Slippage of a taker whose notional is depth_quote; grows with the root.",
        "fraction of price",
        ge=0,
        le=0.5,
    )
    depth_quote: Number = _setting(
        250_000.0, "The most one order takes from the book at one tick, per symbol.", "quote", gt=0, le=1e12
    )
    latency_ms: Whole = _setting(
        50, "Market time from sending an order to its arrival.", "ms", ge=0, le=60_000
    )
    latency_jitter_ms: Whole = _setting(0, "Up to this much is added to it, seeded.", "ms", ge=0, le=60_000)


class Exchange(Section):
    """The exchange of testnet, live trading, live prices. Keys belong into secrets or the environment."""

    name: str = _setting(
        "",
        "ccxt id of the exchange; see list-exchanges. Empty: paper trading; binanceusdm with feed.kind live.",
    )
    base_url: str = _setting(
        "", "Address of an exchange on this machine (ringfence exchange serve); not in live mode."
    )
    proxy: str = _setting(
        "", "HTTP proxy that the exchange is reached through, http://HOST:PORT; see egress/. Empty: directly."
    )
    pace: Number = _setting(
        0.0,
        "Market seconds per second at base_url; invariants wait so much longer. 0: 60 there, else 1.",
        "x",
        ge=0,
        le=1_000_000,
    )
    weight_per_minute: Whole = _setting(
        0, "Request weight the account may spend; 0: what the exchange grants everybody.", ge=0, le=1_000_000
    )
    foreign_positions: Literal["halt", "ignore", "adopt"] = _setting(
        "halt",
        "A position the bot did not open: halt all entries, leave it alone, or take it over and protect it.",
    )
    adopted_stop_fraction: Number = _setting(
        0.5,
        "Where the stop of one that is taken over goes.",
        "fraction of the way to liquidation",
        ge=0.05,
        le=0.95,
    )
    allow_live: bool = _setting(
        False, "Live trading is refused without it; the flag --live and a confirmation are needed too."
    )
    allow_unattended_orders: bool = _setting(
        False,
        "With real money, let `--yes` give orders about a position without the typed word: for scripts.",
    )
    api_key: SecretStr | None = _setting(None, "API key; it must not be allowed to withdraw.", example="...")
    secret: SecretStr | None = _setting(None, "Secret of the API key.", example="...")
    password: SecretStr | None = _setting(None, "Passphrase of the API key, if it has one.", example="...")
    wallet_address: str = _setting("", "Wallet address, where the exchange has no API keys.")
    private_key: SecretStr | None = _setting(None, "Private key of its agent wallet.", example="...")

    @field_validator("api_key", "secret", "password", "private_key")
    @classmethod
    def _check_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        return None if secret is None else SecretStr(values.checked_secret(secret.get_secret_value()))

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, base_url: str) -> str:
        return loopback_address(base_url) if base_url else ""

    @field_validator("proxy")
    @classmethod
    def _check_proxy(cls, proxy: str) -> str:
        return proxy_address(proxy) if proxy else ""

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if name and name not in EXCHANGES:
            raise ValueError(f"there is no such exchange, {did_you_mean(name, EXCHANGES)}")
        return name


class StrategyChoice(Section):
    """Which strategy trades, and its parameters by strategy name."""

    name: str = _setting("ema_cross", "File in the folder below, a path to a file, or module:Class.")
    directory: Path = _setting(Path("strategies"), "Folder of the strategy files.")
    params: StrategyParams = _setting(
        {}, "One table per strategy, [strategy.params.NAME]; list-strategies shows names and bounds."
    )
    sha256: str = _setting(
        "",
        "SHA-256 that the strategy's file must have; the log says it at every start. Empty: any.",
        pattern="^([0-9a-f]{64})?$",
    )
    answer_ms: Whole = _setting(
        30_000,
        "One that takes longer for an answer ends the process; the next start does not ask it.",
        "ms",
        ge=1_000,
        le=600_000,
    )


class Margin(Section):
    """How the isolated margin of open positions is moved."""

    policy: str = _setting(DEFAULT_POLICY, "Which policy decides; see list-policies.")
    limits: Annotated[MarginLimits, Bounded(MARGIN_BOUNDS)] = _setting(
        MarginLimits(), "What no policy may do."
    )
    allocation: Annotated[AllocationLimits, Bounded(ALLOCATION_BOUNDS)] = _setting(
        AllocationLimits(), "One margin budget split over all positions, where it saves most."
    )
    caps: Annotated[CapLimits, Bounded(CAP_BOUNDS)] = _setting(
        CapLimits(), "When open positions are cut because the whole book exceeds a cap of [entry]."
    )
    params: PolicyParams = Field(default_factory=PolicyParams, description="One table per policy.")

    @field_validator("policy")
    @classmethod
    def _check_policy(cls, policy: str) -> str:
        if policy not in POLICIES:
            raise ValueError(f"there is no such policy, {did_you_mean(policy, POLICIES)}")
        return policy

    @property
    def policy_params(self) -> Any:
        """Return the params NamedTuple of the chosen policy."""
        return getattr(self.params, self.policy)


class Storage(Section):
    """The care of the database while the bot runs."""

    min_free_mb: Whole = _setting(
        200,
        "With less free space on the database's disk nothing is entered; protection goes on.",
        "MB",
        ge=50,
        le=1_000_000,
    )
    backup_every: Duration = _setting(
        86_400.0, 'Wall time between two checked copies ("6h", "1d").', "s", "1d", ge=60, le=31_536_000
    )
    backups_kept: Whole = _setting(7, "How many of these copies stay; 0: none are made.", ge=0, le=10_000)
    backup_folder: Path | None = _setting(
        None, "Folder of the copies; absent: beside the database.", example="/backups"
    )


class Log(Section):
    """Where log lines go."""

    level: Literal["debug", "info", "warning", "error"] = _setting("info", "Least severe line written.")
    format: Literal["auto", "json", "console"] = _setting("auto", "auto: columns in a terminal, else JSON.")
    file: Path | None = _setting(
        None, "Append to this file; absent: standard error.", example="ringfence.log"
    )


class Settings(BaseSettings):
    """The whole configuration. Built by `bot.settings.load`, which also names the source of an error."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter=NESTING,
        enable_decoding=False,
        validate_default=True,
    )

    preset: str = _setting(
        DEFAULT_PRESET,
        "What entry, brackets and margin are where nothing else sets them; see list-presets.",
    )
    run: Run = Run()
    feed: Feed = Feed()
    venue: Venue = Venue()
    exchange: Exchange = Exchange()
    strategy: StrategyChoice = StrategyChoice()
    entry: Annotated[EntryLimits, Bounded(ENTRY_BOUNDS)] = _setting(
        EntryLimits(), "What an entry must satisfy."
    )
    brackets: Annotated[BracketLimits, Bounded(BRACKET_BOUNDS)] = _setting(
        BracketLimits(), "Take-profit ladder and trailing stop, in multiples of R = |entry - initial stop|."
    )
    margin: Margin = Margin()
    halts: Annotated[HaltLimits, Bounded(HALT_BOUNDS)] = _setting(
        HaltLimits(), "What halts the bot until a person resumes it; 0 switches a limit off."
    )
    storage: Storage = Storage()
    web: Web = Web()
    log: Log = Log()
    alerts: Alerts = Alerts()
    telegram: Telegram = Telegram()

    @field_validator("preset")
    @classmethod
    def _check_preset(cls, preset: str) -> str:
        if preset not in PRESETS:
            raise ValueError(f"there is no such preset, {did_you_mean(preset, PRESETS)}")
        return preset
