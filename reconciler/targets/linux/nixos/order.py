"""What was in force before an activation began, on the disk: the one thing a crash must not take.

Rule 1: It is written before the first change and removed after the last.
Rule 2: It says how healthy the machine was then, so that a restart of the reconciler in the middle
        does not take the damage for the baseline.
Rule 3: What does not read as an order is an error, and a person's: nothing is guessed.
Rule 4: It decides what root switches to, so nobody else may have written it or its directory.
"""

import json
import os
import re
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from reconciler.model.operation import WriteFile
from reconciler.model.system import STORE_PATH
from reconciler.targets.linux.nixos.links import flush, point
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.writing import write_file

DIRECTORY = Path("/var/lib/reconciler/activation")
AWAITING_BOOT = DIRECTORY / "awaiting-boot"
"""Link to a system that was restarted into and that nobody has confirmed; see the boot watchdog."""

FILE = DIRECTORY / "order.json"
_LIMIT = 1024 * 1024
_FORMAT = "reconciler-activation/1"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"

Kind = Literal["switch", "boot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An activation under way.

    Attributes:
        kind: Whether the system is switched to, or restarted into.
        system: The candidate.
        previous: What ran.
        generation: Number of the profile's generation.
        profile: System of that generation.
        default: What the boot loader booted by itself.
        boot: The boot in which it began.
        healthy: Whether the candidate was judged to be as healthy as what ran before.
        ailing: Units that had failed, or were being restarted after a failure.
        running: Declared units that were active.
        ways: Parts of the access path that worked.
        reached: Whether the Git server could be reached.
    """

    kind: Kind
    system: str
    previous: str
    generation: int
    profile: str
    default: str
    boot: str
    healthy: bool = False
    ailing: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    reached: bool = False


def read() -> Order | None:
    """The order; ``None`` when no activation is under way.

    Raises:
        NoAnswer: It is garbled.
        OSError: It cannot be read.
    """
    try:
        _require_ours(DIRECTORY)
        _require_ours(FILE)
        data = FILE.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _order(json.loads(data))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NoAnswer(
            "error", f"{FILE} is garbled; look at what runs, then remove it by hand"
        ) from error


def write(order: Order, session: Session) -> None:
    """Put it on the disk, whole, before anything else happens.

    Raises:
        NoAnswer, OSError: It cannot be written; nothing may be begun.
    """
    with suppress(FileNotFoundError):
        _require_ours(DIRECTORY)
    content = json.dumps(asdict(order) | {"format": _FORMAT}, sort_keys=True).encode() + b"\n"
    write_file(WriteFile(str(FILE), content, mode=0o600, parents=True), session)


def mark_healthy(order: Order, session: Session) -> None:
    """From here on the candidate is what a crash leads forward to."""
    write(replace(order, healthy=True), session)


def await_boot(system: str) -> None:
    """Have the boot watchdog know which system nobody has confirmed."""
    point(AWAITING_BOOT, system)


def clear() -> None:
    """Nothing is under way any more."""
    AWAITING_BOOT.unlink(missing_ok=True)
    FILE.unlink(missing_ok=True)
    if DIRECTORY.is_dir():
        flush(DIRECTORY)


def boot_id() -> str:
    """What tells one boot from the next."""
    return Path(_BOOT_ID).read_text().strip()


def _require_ours(path: Path) -> None:
    """Nobody but this user could have written it (Rule 4)."""
    facts = path.lstat()
    kind = stat.S_ISDIR(facts.st_mode) if path == DIRECTORY else stat.S_ISREG(facts.st_mode)
    if not kind or facts.st_uid != os.geteuid() or facts.st_mode & 0o022 or facts.st_size > _LIMIT:
        raise NoAnswer("denied", f"{path} is not this user's alone; look at what runs")


def _order(found: Any) -> Order:
    if not isinstance(found, dict):
        raise TypeError("not an order")
    if found.pop("format") != _FORMAT or set(found) != set(Order.__dataclass_fields__):
        raise ValueError("another form")
    lists = {name: _names(found[name]) for name in ("ailing", "running", "ways")}
    order = Order(**(found | lists))
    paths = (order.system, order.previous, order.profile, order.default)
    if not all(re.fullmatch(STORE_PATH, path) for path in paths):
        raise ValueError("not a system")
    flags = (type(order.healthy), type(order.reached), type(order.generation), type(order.boot))
    if flags != (bool, bool, int, str) or order.kind not in ("switch", "boot"):
        raise ValueError("another form")
    return order


def _names(found: object) -> tuple[str, ...]:
    if isinstance(found, list) and all(isinstance(name, str) for name in found):
        return tuple(found)
    raise ValueError("not a list of names")
