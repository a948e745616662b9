"""Rehearsal: drift injected into a real machine, healed, proven; with faults switched on."""
