"""What a worker holds a system against before anything is done with it, and where a way back leads.

Whoever asks for a switch may be somebody who took the reconciler over: it need not have asked for
the system to be brought here first, and another than it may have brought it.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.answer import Answer
from reconciler.model.system_operation import (
    CheckSwitch,
    Realise,
    ReturnNow,
    SetProfile,
    SwitchSystem,
)
from reconciler.nix import closure
from reconciler.nix.database import Database, open_database
from reconciler.nix.process import NixStore
from reconciler.targets.linux.allow import AllowList
from reconciler.targets.linux.nixos import links, order, realise, switching, way_back
from reconciler.targets.linux.nixos.access import SystemAccess
from reconciler.targets.linux.no_answer import NoAnswer
from reconciler.targets.linux.session import Session
from reconciler.targets.linux.tree import HostTree
from tests.support.nix_database import make_database, system_rows

Work = Callable[[Session], None]


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A store that holds a system, and what an honest release says of it."""
    rows = system_rows(20)
    make_database(tmp_path, rows)

    def database(_root: str = "/") -> Database:
        return open_database(str(tmp_path))

    monkeypatch.setattr(realise, "open_database", database)
    monkeypatch.setattr(links, "ROOTS", str(tmp_path / "roots"))
    path = str(rows[0].path)
    with database() as held:
        info, whole = held.info(path), closure.measure(held.closure(path))
    assert info is not None
    return {"path": path, "nar_sha256": info.nar_sha256, "closure_sha256": whole.sha256}


def session(named: dict[str, Any]) -> Session:
    found = Answer("ok", named)
    return Session(HostTree(), AllowList(), lambda _topic: found, SystemAccess())


def works(path: str) -> Iterator[tuple[str, Work]]:
    yield "realise", lambda at: realise.realise(Realise(path), at)
    yield "check", lambda at: switching.check_switch(CheckSwitch(path), at)
    yield "test", lambda at: switching.switch_system(SwitchSystem(path, "test"), at)
    yield "boot", lambda at: switching.switch_system(SwitchSystem(path, "boot"), at)
    yield "profile", lambda at: switching.set_profile(SetProfile(path), at)


LIES = [
    ({"closure_sha256": "0" * 64}, "another digest"),
    ({"nar_sha256": "0" * 64}, "another hash"),
    ({"closure_sha256": None}, "does not say what the closure is"),
]


@pytest.mark.parametrize(("lie", "said"), LIES)
def test_nothing_is_done_with_a_system_that_is_not_what_the_release_names(
    named: dict[str, Any], monkeypatch: pytest.MonkeyPatch, lie: dict[str, Any], said: str
) -> None:
    started: list[object] = []
    for program in ("run_switch", "run_program", "profile", "keep_entry"):
        monkeypatch.setattr(switching, program, lambda *args, **_more: started.append(args))
    for name, work in works(named["path"]):
        with pytest.raises(NoAnswer, match=said):
            work(session(named | lie))
        assert started == [], name
    assert links.kept("candidate") == (), "it would be kept from the garbage collector for ever"
    assert not (Path(links.ROOTS) / "candidate").is_symlink()
    assert realise.proven(named["path"], session(named)) == named["path"]


def test_nothing_is_done_with_a_system_that_is_not_there(named: dict[str, Any]) -> None:
    absent = named["path"].replace("desk", "deck")
    with pytest.raises(NoAnswer, match="is not in the store"):
        realise.proven(absent, session(named | {"path": absent}))


def test_a_system_that_somebody_took_off_the_disk_is_not_had(named: dict[str, Any]) -> None:
    with pytest.raises(NoAnswer, match="is not on the disk, though the Nix database holds it"):
        realise.realise(Realise(named["path"]), session(named))


def test_only_caches_and_keys_of_the_settings_are_asked_and_none_for_long(
    named: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, asked = tmp_path / "nix-store", tmp_path / "asked"
    program.write_text(f'#!/bin/sh\necho "$@" > {asked}; exit 1\n')
    program.chmod(0o755)
    monkeypatch.setattr(realise, "store", lambda: NixStore(directories=(str(tmp_path),)))
    monkeypatch.setattr(realise, "require_room", lambda *_: None)
    absent = named["path"].replace("desk", "deck")
    at = session(named | {"path": absent})
    at.system = SystemAccess(caches=("https://one.example", "https://two.example"))
    at.deadline = time.monotonic() + 30
    with pytest.raises(NoAnswer, match="nix-store ended with 1"):
        realise.realise(Realise(absent), at)
    said = asked.read_text()
    for setting in (
        "substituters https://one.example https://two.example --",
        "trusted-public-keys  --",
        "require-sigs true",
        "max-jobs 0",
        "stalled-download-timeout 60",
        "download-attempts 3",
    ):
        assert f"--option {setting}" in said


@pytest.fixture
def gone(
    named: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[way_back.Back]:
    """Ways back that were gone on a machine that runs the system, with a profile left elsewhere."""
    place = tmp_path / "profiles"
    place.mkdir()
    for number, system in ((1, "eldest"), (2, "elder"), (3, "older")):
        (tmp_path / system).mkdir()
        (place / f"system-{number}-link").symlink_to(tmp_path / system)
    (place / "system").symlink_to("system-3-link")

    def set_profile(_verb: str, path: str, **_more: object) -> None:
        (place / "system-4-link").symlink_to(path)
        links.point(place / "system", "system-4-link")

    found: list[way_back.Back] = []
    monkeypatch.setattr(links, "PROFILE", str(place / "system"))
    monkeypatch.setattr(links, "running", lambda: named["path"])
    monkeypatch.setattr(links, "system_of", lambda n: system_of(place / f"system-{n}-link"))
    monkeypatch.setattr(links, "lasting", lambda *systems: systems[0])
    monkeypatch.setattr(order, "read", lambda: None)
    monkeypatch.setattr(switching, "profile", set_profile)
    monkeypatch.setattr(way_back, "go_back", lambda back, _session: found.append(back))
    return found


def system_of(link: Path) -> str | None:
    return str(link.readlink()) if link.is_symlink() else None


def test_without_an_order_no_generation_of_somebodys_choice_comes_back(
    named: dict[str, Any], gone: list[way_back.Back], tmp_path: Path
) -> None:
    at, path = session(named), named["path"]

    def back(generation: int) -> None:
        way_back.return_now(ReturnNow(path, generation), at)

    for chosen in (1, 2, 9):
        with pytest.raises(NoAnswer, match="no way back to that system"):
            back(chosen)
    back(3)
    switching.set_profile(SetProfile(path), at)
    for chosen in (1, 2):
        with pytest.raises(NoAnswer, match="no way back to that system"):
            back(chosen)
    back(4)
    back(3)
    assert [each.generation for each in gone] == [3, 4, 3]
    assert gone[-1].profile == str(tmp_path / "older")

    way_back.begin("switch", path, path, 4, at)
    with pytest.raises(NoAnswer, match="no way back to that system"):
        back(3)
