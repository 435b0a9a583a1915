"""Parameter search over backtests: what is varied, by whom it is played, and what the best is worth."""
