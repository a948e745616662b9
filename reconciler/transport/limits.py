"""What a Git server may cost this machine, in bytes, objects and seconds.

A server that is broken or hostile may stop a transfer; it must never stop the machine from being
looked after.
"""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLimits:
    """Bounds of one transfer.

    Attributes:
        max_bytes: Bytes of one pack on the wire.
        objects: Objects in one pack.
        refs: References that a server may advertise; all but one are ignored.
        timeout_s: Seconds of wall time from connecting to the end.
        memory_bytes: What the process that talks to a server may take on top of its start.
    """

    max_bytes: int = 128 * MIB
    objects: int = 500_000
    refs: int = 100_000
    timeout_s: float = 120.0
    memory_bytes: int = 512 * MIB
