"""What sysfs says of block devices, and the kernel of mounts and swap."""

from collections.abc import Iterator

from reconciler.checks.parsing import storage
from reconciler.checks.parsing.shapes import files, stats
from reconciler.model.answer import Answers
from reconciler.model.probe import Probe, ReadFile, ReadGlob, StatPaths

MOUNTS = ReadFile("/proc/self/mountinfo")
SWAPS = ReadFile("/proc/swaps")

_NUMBERS = ReadGlob("/sys/class/block/*/dev")
_UUIDS = ReadGlob("/sys/class/block/*/dm/uuid")
_ALIASES = ReadGlob("/sys/class/block/*/dm/name")
_BELOW = StatPaths(("/sys/class/block/*/slaves/*",))
_POOLS = StatPaths(("/sys/fs/btrfs/*/devices/*",))

DEVICES: tuple[Probe, ...] = (SWAPS, _NUMBERS, _UUIDS, _ALIASES, _BELOW, _POOLS)
PROBES: tuple[Probe, ...] = (MOUNTS, *DEVICES)
"""What a check of storage asks; checks share the answers."""

OF_THE_MACHINE = ReadFile("/proc/1/mountinfo")
"""Mounts as PID 1 sees them: a hardened service sees other options, or mounts of its own."""


def devices(answers: Answers) -> storage.Devices:
    """Every block device, and what it is made of.

    Raises:
        Unobservable: sysfs could not be read.
    """
    below: dict[str, frozenset[str]] = {}
    for upper, lower in _links(answers, _BELOW, "/sys/class/block/"):
        below[upper] = below.get(upper, frozenset()) | {lower}
    pools: dict[str, frozenset[str]] = {}
    for pool, device in _links(answers, _POOLS, "/sys/fs/btrfs/"):
        pools[pool] = pools.get(pool, frozenset()) | {device}
    return storage.Devices(
        numbers={number: name for name, number in _by_name(answers, _NUMBERS)},
        aliases={alias: name for name, alias in _by_name(answers, _ALIASES)},
        uuids=dict(_by_name(answers, _UUIDS)),
        below=below,
        pools=tuple(pools.values()),
    )


def _by_name(answers: Answers, probe: ReadGlob) -> Iterator[tuple[str, str]]:
    for file in files(answers, probe):
        yield file.path.removeprefix("/sys/class/block/").partition("/")[0], file.text.strip()


def _links(answers: Answers, probe: StatPaths, prefix: str) -> Iterator[tuple[str, str]]:
    for fact in stats(answers, probe):
        parts = fact.path.removeprefix(prefix).split("/")
        yield parts[0], parts[-1]
