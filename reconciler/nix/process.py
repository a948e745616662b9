"""Run a program of Nix, within limits that it cannot talk its way out of.

Rule 1: Programs are these few, found in fixed directories, and nobody but root or this user could
        have changed them. No shell, no terminal, no input.
Rule 2: The environment is made here. Settings of the machine hold (``/etc/nix/nix.conf``, declared
        like everything else); those of a user or of a repository are not read.
Rule 3: Time and output are limited while it runs (`reconciler.programs.bounded`).
Rule 4: What it says on its way out may name anything. Of it, the last line that says something goes
        into the error, scrubbed.
"""

# os.stat and os.access on paths that are tried in turn; pathlib adds nothing here.
# ruff: noqa: PTH116

import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from reconciler.errors import InputError, MachineError
from reconciler.model.scrub import scrub
from reconciler.programs import bounded
from reconciler.programs.bounded import Bounds, Ended, Killed, Sink

PROGRAMS = frozenset({"nix", "nix-env", "nix-instantiate", "nix-store"})
DIRECTORIES = (
    "/run/current-system/sw/bin",
    "/nix/var/nix/profiles/default/bin",
    "/usr/bin",
)
"""Where Nix is looked for: the running NixOS, Nix on another system, a package of the system."""

Told = Callable[[bytes], None]

OUTPUT_LIMIT = 64 * 1024 * 1024

_SETTINGS = """\
experimental-features = nix-command flakes
accept-flake-config = false
flake-registry =
warn-dirty = false
"""
_NOWHERE = "http://127.0.0.1:9"
_NO_NETWORK = {
    **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), _NOWHERE),
    "GIT_ALLOW_PROTOCOL": "none",
}
"""Nix has no setting for it: its ``offline`` still fetches what it does not have."""

_MAX_ARGUMENTS = 1024 * 1024
_TOLD = 64 * 1024
_OPTION = re.compile(r"[a-z][a-z0-9-]{0,63}")
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NixStore:
    """Which Nix is asked, and about which store.

    Attributes:
        directories: Where its programs are looked for.
        remote: Which store, as ``NIX_REMOTE`` names it: a directory that a store of its own lies
            under, ``daemon``, or empty: this machine's, by the daemon where this user may not.
        conf_dir: Directory of ``nix.conf``, if not ``/etc/nix``.
        cache: Directory in which what was asked of caches is kept from one call to the next;
            ``None`` for one that is thrown away.
        offline: No address of the network is reached.
    """

    directories: tuple[str, ...] = DIRECTORIES
    remote: str = ""
    conf_dir: str | None = None
    cache: str | None = None
    offline: bool = False

    @property
    def root(self) -> str:
        """What the store lies under: ``/`` for that of this machine."""
        return self.remote if self.remote.startswith("/") else "/"


THIS_MACHINE = NixStore()


def run(
    program: str,
    *arguments: str,
    timeout_s: float,
    limit: int = OUTPUT_LIMIT,
    options: Sequence[tuple[str, str]] = (),
    state: NixStore | None = None,
    memory_bytes: int | None = None,
) -> bytes:
    """Run a program that has to succeed, and give its answer.

    Args:
        program: One of `PROGRAMS`.
        arguments: What follows its name.
        timeout_s: Seconds until it is killed.
        limit: Bytes that it may answer.
        options: Settings of Nix for this call alone: ``("max-jobs", "0")``.
        state: Which Nix and store; this machine's unless said otherwise.
        memory_bytes: Address space that it may have; None: no limit.

    Raises:
        InputError: Program, option or argument is not allowed.
        MachineError: It is not here, took too long, answered too much, or failed.
    """
    ended = attempt(
        program,
        *arguments,
        timeout_s=timeout_s,
        limit=limit,
        options=options,
        state=state,
        memory_bytes=memory_bytes,
    )
    if ended.exit != 0:
        raise failure(program, ended)
    return ended.stdout


def attempt(
    program: str,
    *arguments: str,
    timeout_s: float,
    limit: int = OUTPUT_LIMIT,
    options: Sequence[tuple[str, str]] = (),
    state: NixStore | None = None,
    memory_bytes: int | None = None,
    sink: Sink | None = None,
    told: Told | None = None,
) -> Ended:
    """Run a program whose failure is an answer, too; see `run`.

    Args:
        program: One of `PROGRAMS`.
        arguments: What follows its name.
        timeout_s: Seconds until it is killed.
        limit: Bytes that it may answer.
        options: Settings of Nix for this call alone.
        state: Which Nix and store; this machine's unless said otherwise.
        memory_bytes: Address space that it may have; None: no limit.
        sink: Takes what it answers, piece by piece; then nothing of it is kept.
        told: Gets the end of what it told people, where it fails or is killed.

    Raises:
        InputError: Program, option or argument is not allowed.
        MachineError: It is not here, took too long or answered too much.
    """
    state = THIS_MACHINE if state is None else state
    path = find_program(program, state.directories)
    argv = [path, *_options(options), *arguments]
    if any("\0" in text for text in argv) or sum(map(len, argv)) > _MAX_ARGUMENTS:
        raise InputError(
            f"arguments of {program} hold a NUL or are too long", hint="Name fewer things at once."
        )
    with _home(state) as home:
        try:
            bounds = Bounds(time.monotonic() + timeout_s, limit, _TOLD, memory_bytes)
            ended = bounded.run(argv, _environment(state, home), bounds, sink)
        except Killed as killed:
            if told is not None:
                told(killed.stderr)
            raise _killed(killed, limit) from None
        except OSError as error:
            raise MachineError(
                f"{program} could not be run: {error.strerror}",
                hint="See that this user may start programs and that memory is left.",
            ) from error
    if ended.exit != 0 and told is not None:
        told(ended.stderr)
    return ended


def _killed(killed: Killed, limit: int) -> MachineError:
    if killed.over == "time":
        # What it was at is all that anybody will know of why.
        said = last_line(killed.stderr)
        return MachineError(
            "a program of Nix was killed: it did not end in time"
            + (f", and said last: {said}" if said else ""),
            hint="See whether the machine, its disk or the cache is slow, or allow more time.",
        )
    return MachineError(
        f"a program of Nix was killed: it answered more than {limit} bytes",
        hint="Ask for less at once; a store path has fewer than a thousand bytes to say.",
    )


def failure(program: str, ended: Ended) -> MachineError:
    """The error of a program that failed."""
    how = f"was killed by signal {-ended.exit}" if ended.exit < 0 else f"ended with {ended.exit}"
    said = last_line(ended.stderr)
    return MachineError(
        f"{program} {how}: {said}" if said else f"{program} {how}",
        hint=f"Run {program} by hand on this machine to see all that it says.",
    )


def last_line(stderr: bytes) -> str:
    """The last line that says something, without colours, scrubbed; empty if there is none."""
    text = _COLOURS.sub("", stderr.decode("utf-8", "replace"))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:") and line != "error:"]
    return scrub((errors or lines or [""])[-1])


def find_program(name: str, directories: Sequence[str] = DIRECTORIES) -> str:
    """The absolute path of a program of Nix.

    Raises:
        InputError: It is not one of `PROGRAMS`.
        MachineError: It is not installed, or others could have changed it.
    """
    if name not in PROGRAMS:
        raise InputError(
            f"{name!r:.80} is not a program of Nix that is run here",
            hint=f"These are: {', '.join(sorted(PROGRAMS))}.",
        )
    for directory in directories:
        path = f"{directory}/{name}"
        with suppress(OSError):
            facts = os.stat(path)
            if stat.S_ISREG(facts.st_mode) and os.access(path, os.X_OK):
                return _require_ours(path, facts)
    raise MachineError(
        f"{name} is not installed in {', '.join(directories)}",
        hint="Run this on NixOS, or on a machine with Nix installed for all users.",
    )


def _require_ours(path: str, facts: os.stat_result) -> str:
    if facts.st_uid not in (0, os.geteuid()) or facts.st_mode & 0o022:
        raise MachineError(
            f"{path} can be changed by others; it was not started",
            hint="Make it belong to root, writable by nobody else.",
        )
    return path


def _options(options: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, value in options:
        if _OPTION.fullmatch(name) is None or "\n" in value:
            raise InputError(f"{name!r:.80} is not a setting of Nix", hint="See `nix config show`.")
        yield from ("--option", name, value)


@contextmanager
def _home(state: NixStore) -> Iterator[str]:
    if state.cache is not None:
        yield state.cache
        return
    with tempfile.TemporaryDirectory(prefix="reconciler-nix-", ignore_cleanup_errors=True) as home:
        yield home


def _environment(state: NixStore, home: str) -> dict[str, str]:
    given = {
        "HOME": home,
        "LANG": "C",
        "NIX_CONFIG": _SETTINGS,
        "NIX_USER_CONF_FILES": "",
        "PATH": ":".join(state.directories),
        **{f"XDG_{kind}_HOME": f"{home}/{kind.lower()}" for kind in ("CACHE", "DATA", "STATE")},
    }
    if state.offline:
        given |= _NO_NETWORK
    if state.remote:
        given["NIX_REMOTE"] = state.remote
    if state.conf_dir is not None:
        given["NIX_CONF_DIR"] = state.conf_dir
    return given
