"""How likely a barrier is touched within a horizon: the fat-tailed law of margin-science 3.0."""

import math

from bot.core.compiled import compiled

# Fitted on real candles (margin-science 4.1); a Gaussian law understates these tails several times.
_SCALE = 1.10


@compiled
def touch_probability(barrier: float, sigma_day: float, days: float) -> float:
    """Return min(1, 2*T4(-1.10 * barrier / (sigma_day * sqrt(days)))), T4 the Student-t law with 4 degrees.

    `barrier`: |ln(barrier price / mark)|, >= 0; inf gives 0. `sigma_day` > 0 per sqrt(day).
    Source: margin-science 3.0. With u = x / sqrt(4 + x^2), 2*T4(-x) = (1 - u)^2 * (1 + u/2).
    """
    if barrier <= 0.0:
        return 1.0
    if math.isinf(barrier):
        return 0.0
    x = _SCALE * barrier / (sigma_day * math.sqrt(days))
    root = math.sqrt(4.0 + x * x)
    u = x / root
    far = 4.0 / (root * (root + x))  # 1 - u without cancellation
    return far * far * (1.0 + 0.5 * u)


@compiled
def liquidation_probability(mark: float, liquidation: float, sigma_day: float, days: float) -> float:
    """Return the probability that the mark touches `liquidation` within `days`; 0 if no price liquidates.

    `liquidation` is 0.0 or inf when no price does it, as bot.core.margin.liquidation_price returns it.
    """
    if liquidation <= 0.0 or math.isinf(liquidation):
        return 0.0
    return touch_probability(abs(math.log(liquidation / mark)), sigma_day, days)
