"""Drift, as data: how a machine goes wrong, what must be found, what must heal it, how to prove it.

One YAML file a subject; `catalogue.load` reads them. A fleet has its own in ``rehearsals/``.
"""
