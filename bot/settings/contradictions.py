"""Settings that are each possible and impossible together."""

from bot.loopback import is_loopback
from bot.risk.contradictions import contradictions as contradictions_of_risk
from bot.risk.contradictions import of_params
from bot.risk.policies import POLICIES
from bot.settings.model import Settings


def contradictions(settings: Settings) -> tuple[str, ...]:
    """Return one clause, with its numbers, for each pair of settings that cannot both hold."""
    margin = settings.margin
    return (
        *_of_feed(settings),
        *_of_exchange(settings),
        *_of_budget(settings),
        *_of_web(settings),
        *_of_telegram(settings),
        *_of_other_policies(settings),
        *contradictions_of_risk(
            POLICIES[margin.policy], margin.policy_params, margin.limits, settings.entry, settings.brackets
        ),
    )


def _of_other_policies(settings: Settings) -> tuple[str, ...]:
    """Tables of policies that are not chosen: they would be refused on the day they are."""
    margin = settings.margin
    return tuple(
        clause
        for name in POLICIES
        if name != margin.policy
        for clause in of_params(f"margin.params.{name}", getattr(margin.params, name))
    )


def _of_feed(settings: Settings) -> tuple[str, ...]:
    if settings.feed.kind == "replay" and settings.feed.data is None:
        return ("feed.kind is replay but feed.data names no folder of candles (flag --data)",)
    return ()


def _of_exchange(settings: Settings) -> tuple[str, ...]:
    mode, exchange, kind = settings.run.mode, settings.exchange, settings.feed.kind
    found = []
    if mode == "paper":
        if exchange.name and kind != "live":
            found.append(
                f"exchange.name is {exchange.name} but run.mode is paper: add --feed live for paper "
                "money on its prices, or leave --paper out and give --testnet for its test account, "
                "--base-url for an exchange on this machine, or --live"
            )
        return tuple(found)
    if not exchange.name:
        found.append(f"run.mode is {mode} but exchange.name names no exchange (flag --venue)")
    if kind == "replay":
        found.append(f"run.mode is {mode} but feed.kind is replay: an exchange has prices of its own")
    if kind == "live":
        found.append(f"run.mode is {mode} but feed.kind is live, which is for paper money: add --paper")
    if mode == "live" and exchange.base_url:
        found.append("run.mode is live but exchange.base_url is an exchange on this machine")
    if mode == "live" and not exchange.allow_live:
        found.append(
            "run.mode is live but exchange.allow_live is false: real money needs the setting and the flag"
        )
    return tuple(found)


def _of_budget(settings: Settings) -> tuple[str, ...]:
    budget, reserve = settings.margin.allocation.budget_fraction, settings.margin.limits.reserve_fraction
    if budget == 0.0:
        return ()
    found = []
    if budget < settings.entry.portfolio_cap_fraction:
        found.append(
            f"margin.allocation.budget_fraction {budget} is below entry.portfolio_cap_fraction "
            f"{settings.entry.portfolio_cap_fraction}: entries alone could exceed the budget"
        )
    if budget + reserve > 1.0:
        found.append(
            f"margin.allocation.budget_fraction {budget} and margin.limits.reserve_fraction {reserve} "
            "are more than the whole equity together"
        )
    cut_at = settings.margin.caps.cut_above * settings.entry.portfolio_cap_fraction
    if 0.0 < cut_at < budget:
        found.append(
            f"margin.allocation.budget_fraction {budget} is above margin.caps.cut_above x "
            f"entry.portfolio_cap_fraction, {cut_at:g}: positions would be cut for margin that was added"
        )
    return tuple(found)


def _of_web(settings: Settings) -> tuple[str, ...]:
    """Whoever can read what is sent can give orders: beyond this machine nothing is served in the clear."""
    web = settings.web
    if not web.enabled:
        return ()
    if (web.tls_certificate is None) != (web.tls_key is None):
        return ("web.tls_certificate and web.tls_key belong together, and only one of them is set",)
    if not is_loopback(web.host) and not (web.has_tls or web.public_url):
        words = (
            f"web.host is {web.host}, which others can reach, but nothing encrypts: set web.tls_certificate "
            "and web.tls_key, or web.public_url where a reverse proxy with TLS stands in front, or bind "
            "127.0.0.1"
        )
        return (words,)
    return ()


def _of_telegram(settings: Settings) -> tuple[str, ...]:
    """Whoever finds a bot may write to it: without the chats that may, its token is not used at all."""
    chat = settings.telegram
    if chat.bot_token is not None and not chat.chats:
        words = (
            "telegram.bot_token is set but telegram.allowed_chats names no chat, and anybody can write to a "
            "bot: name your chat's id, or take the token away"
        )
        return (words,)
    if chat.enabled and chat.bot_token is None:
        words = (
            "telegram.enabled is true but telegram.bot_token is not set: put it into the secrets folder as "
            "telegram__bot_token, or into RINGFENCE__TELEGRAM__BOT_TOKEN"
        )
        return (words,)
    return ()
