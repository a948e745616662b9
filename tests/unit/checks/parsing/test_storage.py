"""Ways down from a filesystem to the disk, with and without encryption."""

import pytest

from reconciler.checks.parsing.storage import Devices, Mount, mounts, swaps
from reconciler.errors import Unobservable

LUKS = "CRYPT-LUKS2-0123456789abcdef0123456789abcdef-root"


def devices(uuids: dict[str, str], below: dict[str, set[str]]) -> Devices:
    names = {"sda1", "sdb1", *uuids, *below}
    return Devices(
        numbers={f"8:{number}": name for number, name in enumerate(sorted(names))},
        aliases={"root": "dm-0"} if "dm-0" in names else {},
        uuids=uuids,
        below={name: frozenset(lower) for name, lower in below.items()},
    )


@pytest.mark.parametrize(
    ("uuids", "below", "formats"),
    [
        ({}, {}, {"none"}),
        ({"dm-0": LUKS}, {"dm-0": {"sda1"}}, {"LUKS2"}),
        ({"dm-0": "LVM-x", "dm-1": LUKS}, {"dm-0": {"dm-1"}, "dm-1": {"sda1"}}, {"LUKS2"}),
        ({"dm-0": "LVM-x", "dm-1": LUKS}, {"dm-0": {"dm-1", "sdb1"}}, {"LUKS2", "none"}),
        ({"dm-0": "CRYPT-VERITY-x"}, {"dm-0": {"sda1"}}, {"none"}),
        ({"dm-0": "CRYPT-INTEGRITY-x", "dm-1": LUKS}, {"dm-0": {"dm-1"}}, {"LUKS2"}),
        ({"dm-0": "CRYPT-PLAIN-x"}, {"dm-0": {"sda1"}}, {"PLAIN"}),
        ({"dm-0": "CRYPT"}, {"dm-0": {"sda1"}}, {"none"}),
        ({"dm-0": "crypt-luks2-x"}, {}, {"none"}),
    ],
)
def test_every_way_down_counts(
    uuids: dict[str, str], below: dict[str, set[str]], formats: set[str]
) -> None:
    name = "dm-0" if uuids else "sda1"
    assert devices(uuids, below).formats(name) == formats


def test_a_loop_of_mappings_is_no_encryption() -> None:
    with pytest.raises(Unobservable):
        devices({}, {"dm-0": {"dm-1"}, "dm-1": {"dm-0"}}).formats("dm-0")


def test_a_wide_and_deep_lattice_costs_little() -> None:
    layers = {
        f"l{d}-{w}": {f"l{d + 1}-{v}" for v in range(20)} for d in range(30) for w in range(20)
    }
    assert devices({}, layers).formats("l0-0") == {"none"}


def test_a_device_is_found_by_name_and_by_mapping() -> None:
    known = devices({"dm-0": LUKS}, {})
    assert known.of_path("/dev/dm-0") == known.of_path("/dev/mapper/root") == "dm-0"
    for path in ("/dev/sdz", "/dev/mapper/other", "", "relative"):
        with pytest.raises(Unobservable):
            known.of_path(path)


def test_btrfs_spans_every_device_of_its_pool() -> None:
    known = devices({"dm-0": LUKS}, {})
    pooled = Devices(known.numbers, known.aliases, known.uuids, {}, (frozenset({"dm-0", "sdb1"}),))
    mount = Mount("0:30", "/", "btrfs", "/dev/mapper/root")
    assert pooled.of_mount(mount) == {"dm-0", "sdb1"}
    assert known.of_mount(mount) == {"dm-0"}


def test_mount_points_are_unescaped() -> None:
    line = (
        "30 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 1 8:2 / /a\\040b rw shared:1 - ext4 /dev/sdb1 rw\n"
    )
    assert mounts(line)[1] == Mount("8:2", "/a b", "ext4", "/dev/sdb1", frozenset({"rw"}))


@pytest.mark.parametrize(
    "text", ["", "30 1 8:1 / /home rw - ext4 x rw\n", "30 1 8:1 / / rw ext4 x rw\n", "a b c\n"]
)
def test_a_table_without_a_root_or_with_a_broken_line_is_unknown(text: str) -> None:
    with pytest.raises(Unobservable):
        mounts(text)


def test_swap_partitions_count_and_swap_files_do_not() -> None:
    header = "Filename Type Size Used Priority\n"
    assert swaps(header + "/dev/dm-2 partition 1 0 -2\n/swap file 1 0 -3\n") == ("/dev/dm-2",)
    for text in ("", "garbage", header + "/dev/dm-2 partition\n"):
        with pytest.raises(Unobservable):
            swaps(text)
