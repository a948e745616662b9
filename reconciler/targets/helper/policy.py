"""Which operations the helper takes: what the runbooks of a NixOS host need, and nothing more.

Rule 1: On NixOS files, kernel parameters and accounts are the configuration's. Nothing here writes
        one, links a unit or starts a program that is named by whoever asks.
Rule 2: Systems are activated by workers that hold them against the release themselves.
Rule 3: Where root works, nobody else may have a say: a folder that another user owns could be
        swapped for a link while files are restored into it.
Rule 4: A unit may be started, stopped and limited; one that ends the machine's work, empties a
        disk or a TPM, gives its disks or its journal to the network, loads what somebody names
        into the kernel, or lets somebody in without a password, is none of ours.
"""

import os
import re
import stat
from pathlib import PurePosixPath

from reconciler.model.operation import Operation, RestoreSample, UnitJob, UnitProperty
from reconciler.model.system_operation import OnSystem

STATE = "/var/lib/reconciler"
SCRATCH = f"{STATE}/scratch"
RECORDS = f"{STATE}/restore-tests"

_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,240}\.(?:service|socket|timer|mount|path)")
_NEVER = re.compile(
    r"(?:debug-shell|emergency|rescue|kexec|initrd-.*|reconciler.*)\.(?:service|socket|timer|path)"
    r"|systemd-(?:poweroff|reboot|soft-reboot|halt|kexec|suspend|hibernate|hybrid-sleep"
    r"|suspend-then-hibernate|exit|firstboot|homed|sysext|confext|storagetm|tpm2-clear"
    r"|factory-reset|makefs|mkswap|repart|nspawn|journal-gatewayd)[A-Za-z0-9:_.\\@-]*"
    r"|modprobe@.*"
)
_RECORD = re.compile(rf"{RECORDS}(?:/[A-Za-z0-9_-]{{1,64}}){{1,2}}\.json")
_REPOSITORY = re.compile(
    # A host that begins with a dash would be an option of ssh.
    r"(?:/|sftp:(?!/*(?:[^/:@]*@)?-)|rest:https://|s3:https://|b2:|azure:|gs:|swift:)[!-~]{1,1000}"
)
_FILE = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9_.@+-]{1,255}){1,16}")


def refused(operation: Operation) -> str | None:
    """Why the helper does not take an operation; ``None`` when it does."""
    match operation:
        case UnitJob(unit=unit) | UnitProperty(unit=unit):
            return None if _is_ours(unit) else f"{unit:.240} is no unit that steps may touch"
        case RestoreSample():
            return _sample(operation)
        case _ if isinstance(operation, OnSystem):
            return None
        case _:
            return f"{type(operation).__name__} is nothing that steps do on NixOS"


def _is_ours(unit: str) -> bool:
    return _UNIT.fullmatch(unit) is not None and _NEVER.fullmatch(unit) is None


def _sample(wanted: RestoreSample) -> str | None:
    if wanted.scratch != SCRATCH and not wanted.scratch.startswith(f"{SCRATCH}/"):
        return f"a restore test may use {SCRATCH} only"
    if _FILE.fullmatch(wanted.scratch) is None or _RECORD.fullmatch(wanted.record) is None:
        return f"the record of a restore test lies in {RECORDS}"
    if _FILE.fullmatch(wanted.password_file) is None:
        return "the password file is no plain path"
    if _REPOSITORY.fullmatch(wanted.repository) is None:
        return "the repository is of a kind that a restore test does not read"
    return _shared(wanted.scratch) or _shared(wanted.record)


def _shared(path: str) -> str | None:
    """Why a path is not root's alone: somebody else owns a folder above it, or may write there."""
    for folder in PurePosixPath(path).parents:
        try:
            facts = os.lstat(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            return f"{folder}: {error.strerror}"
        foreign = facts.st_uid != os.geteuid() or facts.st_mode & 0o022
        if foreign or not stat.S_ISDIR(facts.st_mode):
            return f"{folder} can be changed by others than root; nothing is restored below it"
    return None
