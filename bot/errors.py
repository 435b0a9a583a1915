"""Errors named by what the caller must do, and the venue's refusal codes."""

from typing import Literal

RefusalCode = Literal[
    "insufficient_balance",
    "beyond_removable",
    "no_position",
    "in_liquidation",
    "duplicate_client_id",
    "unknown_order",
    "unknown_symbol",
    "would_trigger_immediately",
    "reduce_only",
    "below_minimum",
    "precision",
    "leverage_refused",
    "margin_mode_refused",
    "position_limit",
    "not_finite",
    "lost",
    "halted",
    "unavailable",
    "denied",
]


class RingfenceError(Exception):
    """Base of every error this program raises on purpose."""


class UserError(RingfenceError):
    """Bad input: shown as one paragraph (fact, cause, next step); the process exits with 2."""


class Transient(RingfenceError):
    """A read failed for a passing reason: retry it with backoff."""


class OutcomeUnknown(RingfenceError):
    """A write may or may not have happened: reconcile, never resend blindly."""


class Rejected(RingfenceError):
    """The venue said no, with proof."""


class Unavailable(RingfenceError):
    """Needed data is missing or stale: may protect, never release margin or enter."""


class Fatal(RingfenceError):
    """Stop the process; a restart recovers.

    `is_answer`: it is what the venue said to a request that would have changed something. Nothing was done.
    """

    is_answer = False
