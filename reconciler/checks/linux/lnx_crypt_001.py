"""Persistent storage is encrypted (45 CFR 164.312(a)(2)(iv), 164.310(d)(1), NIXOS V-268144).

Whether a lost disk is a reportable breach depends on it. Filesystems in memory, over the network
and read-only images hold nothing that a thief could read here; a loop device lies on a filesystem
that counts by itself. Only the EFI system partition must stay readable for the firmware.
"""

import re
from collections.abc import Iterator

from reconciler.checks.parsing import block_devices, storage
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_EFI_POINTS = frozenset({"/boot", "/boot/efi", "/efi"})
_READ_ONLY_IMAGES = frozenset({"squashfs", "erofs", "cramfs", "iso9660", "udf", "romfs"})
_IN_MEMORY = frozenset({"tmpfs", "ramfs", "rootfs"})
_MEMORY_DEVICES = re.compile(r"(?:zram|ram)[0-9]+")
_LOOP = re.compile(r"loop[0-9]+")
_FILESYSTEM_FORMATS = frozenset({"LUKS1", "LUKS2"})
# A swap partition with a random key at each start is a plain mapping (crypttab(5), swap).
_SWAP_FORMATS = _FILESYSTEM_FORMATS | {"PLAIN"}
_PUBLIC_POINT = re.compile(
    r"/(?:boot(?:/efi)?|efi|etc|home|nix(?:/store)?|opt|root|srv|usr|var(?:/[a-z]{1,16})?)?"
)


def _probes(_params: Params) -> tuple[Probe, ...]:
    return block_devices.PROBES


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    devices = block_devices.devices(answers)
    found = list(_filesystems(storage.mounts(answers.text(block_devices.MOUNTS)), devices))
    swap = [devices.of_path(path) for path in storage.swaps(answers.text(block_devices.SWAPS))]
    swap = [name for name in swap if not _MEMORY_DEVICES.fullmatch(name)]
    plain_swap = any(not devices.formats(name) <= _SWAP_FORMATS for name in swap)
    exempt = {names for mount, names in found if _is_efi(mount)}
    points = {names: _shortest(found, names) for _, names in found if names not in exempt}
    bare = {_public(point) for names, point in points.items() if not _encrypted(devices, names)}
    return {
        "filesystems": len(points),
        "swaps": len(swap),
        "exempt": len(exempt),
        "unencrypted": tuple(sorted(bare | ({"swap"} if plain_swap else set()))),
    }


def _shortest(found: list[tuple[storage.Mount, frozenset[str]]], names: frozenset[str]) -> str:
    """The name of a filesystem that is mounted in several places: its shortest mount point."""
    return min((mount.point for mount, own in found if own == names), key=lambda p: (len(p), p))


def _filesystems(
    mounts: tuple[storage.Mount, ...], devices: storage.Devices
) -> Iterator[tuple[storage.Mount, frozenset[str]]]:
    """Every mount of a filesystem that keeps what is written, and the devices under it."""
    for mount in mounts:
        if mount.filesystem == "zfs" or (mount.point == "/" and _is_foreign(mount)):
            raise Unobservable(
                f"what lies under the {_plain(mount.filesystem)} is not visible here"
            )
        if not _on_device(mount) or mount.filesystem in _READ_ONLY_IMAGES:
            continue
        names = devices.of_mount(mount)
        if not any(_LOOP.fullmatch(name) or _MEMORY_DEVICES.fullmatch(name) for name in names):
            yield mount, names


def _on_device(mount: storage.Mount) -> bool:
    return not mount.device.startswith("0:") or mount.filesystem in storage.WITHOUT_NUMBER


def _is_foreign(mount: storage.Mount) -> bool:
    """A root on an overlay, 9p or NFS: a container or a network boot, stored by another system."""
    return not _on_device(mount) and mount.filesystem not in _IN_MEMORY


def _is_efi(mount: storage.Mount) -> bool:
    return mount.filesystem == "vfat" and mount.point in _EFI_POINTS


def _encrypted(devices: storage.Devices, names: frozenset[str]) -> bool:
    return all(devices.formats(name) <= _FILESYSTEM_FORMATS for name in names)


def _public(point: str) -> str:
    """A mount point without names that people give: what is not the system's own is ``other``."""
    return point if _PUBLIC_POINT.fullmatch(point) else "other"


def _plain(filesystem: str) -> str:
    return filesystem if re.fullmatch(r"[a-z0-9.]{1,16}", filesystem) else "root"


CHECK = Check(
    id="LNX-CRYPT-001",
    title="Persistent storage is encrypted",
    platforms=frozenset({"linux", "nixos"}),
    source="proc_pid_mountinfo(5), sysfs dm/uuid, cryptsetup(8); NIXOS V-268144; NIST SP 800-111",
    fields={
        "filesystems": Field("int", "Persistent filesystems looked at, without exempt ones."),
        "swaps": Field("int", "Swap partitions looked at."),
        "exempt": Field("int", "EFI system partitions."),
        "unencrypted": Field(
            "list[str]",
            "Mount points of filesystems with a way to the disk around LUKS, and swap; sorted. "
            "Points that people named are other.",
        ),
    },
    probes=_probes,
    parse=_parse,
)
