"""Ringfence: a perpetual-futures bot that moves the isolated margin of open positions."""

__version__ = "0.1.0"
