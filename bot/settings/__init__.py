"""Every setting, and the only reader of configuration files, environment and secrets."""

from bot.settings.effective import config_hash, effective
from bot.settings.load import load, load_with_origins
from bot.settings.model import Settings
from bot.settings.sources import Flag

__all__ = ["Flag", "Settings", "config_hash", "effective", "load", "load_with_origins"]
