"""Why there is no answer, in words that a person can act on."""

import errno
import os

from reconciler.model.answer import Answer, AnswerStatus

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR})
_DENIED = frozenset({errno.EACCES, errno.EPERM})
_UNSUPPORTED = frozenset(
    {errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT, errno.ENOSYS, errno.EOPNOTSUPP}
)


class NoAnswer(Exception):
    """A probe cannot be answered with data; stays inside the target.

    Attributes:
        status: Any status but ``ok``.
        reason: What stood in the way.
    """

    def __init__(self, status: AnswerStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason

    def answer(self) -> Answer:
        """The same as a value."""
        return Answer(self.status, reason=self.reason)


def from_os_error(error: OSError, subject: str = "") -> NoAnswer:
    """Put a system error into the words of an answer.

    Args:
        error: What a system call said.
        subject: What it was about, if the probe alone does not say.
    """
    status, reason = _judge(error)
    return NoAnswer(status, f"{reason}: {subject}" if subject else reason)


def permission_denied() -> str:
    """The reason of a refusal; only someone who is not root is told to become root."""
    if os.geteuid() == 0:
        return "permission denied, even to root (container or sandbox)"
    return "permission denied; needs root"


def _judge(error: OSError) -> tuple[AnswerStatus, str]:
    if error.errno in _ABSENT:
        return "absent", "no such file"
    if error.errno in _DENIED:
        return "denied", permission_denied()
    if isinstance(error, TimeoutError):
        return "timeout", "did not answer in time"
    if error.errno in _UNSUPPORTED:
        return "unsupported", f"not supported by this kernel ({_words(error)})"
    return "error", _words(error)


def _words(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
