"""File systems are mounted as declared, encrypted where declared, and no other disk is mounted.

``nosuid``, ``nodev`` and ``noexec`` are what keeps a writable directory from being a way in; a
remount takes them away until the next boot. LNX-CRYPT-001 asks that everything that lasts is
encrypted, whatever was declared; this asks for each file system, and for the mappings by name.
Names: ``/srv`` is not mounted or not declared, ``nosuid /srv`` lacks that, ``luks:root`` a mapping.
A mount below the store, /etc or the wrappers shows other files there than activation put, of
whatever kind it is; one that shows again what lies there anyway (podman(1) makes such) is none.

Source: 45 CFR 164.312(a)(2)(iv), 164.310(d)(1); NIST SP 800-53 SC-28, CM-6; mount(8).
"""

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from reconciler.checks.parsing import block_devices, declared, given, storage
from reconciler.checks.parsing.declared import Declared, Drift
from reconciler.checks.parsing.records import record
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.declared import Mounted
from reconciler.model.expected import LUKS, MOUNTS, SWAP
from reconciler.model.nixos_probe import DeclaredPaths
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_PATHS = DeclaredPaths()
_SHOWN = frozenset(
    {"dirsync", "noatime", "nodev", "nodiratime", "noexec", "nosuid", "relatime", "ro", "sync"}
)
"""Options that the kernel shows as the words that set them."""

_MAY_BE_AWAY = frozenset({"noauto", "nofail", "x-systemd.automount"})
_ANY_TYPE = frozenset({"auto", "none"})
_LUKS = frozenset({"LUKS1", "LUKS2"})
# A swap device with a random key at each start is a plain mapping (crypttab(5), swap).
_SWAP_FORMATS = _LUKS | {"PLAIN"}
_OVER_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "ceph", "9p"})
_STORE = "/nix/store"
"""NixOS mounts the store upon itself, read-only."""

_COVERS = ("/etc/", "/nix/store/", "/run/wrappers/")
# systemd and resolvers put these there, and no configuration declares what is in them.
_OF_THE_MACHINE = frozenset({"/etc/machine-id", "/etc/resolv.conf"})
# Names of files, where /etc is an overlay of the store.
_OF_ETC = re.compile(r"/run/(?:nixos-)?etc-metadata(?:\.[A-Za-z0-9]+)?")
_GUARDS = frozenset({"nodev", "noexec", "nosuid", "ro"})


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, block_devices.OF_THE_MACHINE, *block_devices.DEVICES, _PATHS)


def _parse(params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted = document.read(MOUNTS)
    devices = block_devices.devices(answers)
    mounts = storage.mounts(answers.text(block_devices.OF_THE_MACHINE))
    # What waits to be mounted is not mounted: autofs(5) holds its place.
    live = {mount.point: mount for mount in mounts if mount.filesystem != "autofs"}
    drift = Drift()
    for mount in wanted:
        seen = live.get(mount.path)
        if seen is not None:
            drift.different |= {f"{what} {mount.path}" for what in _about(mount, seen, devices)}
        elif not _MAY_BE_AWAY & set(mount.options):
            drift.missing.add(mount.path)
    known = frozenset(mount.path for mount in wanted)
    drift.undeclared |= set(_undeclared(live, known, given.texts(params, "allow")))
    store = live.get(_STORE)
    if store is not None and _STORE not in known and _is_on_itself(store, live):
        drift.different |= set() if "ro" in store.options else {f"ro {_STORE}"}
    drift.missing |= {f"luks:{n}" for n in document.read(LUKS) if n not in devices.aliases}
    # What is not mounted is mounted when activation starts local-fs.target; nothing is remounted.
    drift.owned = not (drift.different or drift.undeclared or _others(drift.missing))
    _swap(drift, document, answers, devices)
    return declared.values(document, drift)


def _undeclared(
    live: Mapping[str, storage.Mount], known: frozenset[str], allowed: tuple[str, ...]
) -> Iterator[str]:
    for point, mount in live.items():
        names = mount.filesystem == "erofs" and _OF_ETC.fullmatch(point) is not None
        if point in known | {_STORE} or names or _is_view(mount, live):
            continue
        counts = _is_storage(mount) or _covers(mount)
        if counts and not any(fnmatchcase(point, pattern) for pattern in allowed):
            yield _told(point)


def _others(missing: set[str]) -> bool:
    return any(name.startswith("luks:") for name in missing)


def _about(wanted: Mounted, seen: storage.Mount, devices: storage.Devices) -> Iterator[str]:
    if wanted.type not in _ANY_TYPE and wanted.type != seen.filesystem:
        yield "type"
    yield from sorted((_SHOWN & set(wanted.options)) - seen.options)
    if wanted.encrypted and not _is_encrypted(seen, devices):
        yield "encryption"


def _is_encrypted(mount: storage.Mount, devices: storage.Devices) -> bool:
    if mount.device.startswith("0:") and mount.filesystem not in storage.WITHOUT_NUMBER:
        return False
    return all(devices.formats(name) <= _LUKS for name in devices.of_mount(mount))


def _is_storage(mount: storage.Mount) -> bool:
    return not mount.device.startswith("0:") or mount.filesystem in (
        storage.WITHOUT_NUMBER | _OVER_NETWORK
    )


def _covers(mount: storage.Mount) -> bool:
    return mount.point.startswith(_COVERS) and mount.point not in _OF_THE_MACHINE


def _told(point: str) -> str:
    """A place in the store without its first slash: what lies there nobody named after a person."""
    return point.removeprefix("/") if point.startswith("/nix/store/") else point


def _is_view(mount: storage.Mount, live: Mapping[str, storage.Mount]) -> bool:
    """Whether a mount shows what lies at its point anyway, as well guarded as there."""
    return _is_on_itself(mount, live) and _under(mount, live).options & _GUARDS <= mount.options


def _is_on_itself(mount: storage.Mount, live: Mapping[str, storage.Mount]) -> bool:
    under = _under(mount, live)
    place = under.root.rstrip("/") + mount.point.removeprefix(under.point.rstrip("/"))
    return mount.point != "/" and (mount.device, mount.root) == (under.device, place)


def _under(mount: storage.Mount, live: Mapping[str, storage.Mount]) -> storage.Mount:
    """The mount that the point of another lies on."""
    parts = mount.point.split("/")
    above = ("/".join(parts[:end]) or "/" for end in range(len(parts) - 1, 0, -1))
    return next(live[point] for point in above if point in live)


def _swap(drift: Drift, document: Declared, answers: Answers, devices: storage.Devices) -> None:
    paths = record(answers.data(_PATHS), "declared paths")
    live = dict(storage.every_swap(answers.text(block_devices.SWAPS)))
    for swap in document.read(SWAP):
        place = paths.optional_text(swap.device, limit=4096) or ""
        kind = live.pop(place, None)
        if kind is None:
            drift.missing.add("swap")
        elif swap.encrypted and kind == "partition" and not _is_secret(place, devices):
            drift.different.add("encryption swap")
    if any(not path.startswith("/dev/zram") for path in live):
        drift.undeclared.add("swap")
    drift.owned = drift.owned and not drift.undeclared and not drift.different


def _is_secret(path: str, devices: storage.Devices) -> bool:
    return devices.formats(devices.of_path(path)) <= _SWAP_FORMATS


CHECK = Check(
    id="LNX-EXP-008",
    title="File systems and swap are as the configuration declares",
    platforms=frozenset({"nixos"}),
    source="mount(8); proc_pid_mountinfo(5); 45 CFR 164.312(a)(2)(iv); NIST SP 800-53 SC-28",
    params={
        "allow": Parameter(
            type="list[str]",
            doc="Mount points, with * for any text, that declared software makes as it runs.",
            required=False,
            default=(),
            pattern=r"/[A-Za-z0-9_.@*/-]{1,240}",
            max_items=32,
        )
    },
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)
