"""Where liquidation belongs when a stop rests on the venue: a little beyond the stop; margin-science 3.9."""

from bot.core.compiled import compiled

# Beyond it a buffer means nothing; it also keeps the anchor of a long above zero.
_LARGEST_BUFFER = 0.6


@compiled
def anchor_buffer(sigma_day: float, buffer_min: float, buffer_sigmas: float) -> float:
    """Return max(buffer_min, buffer_sigmas * sigma_day), at most 0.6: a fraction of the stop price."""
    return min(max(buffer_min, buffer_sigmas * sigma_day), _LARGEST_BUFFER)


@compiled
def anchor_price(side: int, stop_price: float, buffer: float) -> float:
    """Return stop * (1 - side * buffer): the liquidation price that the stop asks for."""
    return stop_price * (1.0 - side * buffer)
