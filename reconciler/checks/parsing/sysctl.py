"""Kernel parameters under /proc/sys (sysctl(8), proc(5)), each in one read without a process."""

from reconciler.checks.parsing.shapes import number
from reconciler.model.answer import Answers
from reconciler.model.probe import ReadFile

LIMIT = 4096


def probe(name: str) -> ReadFile:
    """The file of a parameter: ``kernel.kptr_restrict`` is /proc/sys/kernel/kptr_restrict.

    A name with a slash is taken as it is, for interfaces with a dot: ``net/ipv4/conf/eth0.5/…``.
    """
    return ReadFile("/proc/sys/" + (name if "/" in name else name.replace(".", "/")), limit=LIMIT)


def whole(answers: Answers, name: str) -> int | None:
    """A parameter that is one whole number; ``None`` when this kernel has none of that name.

    Raises:
        Unobservable: It cannot be read, or is something else.
    """
    asked = probe(name)
    if answers.absent(asked):
        return None
    return number(answers.text(asked).strip(), name, lowest=-(2**31))
