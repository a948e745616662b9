"""What is remembered of an activation under way, and whom it is believed from."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.model.answer import Answer
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.nixos import links, order
from reconciler.targets.linux.nixos.access import SystemAccess, endpoint
from reconciler.targets.linux.nixos.order import Order
from reconciler.targets.linux.nixos.trusted import access_of, store_path, trusted
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.tree import HostTree

OLDER = "/nix/store/00000000000000000000000000000001-nixos-system-desk-1"
NEWER = "/nix/store/00000000000000000000000000000002-nixos-system-desk-2"
ORDER = Order(
    kind="switch",
    system=NEWER,
    previous=OLDER,
    generation=7,
    profile=OLDER,
    default=OLDER,
    boot="b" * 36,
    ailing=("feeble.service",),
    ways=("unit:sshd.service",),
    reached=True,
)


def session(answer: Answer | None = None, system: SystemAccess | None = None) -> Session:
    known = answer or Answer("absent")
    return Session(HostTree(), AllowList(), lambda _topic: known, system)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "activation"
    monkeypatch.setattr(order, "DIRECTORY", place)
    monkeypatch.setattr(order, "FILE", place / "order.json")
    monkeypatch.setattr(order, "AWAITING_BOOT", place / "awaiting-boot")
    return place


def test_it_is_read_as_it_was_written_and_gone_when_it_is_cleared(directory: Path) -> None:
    assert order.read() is None
    order.write(ORDER, session())
    assert order.read() == ORDER
    order.mark_healthy(ORDER, session())
    read = order.read()
    assert read is not None
    assert read.healthy
    order.await_boot(NEWER)
    assert (directory / "awaiting-boot").readlink() == Path(NEWER)
    order.clear()
    assert list(directory.iterdir()) == []
    order.clear()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"format": "reconciler-activation/2"}',
        "[" * 100_000,
    ],
)
def test_what_does_not_read_is_a_persons(directory: Path, text: str) -> None:
    directory.mkdir()
    (directory / "order.json").write_text(text)
    with pytest.raises(NoAnswer, match="garbled"):
        order.read()


@pytest.mark.parametrize(
    "change",
    [
        ('"kind": "switch"', '"kind": "other"'),
        (OLDER, "/etc"),
        ('"generation": 7', '"generation": "7"'),
        ('"healthy": false', '"healthy": 0'),
        ('"ailing": ["feeble.service"]', '"ailing": "feeble.service"'),
        ('"reached": true, ', ""),
    ],
)
def test_a_form_that_is_another_is_a_persons(directory: Path, change: tuple[str, str]) -> None:
    order.write(ORDER, session())
    file = directory / "order.json"
    text = file.read_text()
    assert change[0] in text
    file.write_text(text.replace(*change))
    with pytest.raises(NoAnswer, match="garbled"):
        order.read()


def test_it_is_believed_from_nobody_else(directory: Path, tmp_path: Path) -> None:
    order.write(ORDER, session())
    (directory / "order.json").chmod(0o620)
    with pytest.raises(NoAnswer, match="not this user's alone"):
        order.read()
    (directory / "order.json").chmod(0o600)
    directory.chmod(0o777)
    for touch in (order.read, lambda: order.write(ORDER, session())):
        with pytest.raises(NoAnswer, match="not this user's alone"):
            touch()
    directory.chmod(0o755)
    moved = tmp_path / "moved"
    directory.rename(moved)
    directory.symlink_to(moved)
    with pytest.raises(NoAnswer, match="not this user's alone"):
        order.read()


def test_a_link_is_replaced_whole(tmp_path: Path) -> None:
    link = tmp_path / "link"
    for target in (OLDER, NEWER):
        links.point(link, target)
        assert str(link.readlink()) == target
    assert list(tmp_path.iterdir()) == [link]
    with pytest.raises(OSError, match="No such file"):
        links.point(tmp_path / "nowhere" / "link", OLDER)


NAMED = {"path": NEWER, "nar_sha256": "0" * 64, "closure_sha256": None}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer("absent", reason="no release"), "no system is trusted on this host: no release"),
        (Answer("ok", "text"), "no system is trusted"),
        (Answer("ok", NAMED | {"path": OLDER}), "is not the trusted system"),
        (Answer("ok", {}), "is not the trusted system"),
        (Answer("ok", NAMED | {"nar_sha256": None}), "garbled"),
        (Answer("ok", NAMED | {"closure_sha256": 7}), "garbled"),
    ],
)
def test_only_what_the_engine_names_now_is_trusted(answer: Answer, said: str) -> None:
    with pytest.raises(NoAnswer, match=said):
        trusted(NEWER, session(answer))
    assert trusted(NEWER, session(Answer("ok", NAMED))).path == NEWER


def test_without_settings_no_system_is_touched() -> None:
    with pytest.raises(NoAnswer, match="nothing is activated"):
        access_of(session())
    assert access_of(session(system=SystemAccess())).settle_s == 120


@pytest.mark.parametrize("path", [f"{OLDER}/", f"{OLDER}/bin", "/nix/store/x", f"{OLDER}\n", ""])
def test_a_path_below_the_store_is_no_system(path: str) -> None:
    with pytest.raises(NoAnswer, match="is not a store path"):
        store_path(path)


ADDRESSES: list[tuple[str, Any]] = [
    ("https://git.example/fleet.git", ("git.example", 443)),
    ("https://git.example:8443/fleet.git", ("git.example", 8443)),
    ("http://127.0.0.1:80/x", ("127.0.0.1", 80)),
    ("ssh://git@git.example/fleet", ("git.example", 22)),
    ("ssh://git@[2001:db8::1]:2222/fleet", ("2001:db8::1", 2222)),
    ("git@git.example:fleet.git", ("git.example", 22)),
    ("/srv/fleet.git", None),
    ("../fleet", None),
    ("file:///srv/fleet.git", None),
]


@pytest.mark.parametrize(("url", "where"), ADDRESSES)
def test_where_a_git_server_listens(url: str, where: object) -> None:
    assert endpoint(url) == where


def system(place: Path, kernel: str, params: str = "quiet splash\n") -> str:
    """A directory that looks like a system, as far as a boot is concerned."""
    place.mkdir()
    for part in ("kernel", "initrd", "kernel-modules"):
        (place.parent / f"{part}-{kernel}").touch()
        (place / part).symlink_to(place.parent / f"{part}-{kernel}")
    (place / "kernel-params").write_text(params)
    return str(place)


def test_the_default_is_a_system_whose_kernel_was_booted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = system(tmp_path / "was", "1")
    same = system(tmp_path / "same", "1", "quiet   splash")
    other, more = system(tmp_path / "other", "2"), system(tmp_path / "more", "1", "quiet debug")
    (tmp_path / "booted").symlink_to(was)
    monkeypatch.setattr(links, "BOOTED", str(tmp_path / "booted"))
    monkeypatch.setattr(links, "UNPROVEN", tmp_path / "unproven")
    assert links.lasting(same) == same
    assert (links.lasting(other), links.lasting(more)) == (was, was)
    assert links.lasting(other, same) == same
    (tmp_path / "unproven").symlink_to(was)
    assert links.lasting(other, more) == more
    assert links.lasting(same) == same
    (tmp_path / "unproven").unlink()
    (tmp_path / "unproven").touch()
    with pytest.raises(OSError, match="Invalid argument"):
        links.lasting(other)


@pytest.mark.parametrize(
    ("link", "number"), [("system-1-link", 1), (f"system-{2**40}-link", 2**40)]
)
def test_a_generation_has_the_number_that_nix_gave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: str, number: int
) -> None:
    profile = tmp_path / "system"
    profile.symlink_to(link)
    monkeypatch.setattr(links, "PROFILE", str(profile))
    assert links.generation() == number
