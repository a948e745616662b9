"""Ask and use the Linux target inside the guest, and take its answers out as JSON."""

import json
from typing import Any

from tests.support.guest import Guest

_PRELUDE = """
import dataclasses, json, os, sys, time
from reconciler.model.answer import Answer
from reconciler.model.operation import *
from reconciler.model.probe import *
from reconciler.targets.linux import bus
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.target import LinuxTarget

target = LinuxTarget(internal=lambda topic: Answer("ok", {"unix_s": 1_700_000_000}))

def ask(probe, deadline_s=10):
    answer = target.ask([probe], deadline_s)[probe]
    return {"status": answer.status, "data": answer.data, "reason": answer.reason}

def do(operation):
    result = target.carry_out(operation)
    return {"ok": result.ok, "reason": result.reason}

def through_the_system_bus():
    bus.Buses.__init__.__defaults__ = ("/nowhere", bus.SYSTEM)
"""
OK = {"ok": True, "reason": ""}
"""What an operation says that was done."""


def value(guest: Guest, expression: str, *, before: str = "", user: str = "root") -> Any:
    """The value of an expression, evaluated in the guest."""
    code = f"{_PRELUDE}\n{before}\nprint(json.dumps({expression}))\n"
    return json.loads(guest.run("python3", "-", input=code, user=user).stdout)


def shown(guest: Guest, unit: str, name: str) -> str:
    """A property of a unit, as systemctl shows it."""
    return guest.run("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()
