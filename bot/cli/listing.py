"""`ringfence list-strategies`, `-policies`, `-presets` and `-exchanges`: what there is, with its facts."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.cli.options import Config, Json, PresetName, settings_of, settings_with
from bot.cli.output import columns, show_json, show_rows

if TYPE_CHECKING:
    from bot.risk.policies import Policy

_CAN = ("stop", "trailing", "add", "reduce", "margin_history", "hedge", "testnet", "mark_candles")
_PARAMETER = columns("name", "default#", "low#", "high#", "unit", "meaning")


def list_strategies(config: Config = None, as_json: Json = False) -> None:
    """Show every strategy of the strategies folder; one that cannot be loaded is shown with its error."""
    from bot.plugins import strategy_files

    choice = settings_of(config, {}).strategy
    found = [
        _strategy(name, path, name == choice.name) for name, path in strategy_files(choice.directory).items()
    ]
    if as_json:
        show_json(found)
        return
    if not found:
        print(f"There is no strategy in the folder {choice.directory}. Name another in strategy.directory.")
    for strategy in found:
        _show(strategy)


def list_policies(config: Config = None, preset: PresetName = None, as_json: Json = False) -> None:
    """Show every margin policy with its parameters as they are set."""
    from bot.risk.policies import POLICIES

    margin = settings_with(config, preset).margin
    found = [
        _policy(policy, margin.policy, getattr(margin.params, policy.name)) for policy in POLICIES.values()
    ]
    if as_json:
        show_json(found)
        return
    for policy in found:
        _show(policy)


def list_presets(config: Config = None, as_json: Json = False) -> None:
    """Show the presets side by side: every setting for which they differ."""
    from bot.risk.presets import PRESETS
    from bot.settings.preset import differing, preset_values

    chosen = settings_of(config, {}).preset
    keys = [".".join(path) for path in differing()]
    values = {
        name: {".".join(path): value for path, value in preset_values(name).items()} for name in PRESETS
    }
    if as_json:
        show_json(
            [
                {"name": name, "is_chosen": name == chosen, "meaning": row.doc, "settings": values[name]}
                for name, row in PRESETS.items()
            ]
        )
        return
    for name, row in PRESETS.items():
        print(f"{name}{' (chosen)' if name == chosen else ''}: {row.doc}")
    rows = [{"setting": key, **{name: values[name].get(key) for name in PRESETS}} for key in keys]
    show_rows(rows, columns("setting", *(f"{name}#" for name in PRESETS)), as_json=False, empty="")


def list_exchanges(as_json: Json = False) -> None:
    """Show the exchanges: what each can do here, how margin and stops work there, and what was verified."""
    from bot.exchange.abilities import abilities

    found = [row._asdict() for row in abilities()]
    if as_json:
        show_json(found)
        return
    can = columns("name", *_CAN)
    words = [{key: _words(value) for key, value in row.items()} for row in found]
    show_rows(words, can, as_json=False, empty="")
    for row in found:
        print(f"\n{row.pop('name')}: {row.pop('title')}")
        for key, value in row.items():
            if key not in _CAN:
                print(f"  {key.replace('_', ' '):<15}  {_words(value)}")


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple | list) else str(value)


def _strategy(name: str, path: Path, is_chosen: bool) -> dict[str, Any]:
    from bot.errors import UserError
    from bot.plugins import strategy_class

    entry: dict[str, Any] = {"name": name, "is_chosen": is_chosen, "file": str(path)}
    try:
        kind = strategy_class(name, path.parent)
    except UserError as error:
        return {**entry, "error": str(error), "parameters": []}
    parameters = [
        {
            "name": key,
            "default": parameter.default,
            "low": parameter.low,
            "high": parameter.high,
            "unit": parameter.unit,
            "meaning": parameter.doc,
        }
        for key, parameter in kind.parameters().items()
    ]
    doc = " ".join((kind.__doc__ or "").split())
    return {**entry, "timeframe": kind.timeframe, "meaning": doc, "parameters": parameters}


def _policy(policy: "Policy", chosen: str, params: Any) -> dict[str, Any]:
    parameters = [
        {
            "name": name,
            "value": value,
            "default": getattr(policy.default, name),
            "low": policy.bounds[name].low,
            "high": policy.bounds[name].high,
            "unit": policy.bounds[name].unit,
            "meaning": policy.bounds[name].doc,
        }
        for name, value in params._asdict().items()
    ]
    return {
        "name": policy.name,
        "is_chosen": policy.name == chosen,
        "meaning": policy.doc,
        "parameters": parameters,
    }


def _show(entry: dict[str, Any]) -> None:
    chosen = " (chosen)" if entry["is_chosen"] else ""
    timeframe = f", {entry['timeframe']} candles" if "timeframe" in entry else ""
    print(f"{entry['name']}{chosen}{timeframe}: {entry.get('error', entry.get('meaning'))}")
    has_values = any("value" in row for row in entry["parameters"])
    shown = columns("name", "value#") + _PARAMETER[1:] if has_values else _PARAMETER
    show_rows(entry["parameters"], shown, as_json=False, empty="  no parameters")
    print()
