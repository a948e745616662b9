"""The systemd guest; see `reconciler.testing.rig.guest`."""

from reconciler.testing.rig.guest import ADDRESS, ADMIN, Guest, first_booted, require_guest

__all__ = ["ADDRESS", "ADMIN", "Guest", "first_booted", "require_guest"]
