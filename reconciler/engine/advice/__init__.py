"""Tier L2 in a run: who may be asked, what is written down around a question."""
