"""A host with the baseline passes the rules of its policy by construction.

The declaration is turned into the answers of a machine that is just so, the real checks read
them, and the real comparison judges them by policies/baselines/nixos-hipaa-v1.yaml as it is bound
to the example clinic's appliance.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.checks import catalogue as checks
from reconciler.checks.linux import lnx_bkp_001, lnx_time_001
from reconciler.checks.parsing import systemd_conf
from reconciler.desired.directory import read_directory
from reconciler.desired.fleet import read_fleet
from reconciler.desired.resolve import resolve
from reconciler.diff.compare import meets
from reconciler.model.answer import Answers
from reconciler.model.check import NotApplicable, Values
from reconciler.model.desired import BoundRule
from tests.support.declared_machine import DeclaredMachine
from tests.support.nix_modules import DECLARED, ROOT, evaluate
from tests.support.nix_runtime import NixStore

# Rules whose every field a declaration decides.
WHOLE = {
    "account-lockout",
    "idle-sessions",
    "kernel-hardening",
    "no-core-dumps",
    "root-password-locked",
    "ssh-algorithms",
    "ssh-dead-sessions",
    "ssh-keys-declared",
    "ssh-keys-outside-homes",
    "ssh-log-level",
    "ssh-password-login",
    "ssh-root-login",
    "ssh-second-factor",
    "sudo-password",
    "sysctl-accept-redirects",
    "sysctl-protected-symlinks",
    "sysctl-send-redirects",
    "sysctl-syncookies",
    "units-running",
    "accounts-declared",
    "audit-from-boot",
    "audit-running",
    "firewall",
}
# Rules of which a declaration decides a part, shown below one by one.
PART = {
    "anti-malware",
    "audit-rules",
    "backup-elsewhere",
    "backup-recent",
    "certificate-valid",
    "journal-persistent",
    "nixos-release-fresh",
    "secret-files-private",
    "storage-encrypted",
    "time-synchronised",
}
# What happens on a machine, and what the reconciler itself does: no configuration declares it.
HAPPENS = {
    "cpu-pressure",
    "disk-space",
    "evidence-chain",
    "failed-logins",
    "intent-trusted",
    "memory-pressure",
    "nixos-vulnerabilities",
    "no-failed-units",
    "restore-proven",
    "sockets-declared",
}


@pytest.fixture(scope="module")
def declared(nix: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    store = NixStore(nix, tmp_path_factory.mktemp("policy"))
    return evaluate(store, f"import {DECLARED} {{ }}")


@pytest.fixture(scope="module")
def machine(declared: dict[str, Any]) -> DeclaredMachine:
    return DeclaredMachine(declared)


@pytest.fixture(scope="module")
def bound() -> list[BoundRule]:
    state = resolve(
        read_fleet(read_directory(ROOT)),
        "example-clinic",
        "appliance",
        commit="0" * 40,
        tree="0" * 40,
        checks=checks.load(),
    )
    return list(state.rules)


def seen(machine: DeclaredMachine, rule: BoundRule) -> Values:
    check = checks.load()[rule.check]
    values = check.parse(rule.params, machine.answers(check, rule.params))
    assert not isinstance(values, NotApplicable), rule.id
    return values


def failures(machine: DeclaredMachine, rule: BoundRule) -> dict[str, Any]:
    values = seen(machine, rule)
    return {
        name: values.get(name)
        for name, expectation in rule.expect.items()
        if not meets(expectation, values.get(name))
    }


def test_every_rule_of_the_baseline_is_accounted_for() -> None:
    """Rules named nixos-* compare a machine with its own declaration, whatever that says."""
    document = yaml.safe_load((ROOT / "policies/baselines/nixos-hipaa-v1.yaml").read_text())
    own = {rule for rule in document["rules"] if rule.startswith("nixos-")} - PART - HAPPENS
    assert set(document["rules"]) - own == WHOLE | PART | HAPPENS
    assert not (WHOLE & PART or WHOLE & HAPPENS or PART & HAPPENS)


@pytest.mark.parametrize("rule", sorted(WHOLE))
def test_what_is_declared_passes(
    machine: DeclaredMachine, bound: list[BoundRule], rule: str
) -> None:
    rules = [each for each in bound if each.rule == rule]
    assert rules, "the example appliance is judged by it"
    assert {each.id: failures(machine, each) for each in rules} == {each.id: {} for each in rules}


def test_anti_malware_runs_and_is_updated(machine: DeclaredMachine, bound: list[BoundRule]) -> None:
    (rule,) = (each for each in bound if each.rule == "anti-malware")
    assert set(failures(machine, rule)) == {"signature_age_hours"}, "no signatures yet"


def test_boot_entries_fit_on_their_partition(declared: dict[str, Any]) -> None:
    """A kernel and an initrd of 100 MB each on the 1 GiB that the installer makes."""
    assert 2 <= declared["bootEntries"] <= 10


def test_fresh_signatures_do_not_take_twice_the_memory(declared: dict[str, Any]) -> None:
    """Both sets at once would not fit below the limit of the unit."""
    assert declared["clamd"] == {"ConcurrentDatabaseReload": False, "restart": "on-failure"}


def test_a_stopped_audit_daemon_is_missed(machine: DeclaredMachine) -> None:
    assert "auditd.service" in machine.document["units"]["run"]


def test_the_audit_rules_of_the_fleet_are_those_of_the_host(declared: dict[str, Any]) -> None:
    host = yaml.safe_load((ROOT / "hosts/example-clinic/appliance.yaml").read_text())
    assert set(host["declares"]["audit_rules"]) == set(declared["auditRules"])


def test_backups_go_elsewhere_by_units_that_the_check_knows(
    declared: dict[str, Any], bound: list[BoundRule]
) -> None:
    rules = [each for each in bound if each.rule == "backup-recent"]
    units = {(b["unit"], b["timer"]) for b in declared["document"]["backups"]}
    assert rules
    for rule in rules:
        unit = str(rule.params["unit"])
        assert (unit, f"{unit.removesuffix('.service')}.timer") in units
        repository = declared["backups"][rule.params["job"]]["repository"]
        assert repository == rule.params["repository"]
        assert repository.startswith(lnx_bkp_001._REMOTE)


def test_the_certificate_of_the_upload_is_the_one_that_is_checked(
    declared: dict[str, Any], bound: list[BoundRule]
) -> None:
    (rule,) = (each for each in bound if each.rule == "certificate-valid")
    (certificate,) = declared["document"]["certificates"]
    assert rule.params["path"] == certificate["path"] == declared["upload"]["ServerCertificateFile"]
    assert rule.params["key"] == declared["upload"]["ServerKeyFile"]
    assert rule.params["reload_unit"] == certificate["unit"]


def test_the_journal_stays_on_disk_within_bounds(machine: DeclaredMachine) -> None:
    answers = Answers({p: machine.answer(p) for p in systemd_conf.conf_probes("journald.conf")})
    assigned = systemd_conf.settings(answers, "journald.conf", "Journal")
    assert assigned["Storage"] == ("persistent",)
    assert systemd_conf.size(assigned["SystemMaxUse"][-1]) == 4096 * 2**20
    assert systemd_conf.timespan_s(assigned["MaxRetentionSec"][-1]) == 400 * 86_400


def test_one_daemon_with_enough_sources_keeps_the_clock(machine: DeclaredMachine) -> None:
    time, run = machine.document["time"], machine.document["units"]["run"]
    assert time["service"] in lnx_time_001.DAEMONS
    assert [unit for unit in run if unit in lnx_time_001.DAEMONS] == [time["service"]]
    assert len(time["sources"]) >= 3
    assert time["nts"] is True


def test_nothing_without_proof_sets_the_clock(declared: dict[str, Any]) -> None:
    """chrony's own question at start is plain NTP, and steps the clock by whatever it hears."""
    assert declared["chrony"]["asksAtStart"] is False
    words = declared["chrony"]["extraConfig"].splitlines()
    assert {"authselectmode require", "minsources 2", "makestep 1.0 3"} <= set(words)


def test_the_release_is_one_that_the_policy_supports(
    machine: DeclaredMachine, bound: list[BoundRule]
) -> None:
    (rule,) = (each for each in bound if each.rule == "nixos-release-fresh")
    assert meets(rule.expect["version_id"], machine.document["release"])


def test_all_that_stays_is_encrypted(machine: DeclaredMachine) -> None:
    bare = [m["path"] for m in machine.document["mounts"] if not m["encrypted"]]
    assert bare == ["/boot"], "read by the firmware, and the only exempt one"
    assert all(swap["encrypted"] for swap in machine.document["swap"])


def test_secrets_lie_where_the_fleet_looks_at_their_mode(
    declared: dict[str, Any], bound: list[BoundRule]
) -> None:
    paths = [job["passwordFile"] for job in declared["backups"].values()]
    paths.append(declared["upload"]["ServerKeyFile"])
    assert [path for path in paths if path.startswith("/nix/")] == []
    assert [each.id for each in bound if each.rule == "secret-files-private"]


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("ssh-root-login", 'services.openssh.settings.PermitRootLogin = lib.mkForce "yes"'),
        (
            "ssh-second-factor",
            "services.openssh.settings.PasswordAuthentication = lib.mkForce true",
        ),
        ("account-lockout", "reconciler.baseline.accounts.enable = false"),
        ("kernel-hardening", "reconciler.baseline.kernel.enable = false"),
        ("audit-from-boot", "reconciler.baseline.audit.enable = false"),
        ("sudo-password", "security.sudo.wheelNeedsPassword = lib.mkForce false"),
        ("units-running", "services.chrony.enable = lib.mkForce false"),
    ],
)
def test_a_host_without_the_safeguard_does_not_pass(
    nix_store: NixStore, bound: list[BoundRule], rule: str, change: str
) -> None:
    """The loop is closed by what is declared, and not by the tests' own machine."""
    more = f"[ ({{ lib, ... }}: {{ {change}; }}) ]"
    weaker = DeclaredMachine(evaluate(nix_store, f"import {DECLARED} {{ more = {more}; }}"))
    rules = [each for each in bound if each.rule == rule]
    assert any(failures(weaker, each) for each in rules)
