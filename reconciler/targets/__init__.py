"""Targets: the only code that talks to machines. One package or file a kind of machine.

A target answers probes (`reconciler.model.probe`) and carries out operations
(`reconciler.model.operation`). It never judges, and never raises for what a machine says: what it
could not know becomes an answer with a status and a reason.
"""
