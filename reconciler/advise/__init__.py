"""Tier L2: a language model picks one of a few candidates that code computed."""
