"""Have a system in the store, and see that it is byte for byte what the release names: Realise.

Rule 1: Nothing is evaluated and nothing is built here, by nobody: a path that no cache has is an
        error. Only caches and keys of the settings count.
Rule 2: It is kept from the garbage collector before it is fetched.
Rule 3: The hash of the system and the digest of its whole closure are compared with the release.
        So a stolen key of a cache alone changes nothing that runs here. A release that does not say
        the digest is none to run: below the system, the key of a cache would be enough.
Rule 4: They are compared again whenever something is done with the system: whoever asks for a
        switch need not have asked for this before, and others may have fetched the path.
"""

import hmac
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.errors import ReconcilerError
from reconciler.model.system_operation import Realise, RepairPath
from reconciler.nix import cached, closure, process
from reconciler.nix.database import PathInfo, open_database
from reconciler.targets.linux.nixos import links
from reconciler.targets.linux.nixos.access import SystemAccess
from reconciler.targets.linux.nixos.room import require_room
from reconciler.targets.linux.nixos.trusted import Trusted, access_of, store_path, trusted
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session

_UNSIGNED = (b"lacks a signature by a trusted key", b"not signed by any of the keys")
_PATIENCE = (
    ("connect-timeout", "15"),
    ("stalled-download-timeout", "60"),
    ("download-attempts", "3"),
)
"""A cache that is silent is left for the next one: by itself, Nix waits for half an hour."""

_DAEMON = "/nix/var/nix/daemon-socket/socket"


def realise(operation: Realise, session: Session) -> None:
    """Fetch what is missing, then compare everything with the release.

    Raises:
        NoAnswer: It is not the trusted one, no cache has it with a signature that counts, there is
            no room, or it is not what the release names.
    """
    access, wanted = access_of(session), trusted(operation.system, session)
    links.keep("candidate", wanted.path)
    try:
        if not _whole(wanted.path):
            require_room(wanted.path, access, session, store())
            _fetch(wanted.path, access, session)
        _compare(wanted, access)
        _require_there(wanted.path)
    except NoAnswer:
        # What is not the candidate may be collected as garbage, and then be fetched again.
        links.let_go("candidate")
        raise
    except ReconcilerError as error:
        raise NoAnswer("error", error.message) from error


def proven(path: str, session: Session) -> str:
    """The trusted system, which is in the store byte for byte as the release names it.

    Raises:
        NoAnswer: It is not the trusted one, not in the store, or not what the release names.
    """
    access, wanted = access_of(session), trusted(path, session)
    try:
        _compare(wanted, access)
    except ReconcilerError as error:
        raise NoAnswer("error", error.message) from error
    return wanted.path


def repair_path(operation: RepairPath, session: Session) -> None:
    """Fetch a path again, from a cache that has it as it was, and see that it is.

    Raises:
        NoAnswer: It is not in the store, no cache has it as it was, or another thing came.
    """
    access, path = access_of(session), store_path(operation.path)
    try:
        before, address = _registered(path)
        with TemporaryDirectory(prefix="reconciler-nix-", ignore_cleanup_errors=True) as place:
            having = _beside(before, address, access, session, Path(place))
            # The daemon's protocol knows no repair.
            directly = process.NixStore(remote="local")
            _nix(("--repair-path", path), having, session, directly)
        if _registered(path)[0].nar_sha256 != before.nar_sha256:
            raise NoAnswer("error", f"{path} came back as something else")
        _nix(("--verify-path", path), access, session)
    except ReconcilerError as error:
        raise NoAnswer("error", error.message) from error


def _beside(
    info: PathInfo, address: str | None, access: SystemAccess, session: Session, place: Path
) -> SystemAccess:
    """The settings with a cache that holds one path as it was, and nothing else."""
    limit = min(session.remaining(), float(access.realise_timeout_s))
    cache = cached.bring(info, address, access.caches, place, timeout_s=limit, state=store())
    if cache is None:
        raise NoAnswer("error", f"no cache has {info.path} as it was")
    return replace(access, caches=(cache,))


def _whole(path: str) -> bool:
    with open_database() as database:
        return database.info(path) is not None


def _require_there(path: str) -> None:
    if not Path(path).exists():
        words = "is not on the disk, though the Nix database holds it: it needs repair"
        raise NoAnswer("error", f"{path} {words}")


def _registered(path: str) -> tuple[PathInfo, str | None]:
    with open_database() as database:
        info, address = database.info(path), database.content_address(path)
    if info is None:
        raise NoAnswer("absent", f"{path} is not in the store")
    return info, address


def _fetch(path: str, access: SystemAccess, session: Session) -> None:
    if not access.caches:
        raise NoAnswer("error", f"{path} is not in the store, and no cache is set")
    _nix(("--realise", path), access, session)


def _nix(
    arguments: tuple[str, ...],
    access: SystemAccess,
    session: Session,
    state: process.NixStore | None = None,
) -> None:
    options = (
        ("substituters", " ".join(access.caches)),
        ("trusted-public-keys", " ".join(access.public_keys)),
        ("require-sigs", "true"),
        ("substitute", "true"),
        ("max-jobs", "0"),
        ("builders", ""),
        ("fallback", "false"),
        # What a cache did not have an hour ago it may have now.
        ("narinfo-cache-negative-ttl", "0"),
        *_PATIENCE,
    )
    limit = min(session.remaining(), float(access.realise_timeout_s))
    ended = process.attempt(
        "nix-store", *arguments, timeout_s=limit, options=options, state=state or store()
    )
    if ended.exit == 0:
        return
    if any(words in ended.stderr for words in _UNSIGNED):
        raise NoAnswer("denied", "a cache has it without a signature by a trusted key")
    raise process.failure("nix-store", ended)


def store() -> process.NixStore:
    """This machine's store, through its daemon where there is one.

    The store is mounted read-only on NixOS, and whoever carries out may not be let to mount.
    """
    return process.NixStore(remote="daemon" if Path(_DAEMON).exists() else "")


def _compare(wanted: Trusted, access: SystemAccess) -> None:
    with open_database() as database:
        info = database.info(wanted.path)
        if info is None:
            raise NoAnswer("error", f"{wanted.path} is not in the store")
        if not hmac.compare_digest(info.nar_sha256, wanted.nar_sha256):
            raise NoAnswer("error", f"{wanted.path} is not what the release names: another hash")
        found = closure.measure(database.closure(wanted.path))
    if found.nar_bytes > access.max_bytes:
        raise NoAnswer("error", f"the closure has {found.nar_bytes >> 20} MiB, more than allowed")
    said = wanted.closure_sha256
    if said is None:
        raise NoAnswer("denied", "the release does not say what the closure is")
    if not hmac.compare_digest(found.sha256, said):
        raise NoAnswer("error", "the closure is not what the release names: another digest")
