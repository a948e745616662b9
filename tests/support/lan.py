"""A network for guests; see `reconciler.testing.rig.lan`."""

from reconciler.testing.rig.lan import PREFIX, TIME_SERVERS, Lan, ip

__all__ = ["PREFIX", "TIME_SERVERS", "Lan", "ip"]
