"""Operations on a NixOS system, one after the other, on a real systemd with a real Nix.

`test_activation` goes through the engine; here each operation is carried out and asked alone.
"""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from reconciler.model.system_operation import (
    ArmReturn,
    AwaitHealth,
    CheckSwitch,
    ConfirmBoot,
    DisarmReturn,
    FinishActivation,
    OnSystem,
    Realise,
    Reapply,
    RebootInto,
    RepairPath,
    ReturnNow,
    SetProfile,
    StageBoot,
    SwitchSystem,
)
from tests.support.activating import Activator, steps_to
from tests.support.nixos_base import FIREWALL, documented
from tests.support.nixos_guest import NixosGuest, NixosSite

STAYS = ("ExecStart=/bin/sleep infinity",)
FAILS = ("Type=oneshot", "ExecStart=/bin/false")
LATE = (
    "Restart=on-failure",
    "RestartSec=1",
    "ExecStart=/bin/sh -c 'mkdir /run/late-1 || mkdir /run/late-2 || exec sleep infinity; exit 1'",
)
COMES_AND_GOES = """\
[Unit]
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/sh -c 'sleep 2; exit 1'
Restart=always
RestartSec=1
"""
SEEN_WELL = """
import subprocess
from reconciler.targets.linux.nixos import health
real = health.baseline
def baseline(started, session):
    while subprocess.run(["systemctl", "is-active", "--quiet", "comes"]).returncode:
        pass
    return real(started, session)
health.baseline = baseline
"""
NO_RESTART = (
    "from reconciler.targets.linux.nixos import rebooting\n"
    "rebooting.act = lambda _call, _session: None"
)
WRITES_NOTHING = """
from reconciler.targets.linux.nixos import switching
real = switching.run_switch
def run_switch(system, action, timeout_s, session):
    if action == "boot":
        return switching.transient.Ended("active", "success", 0)
    return real(system, action, timeout_s, session)
switching.run_switch = run_switch
"""
PROFILE = "/nix/var/nix/profiles/system"


@pytest.fixture(scope="module")
def machine(nixos: NixosSite) -> Iterator[NixosGuest]:
    """One guest for the module; every test leaves it on a proven system."""
    with nixos.boot("operations") as guest:
        guest.degraded_too = True
        # As NixOS has it: what was booted is never collected as garbage.
        guest.run("ln", "-sfn", "/run/booted-system", "/nix/var/nix/gcroots/booted-system")
        yield guest


@pytest.fixture
def act(machine: NixosGuest, nixos: NixosSite) -> Iterator[Activator]:
    activator = Activator(machine, nixos)
    yield activator
    assert (activator.units(), activator.order()) == ([], None)


def variant(nixos: NixosSite, label: str, *lines: str, kernel: str = "") -> str:
    """A release with one more service."""
    system = replace(nixos.base, label=label, kernel=kernel or nixos.base.kernel)
    return nixos.release(documented(system.with_service(label, *(lines or STAYS))))


def in_force(guest: NixosGuest) -> tuple[str, str, str, int]:
    return guest.running(), guest.profile(), guest.boot_default(), guest.generation()


def active(guest: NixosGuest, unit: str) -> str:
    return guest.run("systemctl", "is-active", unit, check=False).stdout.strip()


def steps(act: Activator, path: str) -> tuple[OnSystem, ...]:
    return steps_to(path, act.guest.running(), act.guest.generation())


def back(act: Activator, planned: tuple[OnSystem, ...]) -> str:
    armed = next(step for step in planned if isinstance(step, ArmReturn))
    return act.one(ReturnNow(armed.previous, armed.generation))


class TestForward:
    def test_a_good_system_lasts_and_nothing_that_may_be_needed_is_collected(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        guest = act.guest
        was, number = guest.running(), guest.generation()
        path = act.trust(variant(nixos, "good"))
        assert [each["reason"] for each in act.do(*steps(act, path))] == [""] * 8
        assert in_force(guest) == (path, path, path, number + 1)
        guest.nix("nix-env", "-p", PROFILE, "--delete-generations", "old")
        guest.nix("nix-store", "--gc")
        for kept in (path, was):
            assert guest.nix("nix-store", "--query", "--hash", kept).stdout

    def test_what_settles_late_is_waited_for(self, act: Activator, nixos: NixosSite) -> None:
        path = act.trust(variant(nixos, "late", *LATE))
        assert [each["reason"] for each in act.do(*steps(act, path))] == [""] * 8
        assert active(act.guest, "late.service") == "active"

    def test_what_came_and_went_before_is_not_blamed(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        """A look that falls between two crashes of a service would call it well."""
        guest, before = act.guest, act.guest.running()
        ailing = replace(nixos.base, label="comes").with_unit("comes.service", COMES_AND_GOES)
        was = nixos.release(documented(ailing))
        guest.fetch(was, nixos.public_key)
        guest.install(was)
        newer = replace(ailing, label="comes-still").with_service("labels", *STAYS)
        path = act.trust(nixos.release(documented(newer)))
        act.access = {"steady_s": 4, "settle_s": 6}
        act.before = SEEN_WELL
        assert [each["reason"] for each in act.do(*steps(act, path))] == [""] * 8
        guest.install(before)

    def test_a_kernel_that_was_never_booted_is_not_the_default(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        guest, before = act.guest, act.guest.boot_default()
        path = act.trust(variant(nixos, "kernel", kernel="6.12.99"))
        assert [each["reason"] for each in act.do(*steps(act, path))] == [""] * 8
        assert (guest.running(), guest.profile()) == (path, path)
        assert guest.boot_default() == before != path


class TestBack:
    def test_a_regression_is_named(self, act: Activator, nixos: NixosSite) -> None:
        before = in_force(act.guest)
        path = act.trust(variant(nixos, "regress", *FAILS))
        planned = steps(act, path)
        *done, last = act.do(*planned)
        assert (len(done), "failed: regress.service" in last["reason"]) == (4, True)
        assert back(act, planned) == ""
        assert in_force(act.guest) == before

    @pytest.mark.parametrize(
        ("where", "number", "said"),
        [
            ("check", 1, "cannot be switched to"),
            ("activation:dies", 3, "switch-to-configuration test"),
            ("activation:etc", 3, "its activation script failed"),
            ("bootloader", 6, "the boot loader refused"),
        ],
    )
    def test_where_a_system_fails_is_said(
        self, act: Activator, nixos: NixosSite, where: str, number: int, said: str
    ) -> None:
        before = in_force(act.guest)
        path = act.trust(nixos.release(nixos.failing(where)))
        planned = steps(act, path)
        *done, last = act.do(*planned)
        assert (len(done), said in last["reason"]) == (number, True), last["reason"]
        assert back(act, planned) == ""
        assert in_force(act.guest) == before

    def test_a_way_in_that_is_cut_is_named(self, act: Activator, nixos: NixosSite) -> None:
        before = in_force(act.guest)
        path = act.trust(variant(nixos, "mute", "Type=oneshot", "ExecStart=systemctl stop ssh"))
        planned = steps(act, path)
        *done, last = act.do(*planned)
        assert (len(done), "cut: port:tcp/22, unit:ssh.service" in last["reason"]) == (4, True)
        assert back(act, planned) == ""
        assert in_force(act.guest) == before
        assert active(act.guest, "ssh.service") == "active"

    def test_a_way_in_that_the_packet_filter_shuts_is_named(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        before, text = in_force(act.guest), nixos.base.etc[FIREWALL].text
        shut = text.replace("tcp dport 22 accept", "tcp dport 443 accept")
        assert shut != text
        path = act.trust(nixos.release(documented(nixos.base.with_etc(FIREWALL, shut))))
        planned = steps(act, path)
        *done, last = act.do(*planned)
        assert (len(done), "cut: open:tcp/22" in last["reason"]) == (4, True), last["reason"]
        assert back(act, planned) == ""
        assert in_force(act.guest) == before

    def test_a_generation_that_is_gone_meanwhile_is_made_again(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        guest, before = act.guest, in_force(act.guest)
        path = act.trust(variant(nixos, "pruned"))
        planned = steps(act, path)
        assert not act.do(*planned[:6])[-1]["reason"]
        guest.nix("nix-env", "-p", PROFILE, "--delete-generations", "old")
        guest.nix("nix-store", "--gc")
        assert back(act, planned) == ""
        assert in_force(guest)[:3] == before[:3]
        assert guest.generation() > before[3]

    def test_what_somebody_brings_into_force_meanwhile_is_not_confirmed(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        guest, before = act.guest, in_force(act.guest)
        somebodys = variant(nixos, "somebodys")
        guest.fetch(somebodys, nixos.public_key)
        path = act.trust(variant(nixos, "overtaken"))
        planned = steps(act, path)
        assert not act.do(*planned[:5])[-1]["reason"]
        guest.install(somebodys)
        *_done, last = act.do(*planned[5:])
        assert last["reason"] == f"somebody brought {somebodys} into force meanwhile"
        assert back(act, planned) == ""
        assert in_force(guest) == before

    @pytest.mark.parametrize("unit", ["reconciler-return.timer", "reconciler-return.service"])
    def test_without_a_way_back_nothing_is_begun(
        self, act: Activator, nixos: NixosSite, unit: str
    ) -> None:
        guest, before = act.guest, in_force(act.guest)
        path = act.trust(variant(nixos, "unguarded"))
        planned = steps(act, path)
        guest.run("systemctl", "mask", "--runtime", unit)
        try:
            *done, last = act.do(*planned)
            assert (len(done), "is masked" in last["reason"]) == (2, True), last["reason"]
            assert act.order() is None
            assert back(act, planned) == ""
        finally:
            guest.run("systemctl", "unmask", "--runtime", unit)
        assert in_force(guest) == before

    def test_a_boot_loader_that_did_not_take_it_is_seen(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        guest, before = act.guest, in_force(act.guest)
        path = act.trust(variant(nixos, "unwritten"))
        planned = steps(act, path)
        act.before = WRITES_NOTHING
        *done, last = act.do(*planned)
        assert (len(done), "boots" in last["reason"]) == (6, True), last["reason"]
        act.before = ""
        assert back(act, planned) == ""
        assert in_force(guest) == before

    def test_it_goes_back_by_itself_when_nobody_is_there(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        guest, before = act.guest, in_force(act.guest)
        path = act.trust(variant(nixos, "orphan"))
        realise, check, arm, *_rest = steps(act, path)
        act.access = {"watchdog_s": 4}
        assert not act.do(realise, check, arm)[-1]["reason"]
        act.access = {}
        assert not act.one(SwitchSystem(path, "test"))
        assert guest.running() == path
        until = time.monotonic() + 40
        while (guest.running() != before[0] or act.order()) and time.monotonic() < until:
            time.sleep(0.3)
        assert in_force(guest) == before
        assert "the time was up" in act.one(DisarmReturn())
        assert "gone before" in act.one(AwaitHealth(path))
        assert act.one(FinishActivation()) == ""
        assert act.units() == []
        assert act.one(ReturnNow(before[0], before[3])) == ""


class TestAfterACrash:
    def test_what_nobody_judged_goes_back(self, act: Activator, nixos: NixosSite) -> None:
        before = in_force(act.guest)
        path = act.trust(variant(nixos, "crashed"))
        for end in (3, 4):
            assert not act.do(*steps(act, path)[:end])[-1]["reason"]
            act.guest.nix("nix-store", "--gc")
            assert act.one(FinishActivation()) == ""
            assert in_force(act.guest) == before

    def test_what_was_proven_goes_forward(self, act: Activator, nixos: NixosSite) -> None:
        for end in (5, 7):
            path = act.trust(variant(nixos, f"proven-{end}"))
            assert not act.do(*steps(act, path)[:end])[-1]["reason"]
            assert act.one(FinishActivation()) == ""
            assert in_force(act.guest)[:3] == (path, path, path)

    def test_what_is_not_trusted_any_more_goes_back(self, act: Activator, nixos: NixosSite) -> None:
        before = in_force(act.guest)
        path = act.trust(variant(nixos, "revoked"))
        assert not act.do(*steps(act, path)[:5])[-1]["reason"]
        act.trusted = None
        assert act.one(FinishActivation()) == ""
        assert in_force(act.guest) == before


class TestRestart:
    def test_what_came_up_healthy_becomes_the_default(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        guest, before = act.guest, in_force(act.guest)
        path = act.trust(variant(nixos, "restart", kernel="6.12.50"))
        act.before = NO_RESTART
        staged = (Realise(path), StageBoot(path, before[0], before[3]), RebootInto(path))
        assert [each["reason"] for each in act.do(*staged)] == ["", "", ""]
        assert (guest.running(), guest.boot_default()) == (before[0], before[2])
        guest.cut_power()
        guest.power_on()
        assert (guest.running(), guest.boot_default()) == (path, before[2])
        assert act.one(ConfirmBoot()) == ""
        assert in_force(guest)[:3] == (path, path, path)

    def test_what_did_not_come_up_is_gone_with_the_next_power_cycle(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        guest, before = act.guest, in_force(act.guest)
        path = act.trust(variant(nixos, "hopeless", kernel="6.12.51"))
        act.before = NO_RESTART
        act.do(Realise(path), StageBoot(path, before[0], before[3]), RebootInto(path))
        for _again in range(2):
            guest.cut_power()
            guest.power_on()
        assert guest.running() == before[0]
        assert "not the system that was restarted into" in act.one(ConfirmBoot())
        assert in_force(guest) == before

    def test_one_that_is_unwell_is_left_and_never_the_default(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        guest, before = act.guest, in_force(act.guest)
        path = act.trust(variant(nixos, "unwell", *FAILS, kernel="6.12.52"))
        act.before = NO_RESTART
        act.do(Realise(path), StageBoot(path, before[0], before[3]), RebootInto(path))
        guest.cut_power()
        guest.power_on()
        assert "failed: unwell.service" in act.one(ConfirmBoot())
        assert in_force(guest) == before
        assert guest.booted() == path

        worse = act.trust(variant(nixos, "worse", *FAILS))
        planned = steps(act, worse)
        assert len(act.do(*planned)) == 5
        assert back(act, planned) == ""
        assert in_force(guest) == before

    def test_a_restart_that_did_not_happen_says_nothing_about_the_system(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        before = in_force(act.guest)
        path = act.trust(variant(nixos, "staged", kernel="6.12.53"))
        act.before = NO_RESTART
        act.do(Realise(path), StageBoot(path, before[0], before[3]), RebootInto(path))
        assert act.one(ConfirmBoot()) == ""
        assert in_force(act.guest) == before
        assert "was not staged" in act.one(RebootInto(path))
        assert act.guest.run("cat", "/boot/loader/one-shot", check=False).stdout.strip() == ""


class TestRefused:
    def test_only_the_trusted_system_is_brought_or_activated(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        guest, before = act.guest, in_force(act.guest)
        other = variant(nixos, "stranger")
        act.trust(variant(nixos, "good"))
        for operation in (
            Realise(other),
            CheckSwitch(other),
            ArmReturn(other, before[0], before[3]),
            SwitchSystem(other, "test"),
            SwitchSystem(other, "boot"),
            AwaitHealth(other),
            SetProfile(other),
            StageBoot(other, before[0], before[3]),
            RebootInto(other),
            Reapply(other, ()),
        ):
            assert "is not the trusted system of this host" in act.one(operation), operation
        assert "no way back to that system" in act.one(ReturnNow(other, before[3]))
        act.settings = False
        assert "nothing is activated" in act.one(Realise(other))
        assert guest.nix("nix-store", "--check-validity", other, check=False).returncode != 0
        assert in_force(guest) == before

    def test_what_no_cache_vouches_for_is_not_had(self, act: Activator, nixos: NixosSite) -> None:
        missing = act.trust(nixos.build(documented(replace(nixos.base, label="unpublished"))))
        assert "nix-store ended with" in act.one(Realise(missing))
        path = act.trust(variant(nixos, "unsigned"))
        act.access = {"public_keys": ["other-1:" + "A" * 43 + "="]}
        assert "without a signature by a trusted key" in act.one(Realise(path))
        act.access = {"caches": []}
        assert "no cache is set" in act.one(Realise(path))

    def test_another_hash_than_the_release_names_is_refused(
        self, act: Activator, nixos: NixosSite
    ) -> None:
        path = act.trust(variant(nixos, "good"))
        named = act.trusted or {}
        act.trusted = named | {"nar_sha256": "0" * 64}
        assert "another hash" in act.one(Realise(path))
        act.trusted = named | {"closure_sha256": "0" * 64}
        assert "another digest" in act.one(Realise(path))
        assert "another digest" in act.one(SwitchSystem(path, "test"))
        act.trusted = named | {"closure_sha256": None}
        assert "does not say what the closure is" in act.one(Realise(path))
        act.trusted = named
        assert act.one(Realise(path)) == ""
        act.access = {"max_bytes": 1000}
        assert "more than allowed" in act.one(Realise(path))

    def test_only_declared_units_restart(self, act: Activator) -> None:
        guest = act.guest
        act.trusted = {"path": guest.running(), "nar_sha256": "0" * 64, "closure_sha256": None}
        assert "not declared" in act.one(Reapply(guest.running(), ("ssh.service",)))
        guest.run("sysctl", "-w", "net.ipv4.tcp_syncookies=0")
        assert act.one(Reapply(guest.running(), ("systemd-sysctl.service",))) == ""
        assert guest.run("sysctl", "-n", "net.ipv4.tcp_syncookies").stdout.strip() == "1"

    def test_a_damaged_path_is_fetched_again(self, act: Activator, nixos: NixosSite) -> None:
        guest = act.guest
        script = f"{nixos.base_path}/bin/switch-to-configuration"
        damaged = guest.run("readlink", "-f", script).stdout.strip()
        owner = "/".join(damaged.split("/")[:4])
        guest.run("sh", "-c", f"chmod u+w {damaged} && echo '# more' >> {damaged}")
        assert guest.nix("nix-store", "--verify-path", owner, check=False).returncode != 0
        assert act.one(RepairPath(owner)) == ""
        assert guest.nix("nix-store", "--verify-path", owner).returncode == 0
        absent = nixos.base_path.replace("frontdesk", "nowhere")
        assert "is not in the store" in act.one(RepairPath(absent))
