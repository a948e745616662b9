"""Whether the bytes of the running system are those that the Nix database names; and the record.

Equal store paths mean the same recipe, not the same bytes: what was changed on the disk, or fell
over by itself, is found by hashing all of it. That takes minutes, so it is done now and then, in
pieces, and the record says when and of which system.

Rule 1: The record is written whole, when a look has ended; a look that was cut off goes on later.
Rule 2: What was found before a cut is looked at again before it is told.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.engine.sbom import system_to_list
from reconciler.engine.whole_file import write_whole
from reconciler.nix.database import PathInfo, open_database
from reconciler.nix.process import NixStore
from reconciler.nix.store_path import is_store_path
from reconciler.nix.verify import Looked, batches, look_at
from reconciler.ports import Clock

FORMAT = "reconciler-store/1"
MOST = 256
"""Paths of each kind that the record names; the rest is counted."""

_PARTIAL = "reconciler-store-partial/1"
_MAX_BYTES = 32 * 1024 * 1024
_STALE = timedelta(days=14)
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the running system, as far as it has come.

    Attributes:
        system: Store path of the system.
        started: When it began.
        finished: When it ended; None as long as paths are left.
        paths: How many were looked at.
        after: The last of them; empty at first.
        corrupt: Store paths whose content differs.
        missing: Store paths that are not there.
        untrusted: Store paths that nobody trusted vouches for.
    """

    system: str
    started: datetime
    finished: datetime | None = None
    paths: int = 0
    after: str = ""
    corrupt: frozenset[str] = field(default_factory=frozenset)
    missing: frozenset[str] = field(default_factory=frozenset)
    untrusted: frozenset[str] = field(default_factory=frozenset)

    @property
    def sound(self) -> bool:
        """Whether it ended, and every path is there and is what the database says."""
        return self.finished is not None and not self.corrupt and not self.missing

    def to_record(self) -> dict[str, Any]:
        """JSON values of the record of a look that has ended."""
        return {
            "format": FORMAT,
            "system": self.system,
            "started": self.started.strftime(_TIME),
            "finished": self.finished.strftime(_TIME) if self.finished else None,
            "paths": self.paths,
            "corrupt": sorted(self.corrupt)[:MOST],
            "corrupt_count": len(self.corrupt),
            "missing": sorted(self.missing)[:MOST],
            "missing_count": len(self.missing),
            "untrusted": len(self.untrusted),
            "closure_verified": self.finished is not None,
        }


def verify_store(
    record: Path, clock: Clock, state: NixStore, *, system: str | None = None, seconds: int
) -> Look:
    """Look at a system, or go on where an earlier look was cut off.

    Args:
        record: File of the record; beside it is kept how far a look has come.
        clock: Wall time and seconds.
        state: Which store, and which Nix looks.
        system: Store path; the running system if nothing is said.
        seconds: After how many no further paths are begun.

    Raises:
        InputError: The system is no store path.
        MachineError: There is no system, Nix fails, the database is damaged, the disk is full.
    """
    path = system_to_list(system, state.root)
    with open_database(state.root) as database:
        infos = list(database.closure(path))
    partial = record.with_name(f"{record.name}.partial")
    begun = clock.monotonic()
    look = _resumed(partial, path, clock.now()) or Look(system=path, started=_whole(clock.now()))
    for batch in batches(info for info in infos if info.path > look.after):
        if clock.monotonic() - begun >= seconds:
            return look
        look = _with(look, batch, look_at(batch, state))
        write_whole(partial, [_partial(look)], 0o600)
    look = _looked_again(look, infos, state)
    look = replace(look, finished=_whole(clock.now()))
    write_whole(record, [_line(look.to_record())])
    partial.unlink(missing_ok=True)
    return look


def _with(look: Look, batch: Iterable[PathInfo], found: Looked) -> Look:
    seen = list(batch)
    return replace(
        look,
        paths=look.paths + len(seen),
        after=seen[-1].path,
        corrupt=look.corrupt | set(found.corrupt),
        missing=look.missing | set(found.missing),
        untrusted=look.untrusted | set(found.untrusted),
    )


def _looked_again(look: Look, infos: Iterable[PathInfo], state: NixStore) -> Look:
    """What was bad may have been repaired, or collected, since it was seen."""
    bad = [info for info in infos if info.path in look.corrupt | look.missing]
    corrupt: set[str] = set()
    missing: set[str] = set()
    for batch in batches(bad):
        found = look_at(batch, state)
        corrupt |= set(found.corrupt)
        missing |= set(found.missing)
    return replace(look, corrupt=frozenset(corrupt), missing=frozenset(missing))


def _partial(look: Look) -> bytes:
    return _line(
        {
            "format": _PARTIAL,
            "system": look.system,
            "started": look.started.strftime(_TIME),
            "paths": look.paths,
            "after": look.after,
            "corrupt": sorted(look.corrupt),
            "missing": sorted(look.missing),
            "untrusted": sorted(look.untrusted),
        }
    )


def _resumed(partial: Path, system: str, now: datetime) -> Look | None:
    """The look that was cut off; None if there is none, of another system, too old or torn."""
    try:
        with partial.open("rb") as stream:
            look = _read(json.loads(stream.read(_MAX_BYTES)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        # It only saves time: a look that cannot be read begins anew.
        return None
    fresh = timedelta(0) <= now - look.started < _STALE
    return look if look.system == system and fresh else None


def _read(said: Any) -> Look:
    if said["format"] != _PARTIAL or type(said["paths"]) is not int or said["paths"] < 0:
        raise ValueError
    return Look(
        system=_path(said["system"]),
        started=datetime.strptime(said["started"], _TIME).replace(tzinfo=UTC),
        paths=said["paths"],
        after=_path(said["after"]),
        corrupt=frozenset(map(_path, said["corrupt"])),
        missing=frozenset(map(_path, said["missing"])),
        untrusted=frozenset(map(_path, said["untrusted"])),
    )


def _path(value: Any) -> str:
    if type(value) is not str or not is_store_path(value):
        raise ValueError
    return value


def _line(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1).encode() + b"\n"


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)
