"""Capabilities that a file gives to whoever runs it: ``security.capability``.

Source: capabilities(7) "File capability extended attribute versioning"; linux/capability.h.
"""

import errno
import os
import re
import struct

_ALL = (
    "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable "
    "net_bind_service net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio "
    "sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time "
    "sys_tty_config mknod lease audit_write audit_control setfcap mac_override mac_admin syslog "
    "wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
)
NAMES = tuple(re.findall(r"[a-z_]+", _ALL))
"""By number."""

_NOTHING = frozenset({errno.ENODATA, errno.EOPNOTSUPP, errno.ENOENT, errno.ENOTDIR})
_SETS = 4
"""Bytes of the magic number; after it permitted and inheritable sets, low halves first."""


def file_capabilities(path: str) -> tuple[str, ...]:
    """Names of the capabilities that a file permits or hands on, ``cap_net_raw``, sorted.

    Raises:
        OSError: It could not be asked.
    """
    try:
        raw = os.getxattr(path, "security.capability", follow_symlinks=False)
    except OSError as error:
        if error.errno in _NOTHING:
            return ()
        raise
    return _decoded(raw)


def _decoded(raw: bytes) -> tuple[str, ...]:
    halves = struct.unpack_from(f"<{(len(raw) - _SETS) // 8 * 2}I", raw, _SETS)[:4]
    low, high = halves[:2], halves[2:4] or (0, 0)
    bits = (low[0] | low[1]) | (high[0] | high[1]) << 32
    return tuple(sorted(_name(number) for number in range(64) if bits >> number & 1))


def _name(number: int) -> str:
    return f"cap_{NAMES[number]}" if number < len(NAMES) else f"cap_{number}"
