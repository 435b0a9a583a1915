"""Alerts: what is worth telling a person, decided by a pure router, delivered beside the loop."""
