"""How likely the mark reaches a price within a horizon: Student-t (use), Gaussian and two barriers (what-if).

b is a log distance >= 0 (|ln(barrier / mark)|), sigma the standard deviation of the log price over the
WHOLE horizon. The Student form was fitted to the first passages of real perpetuals, where the Gaussian
one understates 1 % events about fivefold. T4 is the cdf of Student's t with four degrees of freedom, which
has a closed form both ways.
"""

import math
from typing import Final

from bot.core.compiled import compiled

STUDENT_SCALE: Final = 1.10
_NEVER_ESCAPES_WIDTHS: Final = 5.0  # beyond it staying between the barriers has probability < 1e-50


@compiled
def log_distance(mark: float, barrier: float) -> float:
    """Return |ln(barrier / mark)|; inf for a barrier at 0 or infinity (never reached)."""
    if barrier <= 0.0 or math.isinf(barrier):
        return math.inf
    return abs(math.log(barrier / mark))


@compiled
def liquidation_probability(mark: float, liquidation: float, sigma_day: float, days: float) -> float:
    """Return P(the mark reaches `liquidation` within `days`) by the Student form, in [0, 1].

    `liquidation` 0.0 or inf (no price liquidates, as bot.core.margin.liquidation_price says it) gives 0.
    """
    return first_passage_student(log_distance(mark, liquidation), sigma_day * math.sqrt(days))


@compiled
def student4_cdf(value: float) -> float:
    """Return T4(value), accurate relatively in the lower tail."""
    square = 4.0 + value * value
    sine = value / math.sqrt(square)
    below = 4.0 / (square * (1.0 - sine)) if value < 0.0 else 1.0 + sine
    return below * below * (2.0 - sine) / 4.0


@compiled
def student4_quantile(probability: float) -> float:
    """Return the value whose T4 is `probability` (0 < probability < 1): the cubic's trigonometric root."""
    lower = min(probability, 1.0 - probability)
    angle = 2.0 / 3.0 * math.asin(math.sqrt(lower))
    above_minus_one = math.sqrt(3.0) * math.sin(angle) + 2.0 * math.sin(angle / 2.0) ** 2
    sine = above_minus_one - 1.0
    value = 2.0 * sine / math.sqrt(above_minus_one * (1.0 - sine))
    return value if probability < 0.5 else -value


@compiled
def first_passage_student(distance: float, sigma_horizon: float) -> float:
    """Return P(the mark moves `distance` (log) against the position within the horizon), in [0, 1]."""
    if distance <= 0.0:
        return 1.0
    if sigma_horizon <= 0.0 or math.isinf(distance):
        return 0.0
    return min(2.0 * student4_cdf(-STUDENT_SCALE * distance / sigma_horizon), 1.0)


@compiled
def distance_for_probability(probability: float, sigma_horizon: float) -> float:
    """Return the log distance reached with `probability` (0 < probability <= 1): the inverse of the above."""
    return sigmas_for_probability(probability) * sigma_horizon


@compiled
def sigmas_for_probability(probability: float) -> float:
    """Return that distance in standard deviations of the horizon: 4.19 for 1 %."""
    return abs(student4_quantile(probability / 2.0)) / STUDENT_SCALE


@compiled
def first_passage_gbm(distance: float, sigma_horizon: float, drift_horizon: float) -> float:
    """Return the same under Brownian motion of the log price; a drift > 0 leads away from the barrier.

    P = Phi((-b - m) / s) + exp(-2 m b / s^2) Phi((-b + m) / s). For display only: its tail is too thin.
    """
    if distance <= 0.0:
        return 1.0
    direct = _normal_cdf((-distance - drift_horizon) / sigma_horizon)
    mirrored = _normal_cdf((-distance + drift_horizon) / sigma_horizon)
    tilt = -2.0 * drift_horizon * distance / (sigma_horizon * sigma_horizon)
    # Capped: a strong drift to the barrier would overflow; the sum is 1 long before.
    return min(direct + math.exp(min(tilt, 700.0)) * mirrored, 1.0)


@compiled
def two_barrier(adverse: float, favourable: float, sigma_horizon: float) -> float:
    """Return P(the adverse barrier is hit first AND within the horizon), driftless Brownian motion.

    Both distances are log distances > 0. Sum over the images of the adverse barrier.
    """
    width = adverse + favourable
    if sigma_horizon > _NEVER_ESCAPES_WIDTHS * width:
        return favourable / width
    total, image = 0.0, adverse
    while image < 40.0 * sigma_horizon:
        reflected = image + 2.0 * favourable
        total += 2.0 * (_normal_cdf(-image / sigma_horizon) - _normal_cdf(-reflected / sigma_horizon))
        image += 2.0 * width
    return total


@compiled
def _normal_cdf(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2.0))
