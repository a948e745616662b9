"""Evaluate the system of one host from a flake, so that nothing but the flake has a say.

Rule 1: Pure and restricted: no file outside of the flake and its locked inputs, no address but
        where the lock has those from, no environment, no clock, no derivation built to be read.
Rule 2: Settings of the repository (``nixConfig``) are ignored, and no lock is written or mended.
Rule 3: What an evaluation says its result is, is a claim; `reconciler.nix.build` holds it against
        what the derivation makes.
"""

import json
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.errors import InputError, MachineError
from reconciler.nix import process
from reconciler.nix.locked import LOCK, allowed_uris
from reconciler.nix.process import NixStore, Told
from reconciler.nix.store_path import is_store_path
from reconciler.programs.bounded import Ended

OPTIONS = (
    ("pure-eval", "true"),
    ("restrict-eval", "true"),
    ("allow-import-from-derivation", "false"),
    ("accept-flake-config", "false"),
    ("allow-dirty", "false"),
    ("eval-cache", "false"),
    ("builders", ""),
    ("plugin-files", ""),
    ("connect-timeout", "10"),
    ("download-attempts", "2"),
)
"""What no flake and no machine may have otherwise."""

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SEE = "See what Nix says: nix eval --no-update-lock-file 'path:FLEET#nixosConfigurations'."
_KNOWN = (
    (
        rb"in (?:restricted|pure evaluation) mode",
        f"It may read the files of the commit and the inputs that {LOCK} pins, and nothing else.",
    ),
    (
        rb"allow-import-from-derivation",
        "Nothing is built to be read: commit the file, or make it an input of the flake.",
    ),
    (
        rb"mismatch in field|hash mismatch",
        f"An address serves other bytes than {LOCK} pins: find out why before you lock anew.",
    ),
    (
        rb"database disk image|is not a database",
        "The database of this store is damaged: nix-store --verify --repair, or another store.",
    ),
    (rb"disk is full|No space left", "Make room where the store is: nix-collect-garbage."),
)
"""What Nix says, and what to do then."""

_NOT_LOCKED = re.compile(rb"requires lock file changes|while updating the flake input")
_LOCK_IT = "the inputs of flake.nix: run `nix flake lock` and commit it."
_OUT_OF_MEMORY = re.compile(rb"[Oo]ut of [Mm]emory|Failed to expand heap|bad_alloc|allocate memory")
_NO_ATTRIBUTE = b"does not provide attribute"
_ANSWER_LIMIT = 16 * 1024 * 1024
_APPLY = "system: { drv = system.drvPath; path = system.outPath; }"


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What an evaluation says.

    Attributes:
        target: ``<client>/<host>`` whose system it is.
        drv: Store path of the derivation.
        path: Store path that it will make.
    """

    target: str
    drv: str
    path: str


def attribute_of(target: str) -> str:
    """The attribute of a host's system in the flake of its fleet.

    Args:
        target: ``<client>/<host>``.

    Raises:
        InputError: It is no name of a host.
    """
    parts = target.split("/")
    if len(parts) != 2 or not all(map(_LABEL.fullmatch, parts)):
        raise InputError(f"{target!r:.140} is no host", hint="Write it as client/host.")
    return f'nixosConfigurations."{parts[0]}-{parts[1]}".config.system.build.toplevel'


def evaluate(
    flake: Path,
    target: str,
    *,
    timeout_s: float,
    memory_bytes: int | None = None,
    state: NixStore | None = None,
    told: Told | None = None,
) -> Evaluated:
    """Evaluate a host's system.

    Args:
        flake: Directory of exported files; nothing is written into it.
        target: ``<client>/<host>``.
        timeout_s: Seconds until it is given up.
        memory_bytes: Address space that the evaluator may have.
        state: Which Nix and store.
        told: Gets what Nix said where it fails.

    Raises:
        InputError: No host, no flake, a lock that nobody else could follow, or an answer that is
            no derivation.
        MachineError: It failed, took too long or needed too much memory.
    """
    _require_flake(flake, target)
    attribute = attribute_of(target)
    until = time.monotonic() + timeout_s
    asking = _Asking(flake, target, until, memory_bytes, state or process.THIS_MACHINE, told)
    # Nix fetches what nothing pins before it says so, from wherever the flake likes.
    asking.nix(("flake", "metadata", "--json"), f"path:{flake}", offline=True)
    ended = asking.nix(("eval", "--json", "--apply", _APPLY), f"path:{flake}#{attribute}")
    return _read(ended.stdout, target)


@dataclass(frozen=True, slots=True)
class _Asking:
    """What is asked of Nix about one host, and within which limits."""

    flake: Path
    target: str
    until: float
    memory_bytes: int | None
    state: NixStore
    told: Told | None

    def nix(self, command: tuple[str, ...], what: str, *, offline: bool = False) -> Ended:
        """The answer.

        Raises:
            InputError: A lock that nobody else could follow.
            MachineError: There is none.
        """
        try:
            ended = process.attempt(
                "nix",
                # Not --no-write-lock-file as well: with it, Nix locks what nothing pins in memory.
                *(*command, "--no-update-lock-file", what),
                timeout_s=self.until - time.monotonic(),
                limit=_ANSWER_LIMIT,
                options=(*OPTIONS, ("allowed-uris", " ".join(allowed_uris(self.flake)))),
                state=replace(self.state, offline=offline),
                memory_bytes=self.memory_bytes,
                told=self.told,
            )
        except MachineError as error:
            raise _failed(self.target, error.message, error.hint) from error
        if ended.exit != 0:
            raise _explained(self.flake, self.target, ended, self.memory_bytes)
        return ended


def _require_flake(flake: Path, target: str) -> None:
    if not (flake / "flake.nix").is_file():
        raise InputError(
            f"{target} is a NixOS host, and the fleet has no flake.nix that makes its system",
            hint="Write one (docs/nixos.md), or give the host another kind.",
        )


def _failed(target: str, why: str, hint: str) -> MachineError:
    return MachineError(f"the system of {target} cannot be evaluated: {why}", hint=hint)


def _explained(flake: Path, target: str, ended: Ended, memory_bytes: int | None) -> MachineError:
    if memory_bytes is not None and _OUT_OF_MEMORY.search(ended.stderr):
        why = f"it needs more than the {memory_bytes >> 20} MiB of memory that it may have"
        return _failed(target, why, "Allow more; NixOS takes one to three GiB for each host.")
    if _NOT_LOCKED.search(ended.stderr):
        fits = f"{LOCK} does not fit" if (flake / LOCK).exists() else f"There is no {LOCK} for"
        return _failed(target, f"its inputs are not those that {LOCK} pins", f"{fits} {_LOCK_IT}")
    return _failed(target, process.failure("nix", ended).message, _hint(target, ended.stderr))


def _hint(target: str, stderr: bytes) -> str:
    if _NO_ATTRIBUTE in stderr:
        client, host = target.split("/")
        return (
            f"The flake lacks {attribute_of(target)}: see that hosts/{client}/{host}.nix is there."
        )
    return next((hint for said, hint in _KNOWN if re.search(said, stderr)), _SEE)


def _read(answer: bytes, target: str) -> Evaluated:
    try:
        said = json.loads(answer)
        drv, path = said["drv"], said["path"]
    except (ValueError, KeyError, TypeError, RecursionError):
        drv = path = None
    fits = isinstance(drv, str) and isinstance(path, str)
    if not fits or not is_store_path(drv) or not is_store_path(path) or not drv.endswith(".drv"):
        raise InputError(
            f"the flake gives no system for {target}",
            hint="config.system.build.toplevel must be a derivation with one output.",
        )
    return Evaluated(target, drv, path)
