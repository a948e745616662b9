"""Units of systemd that are made at run time: what they run outlives us.

Source: org.freedesktop.systemd1(5), StartTransientUnit. A switch may restart PID 1, so whoever
waits for a unit asks for it again and again, each time on a connection of its own.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.targets.linux.bus import MANAGER, get, manager, once, refused, value_of
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.units import type_interface, unit_path

Property = tuple[str, tuple[str, Any]]
_UNIT = "org.freedesktop.systemd1.Unit"
_PAUSE_S = 0.2
_CALL_S = 10.0
_FORGETS_S = 10.0
_THERE = ".UnitExists"
_GONE = frozenset({"NoSuchUnit", "UnknownObject"})


@dataclass(frozen=True, slots=True)
class Ended:
    """How a transient service stands.

    Attributes:
        active: ``ActiveState``; empty when there is no such unit.
        result: ``Result``.
        status: Exit status of its last main process.
    """

    active: str
    result: str
    status: int


def service(
    description: str, lines: Sequence[Sequence[str]], timeout_s: int
) -> tuple[Property, ...]:
    """Properties of a service that runs commands one after the other and is then remembered.

    Args:
        description: What systemd says of it.
        lines: Commands of plain words: no quotes, dollars or percent signs survive a reload.
        timeout_s: Seconds until it is killed.
    """
    commands = tuple((line[0], tuple(line), False) for line in lines)
    return (
        ("Description", ("s", description)),
        ("Type", ("s", "oneshot")),
        ("RemainAfterExit", ("b", True)),
        ("TimeoutStartUSec", ("t", timeout_s * 1_000_000)),
        ("ExecStart", ("a(sasb)", commands)),
    )


def timer(description: str, after_s: int) -> tuple[Property, ...]:
    """Properties of a timer that elapses once."""
    return (
        ("Description", ("s", description)),
        ("TimersMonotonic", ("a(st)", (("OnActiveSec", after_s * 1_000_000),))),
        ("AccuracyUSec", ("t", 1_000_000)),
        ("RemainAfterElapse", ("b", False)),
    )


def start(
    name: str,
    properties: Sequence[Property],
    session: Session,
    auxiliary: Sequence[tuple[str, Sequence[Property]]] = (),
) -> None:
    """Make a unit and start it; what it needs beside it is made with it.

    Raises:
        NoAnswer: systemd refused, or did not answer.
    """
    beside = tuple((unit, tuple(given)) for unit, given in auxiliary)
    call = manager(
        "StartTransientUnit", "ssa(sv)a(sa(sv))", name, "fail", tuple(properties), beside
    )
    reply = once(call, session.deadline)
    until = min(session.deadline, time.monotonic() + _FORGETS_S)
    # A unit of this name that has ended is forgotten a moment later.
    while reply.error.endswith(_THERE) and time.monotonic() < until:
        _require_unmasked([name, *(unit for unit, _given in beside)], session.deadline)
        time.sleep(_PAUSE_S)
        reply = once(call, session.deadline)
    if reply.error:
        raise refused(reply)


def state(name: str, session: Session) -> Ended:
    """How a unit stands now.

    Raises:
        NoAnswer: systemd did not answer.
    """
    return _state(name, session.deadline)


def wait(name: str, session: Session) -> Ended:
    """Wait until a service has ended; a manager that is restarting is asked again.

    Raises:
        NoAnswer: It did not end in time; it goes on by itself.
    """
    while True:
        if time.monotonic() + _PAUSE_S >= session.deadline:
            raise NoAnswer("timeout", f"{name} did not end in time; it goes on by itself")
        try:
            found = _state(name, min(session.deadline, time.monotonic() + _CALL_S))
        except NoAnswer as silence:
            if silence.status == "denied":
                raise
        else:
            if found.active not in {"activating", "deactivating", "reloading"}:
                return found
        time.sleep(_PAUSE_S)


def remove(name: str, session: Session) -> None:
    """Stop a unit if it is there, and have systemd forget it.

    Raises:
        NoAnswer: It is still active.
    """
    for call in (manager("StopUnit", "ss", name, "replace"), manager("ResetFailedUnit", "s", name)):
        reply = once(call, session.deadline)
        if reply.error and reply.error.rpartition(".")[2] not in _GONE:
            raise refused(reply)
    while (left := _state(name, session.deadline)).active not in {"", "inactive"}:
        if time.monotonic() + _PAUSE_S >= session.deadline:
            raise NoAnswer("timeout", f"{name} is still {left.active}")
        time.sleep(_PAUSE_S)


def _state(name: str, deadline: float) -> Ended:
    path = unit_path(name)
    active = once(get(MANAGER, path, _UNIT, "ActiveState"), deadline)
    if active.error and active.error.rpartition(".")[2] in _GONE:
        return Ended("", "", 0)
    if not name.endswith(".service"):
        return Ended(_known(str(value_of(active)), path, deadline), "", 0)
    found = [
        value_of(once(get(MANAGER, path, type_interface(name), member), deadline))
        for member in ("Result", "ExecMainStatus")
    ]
    return Ended(_known(str(value_of(active)), path, deadline), str(found[0]), int(found[1]))


def _known(active: str, path: str, deadline: float) -> str:
    """Empty for a unit that systemd only made up to answer about it."""
    if active != "inactive":
        return active
    if value_of(once(get(MANAGER, path, _UNIT, "Job"), deadline))[0]:
        # It was told to start, and systemd has not come to it yet.
        return "activating"
    return "" if _load_state(path, deadline) == "not-found" else active


def _require_unmasked(names: Sequence[str], deadline: float) -> None:
    for name in names:
        if _load_state(unit_path(name), deadline) == "masked":
            raise NoAnswer("error", f"{name} is masked; unmask it")


def _load_state(path: str, deadline: float) -> str:
    return str(value_of(once(get(MANAGER, path, _UNIT, "LoadState"), deadline)))
