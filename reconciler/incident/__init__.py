"""What becomes of a finding that fails: fingerprint, states, and what is remembered of both. Pure.

Rule 1: A state follows another only where `reconciler.model.incident.NEXT` says so.
Rule 2: What happened to an incident is a list of transitions; its state is a fold over them.
Rule 3: One bound rule has one open incident at a time.
"""
