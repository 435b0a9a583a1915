"""Pure domain: types and formulas on float64 scalars, NamedTuples and numpy arrays.

Nothing here reads a clock, does I/O or logs. Imports: standard library and numpy only.
"""
