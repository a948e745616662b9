"""Control groups of guests; see `reconciler.testing.rig.cgroup`."""

from reconciler.testing.rig.cgroup import Cgroup, hierarchies

__all__ = ["Cgroup", "hierarchies"]
