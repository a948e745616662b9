"""A new or restored appliance takes its ledger up again from the evidence repository.

Rule 1: What comes from the server is verified whole before anything uses it.
Rule 2: A ledger that holds what the server lacks is never replaced: those entries exist once. That
holds for one whose branch a power cut or a disk has damaged, too: then its objects are looked at.
Rule 3: The ledger is there complete or not at all; an older one is set aside, not deleted.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import EvidenceError, InputError, LedgerMissing, MachineError, Where
from reconciler.evidence import layout
from reconciler.evidence.signers import AllowedSigners
from reconciler.ledger.durable import flush, on_disk
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.packing.loose_part import loose_files
from reconciler.ledger.packs import check_pack
from reconciler.ledger.ref_files import read_ref, read_refs
from reconciler.ledger.remote.standing import Relation, compare
from reconciler.ledger.repository import create_repository
from reconciler.ledger.verify import verify
from reconciler.transport.cause import failure
from reconciler.transport.fetch import fetch
from reconciler.transport.limits import MIB, WireLimits
from reconciler.transport.server import Server

RESUME_LIMITS = WireLimits(
    timeout_s=3600.0, max_bytes=2048 * MIB, objects=20_000_000, memory_bytes=2048 * MIB
)
_MEANWHILE = "what this machine holds was not touched"
_UNPUSHED = (
    "Push it first: reconciler evidence push. If that is refused, two machines wrote as one: stop "
    "both, and keep both repositories."
)
_DAMAGED = (
    "Find its newest entry with git fsck, and name it as the branch again: see docs/operating.md, "
    "When the branch is lost. Then push."
)


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a machine resumes from.

    Attributes:
        tip: The newest commit.
        changed: Whether the ledger was put in place; False if it was at this commit already.
        sentence: What was proven of it.
        aside: Where the older ledger is now, None if there was none.
    """

    tip: str
    changed: bool
    sentence: str
    aside: Path | None


def resume(
    server: Server,
    client: str,
    host: str,
    directory: Path,
    *,
    signers: AllowedSigners,
    signers_file: Path,
    home: Path,
    limits: WireLimits = RESUME_LIMITS,
) -> Resumed:
    """Put a verified copy of a branch in place as this machine's ledger.

    The caller holds the host's lock: nothing may append meanwhile.

    Args:
        server: Where the evidence repository is.
        client: One clinic.
        host: The appliance.
        directory: Where the ledger shall be, or an older copy of it is.
        signers: Who may have signed.
        signers_file: Allowed signers file that ``git verify-commit`` is told to use.
        home: Folder for what the child process needs.
        limits: Bounds of the fetch.

    Raises:
        LedgerMissing: The server has no such branch.
        EvidenceError: What the server holds does not verify, or lacks entries that are here.
        InputError: There is something at ``directory`` that is not this branch's ledger.
        MachineError: No network, refused credentials, too slow, disk full.
    """
    name = layout.ref_name(client, host)
    fresh = directory.with_name(f"{directory.name}.new")
    with on_disk(fresh):
        shutil.rmtree(fresh, ignore_errors=True)
    create_repository(fresh, client, host, signers_file)
    try:
        tip = _fetched(server, limits, fresh, home, f"{client}/{host}")
        found = verify(fresh, signers, branches={(client, host)})
        if not found.ok:
            message = f"what the evidence server holds is not used: {found.sentence}"
            raise EvidenceError(message, hint="Run reconciler verify on a clone of it.")
        local = _local(directory, name)
        if local is not None and verify(directory, signers, branches={(client, host)}).ok:
            _check_older(directory, fresh, local, tip)
            if local == tip:
                return Resumed(tip, False, found.sentence, None)
        else:
            _check_known(directory, fresh)
        aside = _replace(directory, fresh, local)
        return Resumed(tip, True, found.sentence, aside)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _fetched(server: Server, limits: WireLimits, fresh: Path, home: Path, branch: str) -> str:
    into = f"refs/heads/{branch}"
    fetched = fetch(server, limits, repository=fresh, home=home, branch=branch, into=into)
    # libgit2 leaves it; it is no part of a ledger.
    (fresh / "FETCH_HEAD").unlink(missing_ok=True)
    if fetched.commit is not None:
        return fetched.commit
    if fetched.cause == "missing-branch" or fetched.cause is None:
        hint = "Enrol a new appliance with reconciler init, or check client and host."
        raise LedgerMissing(f"the evidence server has no branch {branch}", hint=hint)
    message, hint = failure(fetched.cause, server="evidence server", meanwhile=_MEANWHILE)
    raise MachineError(f"{message} ({server.location.url}: {fetched.detail})", hint=hint)


def _local(directory: Path, name: str) -> str | None:
    """The tip of the ledger that is here, None if there is no entry in that place."""
    if not directory.exists() or not any(directory.iterdir()):
        return None
    if not (directory / "HEAD").is_file():
        hint = "Choose another directory; nothing is overwritten."
        raise InputError("is not a ledger", hint=hint, where=Where(str(directory)))
    if (tip := read_ref(directory, name)) is None and read_refs(directory):
        hint = "Check client and host, or choose another directory; nothing is overwritten."
        raise InputError("is the ledger of another branch", hint=hint, where=Where(str(directory)))
    return tip


def _check_older(directory: Path, fresh: Path, local: str, tip: str) -> None:
    """Raise unless every entry that is here is on the server as well."""
    ours = compare(ObjectStore(fresh), tip, local)
    if ours.relation in (Relation.EQUAL, Relation.BEHIND):
        return
    theirs = compare(ObjectStore(directory), local, tip)
    if theirs.relation is Relation.BEHIND:
        count = len(theirs.pending)
        message = f"this ledger holds {count} entries that the evidence server lacks"
    else:
        message = "this ledger and the evidence server hold different histories"
    raise EvidenceError(f"{message}; nothing was changed", hint=_UNPUSHED)


def _check_known(directory: Path, fresh: Path) -> None:
    """Raise unless every commit among the objects that are here is on the server as well."""
    if not (directory / "objects").is_dir():
        return
    ours, theirs = ObjectStore(directory), ObjectStore(fresh)
    unknown = [oid for oid in _objects(directory) if not _is_commit(theirs, oid)]
    count = sum(_is_commit(ours, oid) for oid in unknown)
    if count:
        message = (
            f"this ledger is damaged, and holds {count} entries that the evidence server lacks"
        )
        raise EvidenceError(f"{message}; nothing was changed", hint=_DAMAGED)


def _objects(directory: Path) -> Iterator[str]:
    with on_disk(directory):
        yield from loose_files(directory / "objects")
    for pack in (directory / "objects/pack").glob("*.idx"):
        if pack.with_suffix(".pack").exists():
            yield from (oid.hex() for oid in check_pack(pack.with_suffix(".pack")))


def _is_commit(store: ObjectStore, oid: str) -> bool:
    try:
        return store.read(oid)[0] == "commit"
    except EvidenceError:
        # Not there, or its bytes are gone: nothing that could be kept.
        return False


def _replace(directory: Path, fresh: Path, local: str | None) -> Path | None:
    aside: Path | None = None
    with on_disk(directory):
        if directory.exists() and any(directory.iterdir()):
            aside = directory.with_name(f"{directory.name}.before-{(local or 'first')[:12]}")
            directory.rename(aside)
        fresh.rename(directory)
        flush(directory.parent)
    return aside
