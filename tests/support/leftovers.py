"""What killed processes left; see `reconciler.testing.rig.leftovers`."""

from reconciler.testing.rig.leftovers import NSPAWN_SHARED, RIG_ROOT, remove_scratch, sweep

__all__ = ["NSPAWN_SHARED", "RIG_ROOT", "remove_scratch", "sweep"]
