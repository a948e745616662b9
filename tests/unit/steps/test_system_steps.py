"""Steps on the system of a NixOS machine: in which order, and where they refuse to begin."""

import pytest

from reconciler.errors import InputError, Unobservable
from reconciler.model.parameter import bind
from reconciler.model.system_links import BOOTED, CURRENT, PROFILE, generation_link
from reconciler.model.system_operation import (
    ArmReturn,
    AwaitHealth,
    CheckSwitch,
    ConfirmBoot,
    DisarmReturn,
    FinishActivation,
    Realise,
    Reapply,
    RebootInto,
    RepairPath,
    ReturnNow,
    SetProfile,
    StageBoot,
    SwitchSystem,
)
from reconciler.steps import catalogue
from reconciler.testing.fake_machine import FakeMachine
from reconciler.testing.fake_system import nixos_links
from tests.support.stepping import carry_out, rendered

OLDER = "/nix/store/00000000000000000000000000000001-nixos-system-desk-1"
NEWER = "/nix/store/00000000000000000000000000000002-nixos-system-desk-2"


def nixos(system: str = OLDER, generation: int = 7) -> FakeMachine:
    """A NixOS machine that runs a system."""
    return FakeMachine(links=nixos_links(system, generation))


def test_the_boot_entry_is_last_and_the_way_back_is_there_from_before_the_first_change() -> None:
    do, undo = rendered("system.activate", {"system": NEWER}, nixos())
    assert do == (
        Realise(NEWER),
        CheckSwitch(NEWER),
        ArmReturn(NEWER, OLDER, 7),
        SwitchSystem(NEWER, "test"),
        AwaitHealth(NEWER),
        SetProfile(NEWER),
        SwitchSystem(NEWER, "boot"),
        DisarmReturn(),
    )
    assert undo == (ReturnNow(OLDER, 7),)


def test_a_system_that_runs_already_is_only_made_to_last() -> None:
    do, undo = rendered("system.activate", {"system": OLDER}, nixos())
    assert do == (Realise(OLDER), SetProfile(OLDER), SwitchSystem(OLDER, "boot"))
    assert undo == (ReturnNow(OLDER, 7),)


def test_the_recorded_generation_is_the_one_of_now_however_many_there_were() -> None:
    machine = nixos(generation=7)
    for number in range(8, 28):
        carry_out(machine, (SetProfile(f"{NEWER}{number}"),))
    _do, undo = rendered("system.activate", {"system": NEWER}, machine)
    assert undo == (ReturnNow(OLDER, 27),)


def test_a_generation_has_the_number_that_nix_gave_it() -> None:
    _do, undo = rendered("system.activate", {"system": NEWER}, nixos(generation=2**40))
    assert undo == (ReturnNow(OLDER, 2**40),)


@pytest.mark.parametrize(
    ("link", "to"),
    [
        (CURRENT, "/nix/store/x"),
        (CURRENT, f"{OLDER}/"),
        (PROFILE, OLDER),
        (PROFILE, "system-0-link"),
        (PROFILE, "other-7-link"),
        (PROFILE, "/tmp/system-7-link"),
    ],
)
def test_what_cannot_be_gone_back_to_is_not_left(link: str, to: str) -> None:
    machine = nixos()
    machine.links[link] = to
    for kind in ("system.activate", "system.reboot"):
        with pytest.raises(Unobservable):
            rendered(kind, {"system": NEWER}, machine)
    del machine.links[link]
    with pytest.raises(Unobservable):
        rendered("system.activate", {"system": NEWER}, machine)


def test_the_profile_may_be_linked_by_its_whole_path() -> None:
    machine = nixos()
    machine.links[PROFILE] = generation_link(7)
    assert rendered("system.activate", {"system": NEWER}, machine)[1] == (ReturnNow(OLDER, 7),)


def test_a_restart_leaves_the_default_alone_until_it_is_confirmed() -> None:
    do, undo = rendered("system.reboot", {"system": NEWER}, nixos())
    assert do == (Realise(NEWER), StageBoot(NEWER, OLDER, 7), RebootInto(NEWER))
    assert undo == (ReturnNow(OLDER, 7),)


def test_the_running_system_is_activated_again_and_has_no_way_back() -> None:
    given = {"running": OLDER, "reapply": ("systemd-sysctl.service",)}
    do, undo = rendered("system.reapply", given, nixos())
    again = (Realise(OLDER), SwitchSystem(OLDER, "test"))
    assert do == (*again, Reapply(OLDER, ("systemd-sysctl.service",)))
    assert undo == ()
    assert rendered("system.reapply", {"running": OLDER}, nixos())[0] == again
    assert not catalogue.load()["system.reapply"].reversible


def test_another_system_is_never_put_aside_to_apply_settings_again() -> None:
    with pytest.raises(InputError, match="not the system that runs"):
        rendered("system.reapply", {"running": NEWER}, nixos())


def test_a_restart_of_units_is_said_to_touch_them() -> None:
    touches = catalogue.load()["system.reapply"].touches
    assert touches({"running": OLDER, "reapply": ("sshd.service",)}) == {"unit:sshd.service"}


def test_paths_are_repaired_one_by_one() -> None:
    do, undo = rendered("store.repair", {"paths": (OLDER, NEWER)})
    assert (do, undo) == ((RepairPath(OLDER), RepairPath(NEWER)), ())


@pytest.mark.parametrize(
    ("kind", "name"),
    [("system.activate", "system"), ("system.reapply", "running"), ("store.repair", "paths")],
)
@pytest.mark.parametrize(
    "bad", ["/nix/store/x", f"{OLDER}/bin", f"{OLDER}\n", "/tmp/x", f"{OLDER} ", "../x"]
)
def test_only_a_path_of_the_store_is_a_system(kind: str, name: str, bad: str) -> None:
    parameters = dict(catalogue.load()[kind].params)
    value = (bad,) if name == "paths" else bad
    assert bind(parameters, {name: value})[1]


def test_only_what_a_machine_remembers_brings_a_cut_off_step_to_its_end() -> None:
    known = {kind.id: kind.resume({}) for kind in catalogue.load().values() if kind.resume({})}
    assert known == {"system.activate": (FinishActivation(),), "system.reboot": (ConfirmBoot(),)}
    assert nixos().links[BOOTED] == OLDER
