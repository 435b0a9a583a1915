"""A backtest compiled: the orchestration of engine and venue as a state machine over flat arrays.

What decides is what decides live: the compiled functions of core, risk and the policies are called, none is
written again here. Held to the exact engine by tests/property/backtest/test_kernel_laws.py.
"""
