"""With what each compiled function of the entry evaluation is called to compare it with plain Python."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from bot.risk import brackets, cutting, entry_judgement, faults, stress, stress_caps
from bot.risk.limits import BracketLimits, EntryLimits
from bot.risk.odds import EntryOdds
from bot.risk.sizing import EntryOrder, SizingRules, size_entry
from tests.property.risk.worlds import RULES

ENTRY, BRACKET = EntryLimits(), BracketLimits()
STRICT = EntryLimits(min_strength=0.5, claimed_hit_rate=0.1, max_leverage=2, min_stop_distance=0.05)
LEAST = brackets.Least(0.1, 0.001, 0.001, 50.0)
ACCOUNT = faults.EntryAccount(8_000.0, 10_000.0, 0.0, 10_000.0, 0.0, 1, 0, 600.0, False)
POOR = faults.EntryAccount(math.nan, 500.0, 450.0, 900.0, -400.0, 4, 2, 400.0, True)
TERMS = faults.EntryTerms(60_000.0, 0.03, 0.0001, LEAST, 0.0005, 50.0, False)
ASK = entry_judgement.EntryAsk(1, 0.7, 0.02)
HELD = stress_caps.Legs(
    np.array([1.0, -1.0]), np.array([4_000.0, 2_000.0]), np.array([300.0, 200.0]), np.array([0.04, 0.05])
)
BROKEN = HELD._replace(sigma_day=np.array([0.04, math.nan]))
NEW = stress.NewLeg(1.0, 9_000.0, 900.0, 0.03)
CAPS = stress_caps.StressCaps()
TARGETS = brackets.TakeProfits(61_000.0, 0.05, 63_000.0, 0.06)
ORDER = EntryOrder(1, 60_000.0, 58_200.0, 63_600.0, 0.0005, 0.0005)
SIZING_RULES = SizingRules(10_000.0, 0.01, 0.01, 50.0, 0.001)
SIZING = size_entry(ORDER, SIZING_RULES, RULES)
ROOM = stress.Room(0.1, stress.BY_RISK, 2_000.0, 2_500.0)
ASKS = [
    ASK,
    ASK._replace(direction=-1, stop_distance=math.nan),
    ASK._replace(direction=0),
    ASK._replace(strength=0.1),
]
ASKS += [ASK._replace(stop_distance=distance) for distance in (0.0, 0.0001, 0.5, 1.5, 1e-9)]
WORLDS = [(TERMS, ACCOUNT), (TERMS, POOR), (TERMS._replace(mark=math.nan, sigma_day=0.0), ACCOUNT)]
WORLDS += [(TERMS._replace(least=LEAST._replace(quantity_step=5.0)), ACCOUNT)]
LIMITS = (ENTRY, STRICT)

BOOKS = (HELD, HELD._replace(side=np.array([1.0, 1.0])))
CAPS_BY_CODE = (cutting.BY_MARGIN, cutting.BY_RISK, cutting.BY_CASCADE)
KEPT = np.array([0.5, 1.0])


def uncut() -> cutting.Cuts:
    return cutting.Cuts(np.ones(2), np.zeros(2, np.int64))


ENTRY_CALLS: dict[Callable[..., Any], list[tuple[Any, ...]]] = {
    brackets.take_profits_for: [
        (1, 60_000.0, 58_200.0, 0.1, LEAST, BRACKET),
        (-1, 60_000.0, 60_900.0, 0.001, LEAST, BRACKET),
    ],
    brackets.mean_price: [(TARGETS,), (TARGETS._replace(second_price=0.0, second_quantity=0.0),)],
    brackets._rest: [(0.103, 0.05, 0.001), (0.1035, 0.05, 0.001), (0.1, 0.05, 0.0)],
    brackets._is_tradable: [(0.05, 60_000.0, LEAST), (0.0005, 60_000.0, LEAST), (0.05, 10.0, LEAST)],
    cutting.cuts_of: [(legs, equity, CAPS, 1.0) for legs in BOOKS for equity in (500.0, 2_000.0, 1e6)],
    cutting.closed_part: [(1.0, part, 100.0, 0.001, 0.01, 5.0) for part in (0.001, 0.5, 0.98, 1.0)],
    cutting._limit: [(cap, CAPS) for cap in CAPS_BY_CODE],
    cutting._value: [(cap, HELD, CAPS) for cap in CAPS_BY_CODE],
    cutting._part: [(cap, HELD, KEPT, 1, CAPS) for cap in CAPS_BY_CODE],
    cutting._weight: [(HELD, KEPT, 1)],
    cutting._pull: [(HELD, KEPT, -1.0, 0)],
    cutting._cut_down: [(cap, HELD, 1.0, CAPS, uncut()) for cap in CAPS_BY_CODE],
    cutting._share_within: [(HELD, KEPT, 0, limit) for limit in (10.0, 100.0)],
    stress.room_left: [
        (HELD, new, equity, CAPS) for new in (NEW, NEW._replace(side=-1.0)) for equity in (1e3, 1e5)
    ],
    stress._risk_room: [(HELD, NEW, CAPS, 2_500.0), (HELD, NEW, CAPS, 1e9)],
    stress._cascade_room: [(HELD, NEW, CAPS, 800.0), (HELD, NEW._replace(margin_quote=0.0), CAPS, 1e9)],
    faults.input_faults: [(ask.direction, terms, account) for ask in ASKS for terms, account in WORLDS],
    faults.book_faults: [(HELD,), (BROKEN,)],
    faults.leg_is_known: [(1.0, 1.0, 0.03), (1.0, 1.0, math.nan), (-1.0, 1.0, 0.03), (1.0, math.inf, 0.03)],
    faults.price_faults: [(1, 60_000.0, distance, 0.1) for distance in (0.02, 0.0, 1e-9)],
    faults.signal_faults: [(strength, limits) for strength in (0.1, 0.7, math.nan) for limits in LIMITS],
    faults.account_faults: [(account, limits) for account in (ACCOUNT, POOR) for limits in LIMITS],
    faults.stop_faults: [(distance, limits) for distance in (0.0001, 0.02, 0.5) for limits in LIMITS],
    faults.trade_faults: [(SIZING, paid, limits) for paid in (0.0, 1e3) for limits in LIMITS],
    faults.venue_faults: [(SIZING, LEAST, 1e9, 50.0), (SIZING, LEAST._replace(min_quantity=9.0), 5.0, 1.0)],
    faults.spendable_quote: [(ACCOUNT, ENTRY), (POOR, STRICT)],
    faults.margin_faults: [(SIZING, account, limits) for account in (ACCOUNT, POOR) for limits in LIMITS],
    faults.share_faults: [(cap, 0.1, 1.0, ENTRY) for cap in (stress.NO_CAP, stress.BY_RISK)],
    faults.odds_faults: [(EntryOdds(0.5, 0.3, 0.4), limits) for limits in LIMITS],
    entry_judgement.stop_distance: [(0.02, 0.03, ENTRY), (math.nan, 0.03, ENTRY)],
    entry_judgement.stress_caps: [(ENTRY,)],
    entry_judgement.judge_entry: [
        (ask, terms, RULES, account, held, limits, BRACKET)
        for ask in ASKS
        for terms, account in WORLDS
        for held in (HELD, BROKEN)
        for limits in LIMITS
    ],
    entry_judgement.agreed_loss: [(SIZING, 2.0)],
    entry_judgement._unsized: [(faults.NO_ROOM, ASK, POOR, STRICT, ORDER, SIZING_RULES, 0.1, ROOM)],
    entry_judgement._sizing_rules: [(TERMS, ACCOUNT, ENTRY, 0.5, 0.001)],
    entry_judgement._room: [(ORDER, TERMS, RULES, ACCOUNT, HELD, ENTRY)],
}
