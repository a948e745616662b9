"""Whether a fleet commit counts: one module a rule (docs/trust.md), in the order of `verify`."""
