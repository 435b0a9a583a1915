"""How likely a position is liquidated within a horizon, by the fat-tailed law of margin-science 3.0."""

import math

from bot.core.compiled import compiled
from bot.core.probability import first_passage_student, log_distance


@compiled
def liquidation_probability(mark: float, liquidation: float, sigma_day: float, days: float) -> float:
    """Return 2*T4(-1.10 * |ln(liquidation / mark)| / (sigma_day * sqrt(days))), in [0, 1].

    `liquidation` 0.0 or inf (no price liquidates, as bot.core.margin.liquidation_price says it) gives 0.
    """
    return first_passage_student(log_distance(mark, liquidation), sigma_day * math.sqrt(days))
