"""Student's t distribution for whole degrees of freedom, exactly and without a statistics library."""

import math

_STEPS = 200


def student_central(value: float, freedom: int) -> float:
    """Return P(|t| <= value) for value >= 0; Abramowitz and Stegun 26.7.3 and 26.7.4.

    ValueError: `freedom` below 1 or a negative value.
    """
    if freedom < 1 or not value >= 0.0:
        raise ValueError(f"freedom is {freedom} and value {value!r}; they must be at least 1 and 0")
    angle = math.atan2(value, math.sqrt(freedom))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    is_odd = freedom % 2 == 1
    term = math.cos(angle) if is_odd else 1.0
    total = term if freedom > 1 else 0.0
    for step in range(2 if is_odd else 1, freedom - 2, 2):
        term *= square * step / (step + 1)
        total += term
    return 2.0 / math.pi * (angle + sine * total) if is_odd else sine * total


def student_quantile(probability: float, freedom: int) -> float:
    """Return the value that t exceeds with 1 - `probability`, 0.5 <= probability < 1; by bisection.

    ValueError: another probability, or `freedom` below 1.
    """
    if not 0.5 <= probability < 1.0:
        raise ValueError(f"probability is {probability!r}; it must be at least 0.5 and below 1")
    wanted = 2.0 * probability - 1.0
    low, high = 0.0, 1.0
    while student_central(high, freedom) < wanted:
        low, high = high, 2.0 * high
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if student_central(middle, freedom) < wanted else (low, middle)
    return 0.5 * (low + high)
