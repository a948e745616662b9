"""Programs of the host; see `reconciler.testing.rig.commands`."""

from reconciler.testing.rig.commands import MINIMAL_ENV, CommandFailed, call, describe, host

__all__ = ["MINIMAL_ENV", "CommandFailed", "call", "describe", "host"]
