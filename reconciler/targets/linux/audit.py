"""Kernel audit over netlink: AuditStatus (AUDIT_GET) and AuditRules (AUDIT_LIST_RULES).

Source: <linux/audit.h>. Reading needs CAP_AUDIT_CONTROL in the first user and process namespace; in
a container the kernel refuses the connection, which is no statement about audit on the machine.
"""

import errno
import struct

from reconciler.model.answer import Answer
from reconciler.model.probe import AuditRules, AuditStatus
from reconciler.targets.linux.audit_text import rule_text
from reconciler.targets.linux.netlink import NETLINK_AUDIT, dump
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session

_GET, _LIST_RULES = 1000, 1013
_CONTAINER = frozenset({errno.ECONNREFUSED, errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT})


def audit_status(_probe: AuditStatus, session: Session) -> Answer:
    """Whether audit is on, and how it copes."""
    return Answer("ok", read_status(_ask(_GET, session.deadline, single=True)[0]))


def audit_rules(_probe: AuditRules, session: Session) -> Answer:
    """Loaded rules in the kernel's order."""
    return Answer("ok", [rule_text(data) for data in _ask(_LIST_RULES, session.deadline)])


def read_status(data: bytes) -> dict[str, int]:
    """The answer from ``struct audit_status``.

    Raises:
        NoAnswer: Too short.
    """
    if len(data) < 28:
        raise NoAnswer("error", "malformed audit status")
    _, enabled, failure, pid, _, backlog_limit, lost = struct.unpack_from("=7I", data)
    return {
        "enabled": enabled,
        "backlog_limit": backlog_limit,
        "lost": lost,
        "pid": pid,
        "failure": failure,
    }


def _ask(kind: int, deadline: float, *, single: bool = False) -> list[bytes]:
    try:
        answer = dump(NETLINK_AUDIT, kind, b"", deadline, single=single)
    except OSError as error:
        if error.errno in _CONTAINER:
            raise NoAnswer("unsupported", "kernel audit cannot be reached from here") from error
        raise
    found = [data for reply, data in answer if reply == kind]
    if single and not found:
        raise NoAnswer("error", "the kernel gave no audit status")
    return found
