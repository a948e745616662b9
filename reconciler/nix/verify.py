"""Whether what lies on the disk is what the Nix database says, path by path.

Rule 1: A path is corrupt because its hash was reckoned and differs, or because the disk does not
        give it back; missing because it is not there. That a program failed proves neither.
Rule 2: What Nix says of many paths at once only saves looking at each.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.nix.database import PathInfo, open_database
from reconciler.nix.process import NixStore, attempt, failure
from reconciler.programs.bounded import Ended

MOST_PATHS = 128
MOST_BYTES = 512 * 1024 * 1024

_SLOWEST = 2 * 1024 * 1024
"""Bytes a second that a disk gives at least."""

_UNTRUSTED = 2
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found.

    Attributes:
        corrupt: Store paths whose content is not what the database says.
        missing: Store paths that are not there, though the database says so.
        untrusted: Store paths that nobody vouches for whose key this Nix trusts.
    """

    corrupt: tuple[str, ...]
    missing: tuple[str, ...]
    untrusted: tuple[str, ...]


def batches(infos: Iterable[PathInfo]) -> Iterator[list[PathInfo]]:
    """Paths, as many at once as are looked at in one go."""
    batch: list[PathInfo] = []
    size = 0
    for info in infos:
        if batch and (len(batch) == MOST_PATHS or size + info.nar_bytes > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(info)
        size += info.nar_bytes
    if batch:
        yield batch


def look_at(infos: Sequence[PathInfo], state: NixStore) -> Looked:
    """Hash paths and compare; a path that was collected meanwhile is left out.

    Args:
        infos: What the database says of each.
        state: Which store, and which Nix looks.

    Raises:
        MachineError: Nix is not here, took too long, or failed for another reason than the paths.
    """
    if not infos:
        return Looked((), (), ())
    ended = _verify(infos, state, "--no-trust")
    corrupt: list[str] = []
    missing: list[str] = []
    if ended.exit != 0:
        there = [info for info in infos if not _is_gone(info, state)]
        missing = [info.path for info in there if not os.path.lexists(_real(info, state))]
        corrupt = [i.path for i in there if i.path not in missing and _is_corrupt(i, state)]
        if not corrupt and not missing and len(there) == len(infos):
            raise failure("nix", ended)
    return Looked(tuple(corrupt), tuple(missing), _untrusted(infos, state))


def _verify(infos: Sequence[PathInfo], state: NixStore, *how: str) -> Ended:
    paths = (info.path for info in infos)
    return attempt("nix", "store", "verify", *how, *paths, timeout_s=_time_for(infos), state=state)


def _untrusted(infos: Sequence[PathInfo], state: NixStore) -> tuple[str, ...]:
    ended = _verify(infos, state, "--no-contents")
    if ended.exit == 0:
        return ()
    if len(infos) > 1:
        return tuple(path for info in infos for path in _untrusted([info], state))
    if ended.exit != _UNTRUSTED and not _is_gone(infos[0], state):
        raise failure("nix", ended)
    return (infos[0].path,) if ended.exit == _UNTRUSTED else ()


def _is_corrupt(info: PathInfo, state: NixStore) -> bool:
    real = _real(info, state)
    hashing = ("hash", "path", "--type", "sha256", "--base16", real)
    ended = attempt("nix", *hashing, timeout_s=_time_for([info]), state=state)
    if ended.exit == 0:
        return ended.stdout.decode("ascii", "replace").strip() != info.nar_sha256
    if _can_be_read(Path(real)):
        raise failure("nix", ended)
    return True


def _can_be_read(path: Path) -> bool:
    """Whether the disk gives back all of a path."""
    try:
        if path.is_symlink():
            return bool(path.readlink())
        if path.is_dir():
            return all(map(_can_be_read, path.iterdir()))
        with path.open("rb", buffering=0) as stream:
            while stream.read(_PIECE):
                pass
    except OSError:
        return False
    return True


def _is_gone(info: PathInfo, state: NixStore) -> bool:
    """Whether the store does not say any more that it holds a path."""
    with open_database(state.root) as database:
        return database.info(info.path) is None


def _real(info: PathInfo, state: NixStore) -> str:
    return f"{state.root.rstrip('/')}{info.path}"


def _time_for(infos: Sequence[PathInfo]) -> float:
    return 120.0 + sum(info.nar_bytes for info in infos) // _SLOWEST
