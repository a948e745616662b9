"""The runbooks of this repository: what they are, what they would do, and what they undo."""

import hashlib
from collections.abc import Mapping
from copy import deepcopy

import pytest
import yaml
from pydantic import ValidationError

from reconciler.act.executor import execute
from reconciler.act.work import prepare
from reconciler.checks import catalogue as checks
from reconciler.diff.compare import pattern_problem
from reconciler.errors import Restarting
from reconciler.model.approved import Approved
from reconciler.model.finding import Finding
from reconciler.model.operation import Operation, UnitJob, WriteFile
from reconciler.model.outcome import Outcome
from reconciler.model.parameter import bind
from reconciler.model.render import names_in
from reconciler.model.runbook import Runbook
from reconciler.model.system_links import CURRENT
from reconciler.model.system_operation import RebootInto, ReturnNow
from reconciler.model.values import Params, Value
from reconciler.steps import catalogue as steps
from reconciler.testing.fake_clock import FakeClock
from reconciler.testing.fake_machine import FakeFile, FakeMachine, FakeUnit
from reconciler.testing.fake_system import nixos_links
from reconciler.testing.fake_target import FakeTarget, Fault
from tests.support.desired_states import (
    ROOT,
    frozen,
    make_action,
    make_finding,
    pin,
    shipped_runbook,
    shipped_runbook_ids,
)
from tests.support.stepping import Receipt, state

OLDER = "/nix/store/00000000000000000000000000000001-nixos-system-desk-1"
NEWER = "/nix/store/00000000000000000000000000000002-nixos-system-desk-2"
RESTIC: dict[str, Value] = {"repository": "/srv/repo", "password_file": "/etc/pw"}
DECLARED = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO/TCWBDqY0opHqcHPyxG+4E3VeQ7a9sOGjvqgSTOb4z"
STRANGE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICscorPsvNg/E3ZYdf+6ZLcWEV9OpPTVKI+kWqInSU27"
PARAMS: dict[str, dict[str, Value]] = {
    "RB-AUDIT-001": {"rules": ("-w /etc/passwd -p wa -k identity",)},
    "RB-AV-001": {},
    "RB-BACKUP-001": RESTIC | {"unit": "restic-backups-nightly.service"},
    "RB-CERT-001": {
        "path": "/etc/ssl/p.crt",
        "key": "/etc/ssl/p.key",
        "renew_unit": "acme-portal.service",
        "reload_unit": "portal.service",
    },
    "RB-CPU-001": {"unit": "portal.service"},
    "RB-DISK-001": {"mount": "/srv/scratch"},
    "RB-DRIFT-001": {"system": NEWER},
    "RB-DRIFT-002": {"running": OLDER, "reapply": ("auditd.service",)},
    "RB-FILE-001": {"path": "/etc/pw", "mode": "0600", "uid": 0, "gid": 0},
    "RB-FW-001": {"open_ports": ("tcp/22", "tcp/443")},
    "RB-KEYS-001": {
        "keys": ("SHA256:O9A4MK3BNs2efZRqvBZA47/iD3POeNn8p9iXvvJdF1o",),
        "accounts": ("clinicadmin",),
        "admins": ("clinicadmin",),
    },
    "RB-LOG-001": {},
    "RB-LOGIN-001": {},
    "RB-MEM-001": {"unit": "portal.service"},
    "RB-RESTORE-001": RESTIC | {"job": "nightly"},
    "RB-SERVICE-001": {"unit": "crashed.service"},
    "RB-SSH-001": {},
    "RB-STORE-001": {"paths": (OLDER,)},
    "RB-SYSCTL-001": {"name": "syncookies", "settings": ("net.ipv4.tcp_syncookies=1",)},
    "RB-TIME-001": {},
    "RB-UPDATE-001": {"system": NEWER},
}
ALL = shipped_runbook_ids()
PROCEDURES = ["RB-CRYPT-001", "RB-EVID-001", "RB-PATCH-001", "RB-VULN-001"]
RESTARTS = ["RB-REBOOT-001"]
"""A run of these ends with the machine; what came of it is seen by the next one."""

IDS = [name for name in ALL if name not in {*PROCEDURES, *RESTARTS}]


def bound(runbook_id: str, given: Mapping[str, Value] | None = None) -> Params:
    params, problems = bind(
        dict(shipped_runbook(runbook_id).parameters),
        PARAMS[runbook_id] if given is None else given,
    )
    assert not problems
    return params


def machine() -> FakeMachine:
    """A machine on which everything that a runbook puts right is wrong."""
    return FakeMachine(
        files={
            "/etc/pw": FakeFile(b"secret", 0o644, 1000, 1000),
            "/etc/ssl/p.crt": FakeFile(b"old certificate"),
            "/etc/ssl/p.key": FakeFile(b"old key", 0o600),
            "/etc/nftables.conf": FakeFile(b"table inet old {\n}\n", 0o755),
            "/etc/passwd": FakeFile(
                b"root:x:0:0::/root:/bin/sh\nclinicadmin:x:1000:1000::/home/c:/bin/sh\n"
                b"mallory:x:1001:1001::/home/mallory:/bin/sh\n"
                b"eve:x:40000:40000::/home/eve:/bin/sh\nreconciler:x:1002:1002::/:/bin/sh\n"
                b"svc:x:999:999::/:/bin/sh\nnixbld1:x:30001:30000::/:/sbin/nologin\n"
            ),
            "/etc/shadow": FakeFile(
                b"root:*:1::::::\nclinicadmin:!:1::::::\nmallory:!:1:::::20100:\n"
                b"eve:!:1::::::\nreconciler:!:1::::::\n"
                b"svc:!:1::::::\nnixbld1:!:1::::::\n",
                0o640,
                0,
                42,
            ),
            "/etc/ssh/authorized_keys.d/clinicadmin": FakeFile(
                f"# desk\n{STRANGE} of a friend\n{DECLARED} desk\xff\n".encode("latin-1"), 0o644
            ),
            "/root/.ssh/authorized_keys": FakeFile(
                f'from="192.0.2.7",command="a b" {STRANGE}\r\n'.encode(), 0o600
            ),
        },
        units={
            "ssh.service": FakeUnit("active", "enabled"),
            "chrony.service": FakeUnit("inactive", "masked"),
            "nftables.service": FakeUnit("inactive", "disabled"),
            "clamav-daemon.service": FakeUnit("failed", "masked", "exit-code"),
            "clamav-freshclam.service": FakeUnit("inactive", "disabled"),
            "auditd.service": FakeUnit("inactive", "disabled"),
            "systemd-journald.service": FakeUnit("active", "static"),
            "portal.service": FakeUnit("active", "enabled"),
            "crashed.service": FakeUnit("failed", "enabled", "exit-code"),
            "acme-portal.service": FakeUnit(oneshot=True, file="static", runs=_renew),
            "restic-backups-nightly.service": FakeUnit(oneshot=True, file="static"),
            "restic-backups-nightly.timer": FakeUnit("inactive", "disabled"),
            "reconciler-store-verify.service": FakeUnit(oneshot=True, file="static"),
        },
        sysctls={"net.ipv4.tcp_syncookies": "0"},
        ruleset="table inet old {\n}\n",
        links=nixos_links(OLDER),
    )


def _renew(there: FakeMachine) -> None:
    there.files["/etc/ssl/p.crt"] = FakeFile(b"new certificate")
    there.files["/etc/ssl/p.key"] = FakeFile(b"new key", 0o600)


def run(
    runbook_id: str, target: FakeTarget, *, passes: bool, params: Params | None = None
) -> Outcome:
    runbook = shipped_runbook(runbook_id)
    finding: Finding = make_finding(status="pass" if passes else "fail")
    return execute(
        make_action(runbook=runbook_id, params=params or bound(runbook_id)),
        pin(runbook),
        Receipt(),
        target,
        steps.load(),
        look=lambda: {"time": finding},
        also=lambda: tuple(make_finding(status="pass", check=c.check) for c in runbook.also_verify),
        clock=FakeClock(),
        deadline_s=1.0,
    )


def test_every_runbook_has_an_example_here() -> None:
    assert list(PARAMS) == IDS
    assert sorted([*IDS, *PROCEDURES, *RESTARTS]) == ALL


@pytest.mark.parametrize("runbook_id", PROCEDURES)
def test_what_only_people_do_is_a_procedure_and_nothing_else(runbook_id: str) -> None:
    runbook = shipped_runbook(runbook_id)
    assert (runbook.id, runbook.mode, runbook.steps) == (runbook_id, "never", ())
    assert "(1)" in (runbook.procedure or "")
    text = runbook.model_dump() | {"mode": "approve"}
    with pytest.raises(ValidationError, match="has steps, or is of mode never"):
        Runbook.model_validate(text)


def test_the_allow_list_pins_every_runbook_to_its_bytes() -> None:
    text = (ROOT / "runbooks" / "approved.yaml").read_text()
    approved = Approved.model_validate(frozen(yaml.safe_load(text)))
    digests = {
        name: hashlib.sha256((ROOT / "runbooks" / f"{name}.yaml").read_bytes()).hexdigest()
        for name in ALL
    }
    assert approved.runbooks == {name: f"sha256:{digest}" for name, digest in digests.items()}


@pytest.mark.parametrize("runbook_id", IDS)
class TestEveryRunbook:
    def test_its_file_has_its_name_and_its_words_are_complete(self, runbook_id: str) -> None:
        runbook = shipped_runbook(runbook_id)
        assert runbook.id == runbook_id
        assert runbook.procedure is not None
        assert all(control.startswith("hipaa:164.") for control in runbook.controls)

    def test_it_names_checks_and_fields_that_exist(self, runbook_id: str) -> None:
        runbook, known = shipped_runbook(runbook_id), checks.load()
        assert set(runbook.fixes) <= set(known)
        for condition in (*runbook.precheck, *runbook.also_verify):
            assert set(condition.expect) <= set(known[condition.check].fields)
            assert set(condition.params) <= set(known[condition.check].params)

    def test_every_parameter_is_used_and_bounded(self, runbook_id: str) -> None:
        runbook = shipped_runbook(runbook_id)
        places = [s.params for s in runbook.steps]
        places += [c.params for c in (*runbook.precheck, *runbook.also_verify)]
        used = {name for place in places for value in place.values() for name in names_in(value)}
        assert used == set(runbook.parameters)
        for parameter in runbook.parameters.values():
            if parameter.type in {"str", "list[str]"}:
                assert parameter.pattern or parameter.enum
            else:
                assert None not in (parameter.minimum, parameter.maximum)
            if parameter.pattern:
                assert pattern_problem(parameter.pattern) is None

    def test_every_step_renders(self, runbook_id: str) -> None:
        runbook = shipped_runbook(runbook_id)
        prepared = prepare(runbook, steps.load(), bound(runbook_id))
        assert [step.id for step in prepared] == [step.id for step in runbook.steps]

    def test_what_takes_over_settings_is_told_to_read_the_old_ones_on_the_way_back(
        self, runbook_id: str
    ) -> None:
        uses = [(s.use, s.params.get("unit")) for s in shipped_runbook(runbook_id).steps]
        for use, unit in uses:
            if use == "unit.reload":
                assert uses[0] == ("unit.on_undo", unit)

    def test_it_runs_to_its_end_on_a_machine_that_needs_it(self, runbook_id: str) -> None:
        target = FakeTarget(machine())
        outcome = run(runbook_id, target, passes=True)
        assert (outcome.result, outcome.reason) == ("healed", "")
        assert target.carried

    def test_a_lie_is_caught(self, runbook_id: str) -> None:
        target = FakeTarget(machine(), faults=[Fault("lies")])
        before = deepcopy(target.machine)
        outcome = run(runbook_id, target, passes=False)
        assert outcome.result in {"rolled_back", "failed"}
        assert target.machine.files == before.files

    def test_a_fix_that_does_not_help_is_taken_back_as_far_as_it_says(
        self, runbook_id: str
    ) -> None:
        target = FakeTarget(machine())
        before = state(target.machine)
        outcome = run(runbook_id, target, passes=False)
        after = state(target.machine)
        assert after.files == before.files
        assert after.sysctls == before.sysctls
        assert after.ruleset.strip() == before.ruleset.strip()
        kinds = steps.load()
        reversible = all(kinds[s.use].reversible for s in shipped_runbook(runbook_id).steps)
        assert outcome.rollback == ("verified" if reversible else "unverified")
        assert outcome.result == ("rolled_back" if reversible else "failed")
        if reversible:
            assert {n: u.facts() for n, u in after.units.items()} == {
                n: u.facts() for n, u in before.units.items()
            }

    def test_a_machine_that_refuses_everything_is_left_as_it_was(self, runbook_id: str) -> None:
        target = FakeTarget(machine(), faults=[Fault("refuses")])
        before = state(target.machine)
        outcome = run(runbook_id, target, passes=True)
        assert outcome.result != "healed"
        assert state(target.machine).files == before.files

    def test_unattended_it_never_stops_or_masks_anything(self, runbook_id: str) -> None:
        assert not {"unit.stop", "unit.mask"} & {s.use for s in shipped_runbook(runbook_id).steps}


def written(runbook_id: str, path: str, params: Params | None = None) -> str:
    target = FakeTarget(machine())
    run(runbook_id, target, passes=True, params=params)
    return target.machine.files[path].content.decode()


def operations(runbook_id: str, params: Params | None = None) -> list[Operation]:
    target = FakeTarget(machine())
    run(runbook_id, target, passes=True, params=params)
    return target.carried


def test_one_ssh_drop_in_holds_the_whole_set() -> None:
    lines = written("RB-SSH-001", "/etc/ssh/sshd_config.d/00-reconciler.conf").splitlines()
    settings = dict(line.split(" ", 1) for line in lines[1:])
    assert settings["PermitRootLogin"] == "no"
    assert settings["ClientAliveInterval"] == "300"
    assert settings["ClientAliveCountMax"] == "1"
    assert settings["Ciphers"].split(",")[0] == "chacha20-poly1305@openssh.com"
    assert {"MACs", "KexAlgorithms", "LogLevel", "PasswordAuthentication"} <= set(settings)


def test_the_ssh_drop_in_takes_no_line_from_a_parameter() -> None:
    for bad in ("aes256-ctr\nPermitRootLogin yes", "aes256-ctr,x", "aes256 ctr", ""):
        given: dict[str, Value] = {"ciphers": (bad,)}
        assert bind(dict(shipped_runbook("RB-SSH-001").parameters), given)[1]


def test_a_certificate_without_a_unit_to_reload_is_renewed_without_a_reload() -> None:
    given = {k: v for k, v in PARAMS["RB-CERT-001"].items() if k != "reload_unit"}
    jobs = operations("RB-CERT-001", bound("RB-CERT-001", given))
    assert jobs == [UnitJob("start", "acme-portal.service", 300)]


def test_a_renewal_that_falls_short_puts_certificate_and_key_back_and_then_reloads() -> None:
    there = machine()
    taken_over: list[bytes] = []
    there.units["portal.service"].reads = lambda m: taken_over.append(
        m.files["/etc/ssl/p.crt"].content
    )
    run("RB-CERT-001", FakeTarget(there), passes=False)
    assert taken_over == [b"new certificate", b"old certificate"]
    assert there.files["/etc/ssl/p.key"] == FakeFile(b"old key", 0o600)


def test_a_masked_time_daemon_is_unmasked_enabled_and_started() -> None:
    target = FakeTarget(machine())
    run("RB-TIME-001", target, passes=True)
    unit = target.machine.units["chrony.service"]
    assert (unit.active, unit.file) == ("active", "enabled")


def test_the_firewall_file_is_loaded_as_written_and_starts_at_boot() -> None:
    target = FakeTarget(machine())
    run("RB-FW-001", target, passes=True)
    assert "tcp dport 443 accept" in target.machine.ruleset
    assert target.machine.units["nftables.service"].facts()["unit_file_state"] == "enabled"


def test_kernel_parameters_are_set_now_and_for_the_next_boot() -> None:
    path = "/etc/sysctl.d/zz-reconciler-syncookies.conf"
    assert written("RB-SYSCTL-001", path).splitlines()[1:] == ["net.ipv4.tcp_syncookies=1"]
    # sysctl.d(5): of two files that set the same parameter, the one whose name sorts last wins.
    assert max(["99-vendor.conf", "99-sysctl.conf", path.split("/")[-1]]) == path.split("/")[-1]


def test_a_secret_file_is_never_made_readable_for_others() -> None:
    parameters = dict(shipped_runbook("RB-FILE-001").parameters)
    for mode in ("0604", "0640", "0666", "4600", "600"):
        assert bind(parameters, PARAMS["RB-FILE-001"] | {"mode": mode})[1]


def test_audit_rules_that_turn_auditing_off_are_refused() -> None:
    parameters = dict(shipped_runbook("RB-AUDIT-001").parameters)
    for rule in ("-D", "-e 0", "-W /etc/passwd", "-d always,exit -S all", "-w /x\n-D"):
        assert bind(parameters, {"rules": (rule,)})[1]


def test_what_may_touch_the_access_path_says_so_and_proves_it() -> None:
    guarded = {name for name in IDS if shipped_runbook(name).access_guarded}
    on_systems = {"RB-DRIFT-001", "RB-UPDATE-001"}
    assert guarded == {"RB-SSH-001", "RB-LOGIN-001", "RB-FW-001", "RB-KEYS-001"} | on_systems
    for name in guarded:
        assert shipped_runbook(name).also_verify


def test_who_decides() -> None:
    modes: dict[str, list[str]] = {}
    for name in IDS:
        runbook: Runbook = shipped_runbook(name)
        modes.setdefault(runbook.mode, []).append(name)
    assert modes["window"] == ["RB-RESTORE-001", "RB-UPDATE-001"]
    assert {shipped_runbook(name).mode for name in RESTARTS} == {"window"}
    assert modes["approve"] == ["RB-KEYS-001", "RB-LOGIN-001"]
    assert set(modes) == {"auto", "window", "approve"}


def test_backups_of_replaced_files_are_written_before_the_file() -> None:
    writes = [o for o in operations("RB-FW-001") if isinstance(o, WriteFile)]
    assert [w.path.rpartition("/")[0] for w in writes] == ["/var/lib/reconciler/backup", "/etc"]


def test_only_what_nobody_declared_is_taken_away_and_all_of_it_comes_back() -> None:
    target = FakeTarget(machine())
    before = deepcopy(target.machine.files)
    assert run("RB-KEYS-001", target, passes=True).result == "healed"
    after = target.machine.files
    desk = after["/etc/ssh/authorized_keys.d/clinicadmin"]
    assert desk.content == f"# desk\n{DECLARED} desk\xff\n".encode("latin-1")
    assert (after["/root/.ssh/authorized_keys"].content, desk.mode) == (b"", 0o644)
    assert after["/etc/passwd"] == before["/etc/passwd"]
    shadow = after["/etc/shadow"].content.decode().splitlines()
    assert [line for line in shadow if line.split(":")[7]] == [
        "mallory:!:1:::::1:",
        "eve:!:1:::::1:",
    ]
    kept = {f.content for path, f in after.items() if path.startswith("/var/lib/reconciler/backup")}
    assert kept == {before[p].content for p in before if "authorized_keys" in p}

    again = FakeTarget(machine())
    outcome = run("RB-KEYS-001", again, passes=False)
    assert (outcome.result, outcome.rollback) == ("rolled_back", "verified")
    assert state(again.machine).files == before


def test_where_nobody_is_declared_nothing_is_taken_away() -> None:
    for empty in ("keys", "accounts"):
        target = FakeTarget(machine())
        before = deepcopy(target.machine.files)
        params = bound("RB-KEYS-001", PARAMS["RB-KEYS-001"] | {empty: ()})
        outcome = run("RB-KEYS-001", target, passes=True, params=params)
        assert outcome.result in {"rolled_back", "failed"}
        assert state(target.machine).files == before


def test_a_restart_ends_the_run_and_leaves_its_intent_open() -> None:
    params = bound("RB-REBOOT-001", {"system": NEWER})
    target = FakeTarget(machine())
    with pytest.raises(Restarting):
        run("RB-REBOOT-001", target, passes=False, params=params)
    assert target.carried[-1] == RebootInto(NEWER)

    refused = FakeTarget(machine(), faults=[Fault("refuses", lambda o: isinstance(o, RebootInto))])
    outcome = run("RB-REBOOT-001", refused, passes=False, params=params)
    assert (outcome.result, outcome.rollback) == ("rolled_back", "verified")


def test_a_system_that_does_not_help_is_taken_back_and_one_that_runs_already_is_not() -> None:
    target = FakeTarget(machine())
    run("RB-DRIFT-001", target, passes=False)
    assert (target.carried[-1], target.machine.links[CURRENT]) == (ReturnNow(OLDER, 7), OLDER)

    again = FakeTarget(machine())
    outcome = run("RB-DRIFT-002", again, passes=False)
    assert not any(isinstance(each, ReturnNow) for each in again.carried)
    assert (outcome.result, again.machine.links[CURRENT]) == ("failed", OLDER)
