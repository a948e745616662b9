"""Tier L3 after a run: who is told, when, by which channel, and what is written down around it."""
