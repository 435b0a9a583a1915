"""The engine: one synchronous `step(event)`, one loop, and recovery at start. No adapter is named here."""
