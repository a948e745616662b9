"""Build evaluated systems, say what they are made of, and put them into a cache.

Rule 1: A system is what its derivation makes: an evaluation that claims another path is refused.
Rule 2: All facts come from the Nix database after the build, never from what a program printed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import InputError, MachineError
from reconciler.model.scrub import scrub
from reconciler.model.system import Closure
from reconciler.nix import closure, process
from reconciler.nix.database import open_database
from reconciler.nix.evaluate import Evaluated
from reconciler.nix.process import NixStore, Told
from reconciler.nix.same import require_same
from reconciler.nix.store_path import is_store_path
from reconciler.programs.bounded import Ended

_LINES_LIMIT = 64 * 1024 * 1024
_NAMED = 8
_CULPRIT = re.compile(
    rb"^error: (?:Cannot build|builder for) '(?P<drv>/nix/store/[\w+.?=-]{1,250}\.drv)'"
    rb"(?:\.\s+Reason:)? (?P<reason>[^\n;]{1,200})",
    re.MULTILINE,
)
"""The first that failed; Nix names what waits for it afterwards."""

_FULL = re.compile(rb"No space left on device|disk is full")
_ROOM = "Make room where the store is (nix-collect-garbage), and run it again."
_OPTIONS = (("builders", ""), ("plugin-files", ""), ("accept-flake-config", "false"))


@dataclass(frozen=True, slots=True)
class Built:
    """A system that is in the store.

    Attributes:
        drv: Store path of its derivation.
        path: Its store path.
        nar_sha256: SHA-256 of its NAR.
        closure: Everything that it needs.
    """

    drv: str
    path: str
    nar_sha256: str
    closure: Closure


def build(
    systems: Sequence[Evaluated],
    *,
    timeout_s: float,
    options: Sequence[tuple[str, str]] = (),
    state: NixStore | None = None,
    told: Told | None = None,
) -> None:
    """Build systems, or fetch them from the caches that the machine trusts.

    Args:
        systems: What was evaluated.
        timeout_s: Seconds until it is given up.
        options: More settings of Nix for this build.
        state: Which Nix and store.
        told: Gets what Nix said where it fails.

    Raises:
        InputError: A derivation makes something else than the evaluation claims.
        MachineError: A build failed or took too long.
    """
    drvs = list(dict.fromkeys(system.drv for system in systems))
    if not drvs:
        return
    for system in systems:
        _hold_claim(system, timeout_s, state)
    try:
        ended = process.attempt(
            "nix-store",
            # Of builds side by side, each line says whose it is.
            *("--log-format", "bar-with-logs", "--realise"),
            *drvs,
            timeout_s=timeout_s,
            limit=_LINES_LIMIT,
            options=(*_OPTIONS, *options),
            state=state,
            told=told,
        )
    except MachineError as error:
        raise _failed(systems, error.message, error.hint) from error
    if ended.exit != 0:
        raise _explained(systems, ended, timeout_s, state)


def _hold_claim(system: Evaluated, timeout_s: float, state: NixStore | None) -> None:
    said = process.run(
        "nix-store", "--query", "--outputs", system.drv, timeout_s=timeout_s, state=state
    )
    if said.decode("ascii", "replace").split() != [system.path]:
        raise InputError(
            f"{system.drv} does not make {system.path}, the system of {system.target}, alone",
            hint="config.system.build.toplevel must be a derivation with one output.",
        )


def _failed(systems: Sequence[Evaluated], why: str, hint: str) -> MachineError:
    hosts = list(dict.fromkeys(system.target for system in systems))
    named = ", ".join(hosts[:_NAMED])
    more = f" and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else ""
    return MachineError(f"the system of {named}{more} cannot be built: {why}", hint=hint)


def _explained(
    systems: Sequence[Evaluated], ended: Ended, timeout_s: float, state: NixStore | None
) -> MachineError:
    """The error that names what did not build, and the hosts that need it."""
    found = _CULPRIT.search(ended.stderr)
    full = _FULL.search(ended.stderr)
    if found is None:
        error = process.failure("nix-store", ended)
        return _failed(systems, error.message, _ROOM if full else error.hint)
    drv, reason = found["drv"].decode(), found["reason"].decode("utf-8", "replace")
    need = [system for system in systems if _needs(system, drv, timeout_s, state)]
    hint = _ROOM if full else _hint(drv, reason, state)
    return _failed(need or systems, f"{drv}: {scrub(reason.rstrip('.'))}", hint)


def _hint(drv: str, reason: str, state: NixStore | None) -> str:
    if "failed with exit code" in reason:
        return f"See what its build said: nix log {_store_of(state)}{drv}"
    return f"See all that Nix says: nix-store {_store_of(state)}--realise {drv}"


def _needs(system: Evaluated, drv: str, timeout_s: float, state: NixStore | None) -> bool:
    ask = ("--query", "--requisites", system.drv)
    said = process.run("nix-store", *ask, timeout_s=timeout_s, state=state)
    return drv.encode() in said.split()


def _store_of(state: NixStore | None) -> str:
    root = _root(state)
    return "" if root == "/" else f"--store {root} "


def facts_of(system: Evaluated, *, state: NixStore | None = None) -> Built:
    """What the database knows of a system that was built.

    Raises:
        MachineError: It is not in the store, or the database is damaged.
    """
    with open_database(_root(state)) as database:
        info = database.info(system.path)
        if info is None:
            message = f"{system.path} was built and is not in the store"
            raise MachineError(message, hint="Look whether something collects garbage meanwhile.")
        whole = closure.measure(database.closure(system.path))
    return Built(system.drv, system.path, info.nar_sha256, whole)


def packages_of(
    path: str,
    *,
    cache: str | None,
    timeout_s: float,
    state: NixStore | None = None,
    told: Told | None = None,
) -> tuple[str, ...] | None:
    """The store paths of a closure, from this store or a cache; None where neither has it.

    Args:
        path: Store path of a system.
        cache: Address of a binary cache that is asked if the store does not have it.
        timeout_s: Seconds until the cache is given up.
        state: Which Nix and store.
        told: Gets what Nix said where the cache does not have it.

    Raises:
        MachineError: The database is damaged, or the cache takes too long.
    """
    with open_database(_root(state)) as database:
        if database.info(path) is not None:
            return tuple(database.paths(path))
    if cache is None:
        return None
    ended = process.attempt(
        "nix",
        *("path-info", "--store", cache, "--recursive", path),
        timeout_s=timeout_s,
        limit=_LINES_LIMIT,
        state=state,
        told=told,
    )
    if ended.exit != 0:
        return None
    return tuple(filter(is_store_path, ended.stdout.decode("ascii", "replace").split()))


def push(
    paths: Sequence[str],
    cache: str,
    *,
    key: Path | None,
    timeout_s: float,
    state: NixStore | None = None,
) -> None:
    """Sign closures, copy them to a cache, and see that it has what was built here.

    Args:
        paths: Store paths of systems.
        cache: Where to: ``file:///…`` or ``https://…``; of credentials only ``netrc-file`` is read.
        key: File with a secret key of Nix; None where the address names one, or the store has
            signed them already.
        timeout_s: Seconds until it is given up.
        state: Which Nix and store.

    Raises:
        MachineError: It failed, took too long, or the cache has other bytes.
    """
    for arguments in _pushing(list(dict.fromkeys(paths)), cache, key):
        try:
            process.run("nix", *arguments, timeout_s=timeout_s, options=_OPTIONS, state=state)
        except MachineError as error:
            what = "signed" if arguments[0] == "store" else f"copied to {cache:.200}"
            raise MachineError(
                f"the closures were not {what}: {error.message}",
                hint="See address and key of the cache; everything is built, so try again.",
            ) from error
    # What is not there now, or is another thing there, would be missed by every host of the fleet.
    require_same(paths, cache, timeout_s=timeout_s, state=state or process.THIS_MACHINE)


def _pushing(paths: list[str], cache: str, key: Path | None) -> Iterator[tuple[str, ...]]:
    if key is not None:
        file = str(key.resolve())
        yield ("store", "sign", "--key-file", file, "--recursive", *paths)
    yield ("copy", "--to", cache, *paths)


def _root(state: NixStore | None) -> str:
    return (process.THIS_MACHINE if state is None else state).root
