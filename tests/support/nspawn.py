"""The machine below a guest; see `reconciler.testing.rig.nspawn`."""

from reconciler.testing.rig.nspawn import Nspawn, require_guest

__all__ = ["Nspawn", "require_guest"]
