"""The kernel's clock discipline: ClockState, by adjtimex(2) with ``modes`` 0 (read only)."""

import ctypes
import os

from reconciler.model.answer import Answer
from reconciler.model.probe import ClockState
from reconciler.targets.linux.session import Session

_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000
_TIME_ERROR = 5


class _Timex(ctypes.Structure):
    """``struct timex`` of <linux/timex.h>; only what is read has a name that matters."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time_s", ctypes.c_long),
        ("time_us", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("pps", ctypes.c_long * 8),
        ("tai", ctypes.c_int),
        ("reserved", ctypes.c_int * 11),
    )


_libc = ctypes.CDLL(None, use_errno=True)


def clock_state(_probe: ClockState, _session: Session) -> Answer:
    """Whether the kernel believes its clock is synchronised, and how far off it may be."""
    timex = _Timex()
    state = _libc.adjtimex(ctypes.byref(timex))
    if state == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return Answer("ok", read_timex(state, timex.status, timex.offset, timex.maxerror))


def read_timex(state: int, status: int, offset: int, max_error_us: int) -> dict[str, bool | int]:
    """The answer from the raw values.

    Args:
        state: Return value of adjtimex(2).
        status: ``STA_*`` bits.
        offset: Microseconds, or nanoseconds when ``STA_NANO`` is set.
        max_error_us: Microseconds.
    """
    return {
        "synchronised": state != _TIME_ERROR and not status & _STA_UNSYNC,
        "offset_us": offset // 1000 if status & _STA_NANO else offset,
        "max_error_us": max_error_us,
    }
