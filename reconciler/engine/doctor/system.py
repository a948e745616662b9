"""How a NixOS host stands to the system that is meant to run there: for `reconciler doctor`.

Looks only, and asks no cache: what a cache has is found out when something is to be fetched.
"""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from reconciler.desired.refusal import HINTS
from reconciler.engine.inquiry.explain import newest_run
from reconciler.engine.settings import Home
from reconciler.engine.system_settings import SystemSettings
from reconciler.engine.trusted.evaluated import FAILED
from reconciler.errors import ReconcilerError
from reconciler.model.diagnosis import Diagnosis
from reconciler.nix.here import profile_generation, profile_system, running_system
from reconciler.nix.process import DIRECTORIES, PROGRAMS, find_program

_RUN = "What Nix said: reconciler run --once, or reconciler release in CI."
_SHOW = "See what counts in a clone of the fleet: reconciler attest show COMMIT"


def diagnose_system(
    home: Home, *, root: str = "/", directories: Sequence[str] = DIRECTORIES
) -> list[Diagnosis]:
    """System, programs of Nix, caches, release and helper; never raises for what it finds.

    Args:
        home: Settings of the appliance.
        root: Where the machine's files are.
        directories: Where Nix is looked for.
    """
    settings = home.settings.system
    found = [_running(settings, root)]
    if settings is not None:
        found += [_programs(directories), *_caches(settings), _release(home, found[0].detail)]
    if home.settings.helper is not None:
        found.append(_helper(home.path(home.settings.helper)))
    return found


def _running(settings: SystemSettings | None, root: str) -> Diagnosis:
    subject = "system"
    try:
        running, profile = running_system(root), profile_system(root)
        generation = profile_generation(root)
    except ReconcilerError as error:
        return Diagnosis(subject, "limited", str(error), error.hint)
    if running is None:
        if settings is None:
            return Diagnosis(subject, "absent", "this machine runs no NixOS")
        hint = "Take system out of the settings, or see who removed /run/current-system."
        return Diagnosis(subject, "limited", "this machine runs no NixOS", hint)
    if settings is None:
        detail = f"{running}; looked at and never changed, see system in reconciler.yaml"
        return Diagnosis(subject, "absent", detail)
    if profile != running:
        hint = "The next boot brings what the profile names; the finding of LNX-SYS-001 says more."
        return Diagnosis(subject, "limited", f"{running}; the profile names {profile}", hint)
    return Diagnosis(subject, "ok", f"{running}, generation {generation}")


def _programs(directories: Sequence[str]) -> Diagnosis:
    try:
        places = {name: find_program(name, directories) for name in sorted(PROGRAMS)}
    except ReconcilerError as error:
        return Diagnosis("Nix", "limited", str(error), error.hint)
    return Diagnosis("Nix", "ok", str(Path(places["nix"]).parent))


def _caches(settings: SystemSettings) -> Iterator[Diagnosis]:
    keys = ", ".join(key.partition(":")[0] for key in settings.public_keys)
    if not settings.caches:
        hint = "Name system.caches and system.public_keys, unless systems are put there by hand."
        detail = "none; only what the store has already can be activated"
        yield Diagnosis("caches", "absent", detail, hint)
    for cache in settings.caches:
        folder = _folder(cache)
        if folder is not None and not (folder / "nix-cache-info").is_file():
            hint = "See that it is mounted, and that a release was copied there."
            yield Diagnosis("caches", "limited", f"{cache} is no binary cache now", hint)
        else:
            yield Diagnosis("caches", "ok", f"{cache}, signed by {keys}; not asked")


def _folder(cache: str) -> Path | None:
    parts = urlsplit(cache)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _release(home: Home, running: str) -> Diagnosis:
    subject = "release"
    try:
        said = newest_run(home)[0].entry.body["intent"].get("system")
    except ReconcilerError as error:
        return Diagnosis(subject, "absent", str(error), error.hint)
    if said is None:
        return Diagnosis(subject, "absent", "the desired state names no NixOS host here")
    if said["refused"] is not None:
        reason = said["refused"]["reason"]
        hints = {one.value: hint for one, hint in HINTS.items()} | {FAILED: _RUN}
        detail = f"{_trusted(said)}; the newest is refused: {reason}"
        return Diagnosis(subject, "limited", detail, hints.get(reason, _SHOW))
    if not said["trusted"]:
        return Diagnosis(subject, "limited", _trusted(said), _SHOW)
    return _compared(said, running)


def _compared(said: Any, running: str) -> Diagnosis:
    detail, waiting = _trusted(said), said["waiting"]
    if waiting is not None:
        detail += f"; that of {waiting[:12]} waits for the ring of this host"
    if not running.startswith(said["in_force"]["path"]):
        hint = "Why it waits: reconciler guard explain."
        return Diagnosis("release", "limited", f"{detail}; another system runs", hint)
    return Diagnosis("release", "ok", detail)


def _trusted(said: Any) -> str:
    if said["in_force"] is None:
        return "no release that counts names a system for this host"
    one = said["in_force"]
    where = "evaluated here from" if one["source"] == "evaluated" else "by the release of"
    return f"{one['path']}, {where} {one['release'][:12]}"


def _helper(socket: Path) -> Diagnosis:
    hint = "See: systemctl status reconciler-helper.socket"
    try:
        is_socket = stat.S_ISSOCK(socket.stat().st_mode)
    except OSError as error:
        return Diagnosis("helper", "limited", f"{socket}: {error.strerror}", hint)
    if not is_socket:
        return Diagnosis("helper", "limited", f"{socket} is no socket", hint)
    return Diagnosis("helper", "ok", str(socket))
