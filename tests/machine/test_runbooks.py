"""Runbooks on a real machine: broken by hand, put right by the runbook, checked another way."""

import json
from typing import Any

import pytest

from tests.support.guest import Guest

DRIVER = "/opt/reconciler/src/tests/support/run_one_runbook.py"
SSHD = {"LNX-SSH-001": {"permitrootlogin": "no"}, "LNX-SSH-002": {"password_suffices": False}}


def apply(
    guest: Guest,
    runbook: str,
    check: str,
    expect: dict[str, Any],
    *,
    params: dict[str, Any] | None = None,
    given: dict[str, Any] | None = None,
    **more: bool | int,
) -> dict[str, Any]:
    """Run a runbook in the guest for one failing rule."""
    order = {
        "runbook": runbook,
        "params": params or {},
        "rule": {"check": check, "params": given or {}, "expect": expect},
        **more,
    }
    done = guest.run("python3", DRIVER, input=json.dumps(order), timeout=300)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def healed(report: dict[str, Any]) -> bool:
    assert report["before"]["status"] == "fail", report
    assert all(precheck["status"] == "pass" for precheck in report["prechecks"]), report
    assert report["result"] == "healed", json.dumps(report, indent=1)
    return True


def test_ssh_settings(guest: Guest) -> None:
    guest.write(
        "/etc/ssh/sshd_config.d/05-drift.conf", "PermitRootLogin yes\nPasswordAuthentication yes\n"
    )
    guest.run("systemctl", "reload", "ssh.service")
    assert healed(apply(guest, "RB-SSH-001", "LNX-SSH-001", SSHD["LNX-SSH-001"]))
    dump = guest.run("sshd", "-T").stdout
    assert "permitrootlogin no\n" in dump
    assert "passwordauthentication no\n" in dump
    assert guest.ssh("id", "-un").strip() == "clinicadmin"


def test_ssh_settings_that_the_server_refuses_are_taken_back(guest: Guest) -> None:
    guest.write("/etc/ssh/sshd_config.d/05-drift.conf", "PermitRootLogin yes\n")
    guest.run("systemctl", "reload", "ssh.service")
    files = guest.run("ls", "/etc/ssh/sshd_config.d").stdout
    broken = {"ciphers": ["no-such-cipher"]}
    report = apply(guest, "RB-SSH-001", "LNX-SSH-001", SSHD["LNX-SSH-001"], params=broken)
    assert (report["result"], report["rollback"]) == ("rolled_back", "verified"), report
    assert "step test-settings was not carried out" in report["reason"]
    assert guest.run("ls", "/etc/ssh/sshd_config.d").stdout == files
    assert guest.ssh("id", "-un").strip() == "clinicadmin"


def test_a_machine_that_lies_is_caught(guest: Guest) -> None:
    guest.write("/etc/ssh/sshd_config.d/05-drift.conf", "PermitRootLogin yes\n")
    report = apply(guest, "RB-SSH-001", "LNX-SSH-001", SSHD["LNX-SSH-001"], lie=True)
    assert (report["result"], report["rollback"]) == ("rolled_back", "verified"), report
    assert report["after"]["rule"]["status"] == "fail"


FIREWALL = {
    "backend": "nftables",
    "ipv4_input": {"one_of": ["drop", "reject"]},
    "open_ports": {"subset_of": ["tcp/22"]},
    "starts_at_boot": True,
}


@pytest.mark.parametrize(
    "drift",
    [
        ["nft", "flush", "ruleset"],
        ["systemctl", "disable", "--now", "nftables.service"],
        ["nft", "insert", "rule", "inet", "filter", "input", "tcp", "dport", "23", "accept"],
    ],
    ids=["flushed", "disabled", "another port open"],
)
def test_firewall(guest: Guest, drift: list[str]) -> None:
    guest.run(*drift)
    ports = {"open_ports": ["tcp/22"]}
    assert healed(apply(guest, "RB-FW-001", "LNX-NET-001", FIREWALL, params=ports))
    rules = guest.run("nft", "list", "ruleset").stdout
    assert "tcp dport 22 accept" in rules
    assert "dport 23" not in rules
    assert guest.run("systemctl", "is-enabled", "nftables.service").stdout.strip() == "enabled"
    assert guest.ssh("id", "-un").strip() == "clinicadmin"


def test_a_firewall_that_does_not_help_is_put_back_as_it_was(guest: Guest) -> None:
    guest.run("nft", "insert", "rule", "inet", "filter", "input", "tcp", "dport", "23", "accept")
    guest.run("systemctl", "disable", "nftables.service")
    rules = guest.run("nft", "-s", "list", "ruleset").stdout
    file = guest.read("/etc/nftables.conf")
    impossible = FIREWALL | {"open_ports": {"contains_all": ["tcp/9999"]}}
    ports = {"open_ports": ["tcp/22"]}
    report = apply(guest, "RB-FW-001", "LNX-NET-001", impossible, params=ports)
    assert (report["result"], report["rollback"]) == ("rolled_back", "verified"), report
    assert guest.run("nft", "-s", "list", "ruleset").stdout == rules
    assert guest.read("/etc/nftables.conf") == file
    state = guest.run("systemctl", "is-enabled", "nftables.service", check=False).stdout
    assert state.strip() == "disabled"


def test_stopped_and_masked_time_synchronisation(guest: Guest) -> None:
    guest.run("systemctl", "stop", "chrony.service")
    guest.run("systemctl", "mask", "chrony.service")
    expect = {"active": True, "starts_at_boot": True, "synchronised": True}
    assert healed(apply(guest, "RB-TIME-001", "LNX-TIME-001", expect))
    assert guest.run("systemctl", "is-active", "chrony.service").stdout.strip() == "active"
    assert guest.run("systemctl", "is-enabled", "chrony.service").stdout.strip() == "enabled"


def test_volatile_journal(guest: Guest) -> None:
    guest.write("/etc/systemd/journald.conf.d/99-drift.conf", "[Journal]\nStorage=volatile\n")
    guest.run("rm", "-rf", "/var/log/journal")
    guest.run("systemctl", "restart", "systemd-journald.service")
    guest.run("logger", "while in memory")
    expect = {"writes_to": "disk", "storage": "persistent", "max_use_mib": {"at_least": 64}}
    assert healed(apply(guest, "RB-LOG-001", "LNX-LOG-001", expect))
    guest.run("logger", "after the fix")
    guest.run("journalctl", "--sync")
    kept = guest.run("journalctl", "--directory=/var/log/journal", "--output=cat").stdout
    assert {"while in memory", "after the fix"} <= set(kept.splitlines())


def test_a_crashed_service(guest: Guest) -> None:
    guest.run("systemctl", "kill", "--signal=KILL", "clinic-bridge.service")
    guest.until("systemctl", "is-failed", "clinic-bridge.service")
    unit = {"unit": "clinic-bridge.service"}
    report = apply(
        guest, "RB-SERVICE-001", "LNX-AVL-002", {"active_state": "active"}, params=unit, given=unit
    )
    assert healed(report)
    guest.run("curl", "-sk", "https://127.0.0.1:8443/")


def test_a_world_readable_secret(guest: Guest) -> None:
    secret = "/etc/restic/nightly.password"
    guest.run("chmod", "0644", secret)
    guest.run("chown", "1000:1000", secret)
    params = {"path": secret, "mode": "0600", "uid": 0, "gid": 0}
    expect = {"mode": "0600", "uid": 0, "gid": 0}
    given = {"path": secret}
    assert healed(apply(guest, "RB-FILE-001", "LNX-FILE-001", expect, params=params, given=given))
    assert guest.run("stat", "-c", "%a %u %g", secret).stdout.strip() == "600 0 0"


def test_kernel_parameter(guest: Guest) -> None:
    guest.run("sysctl", "-w", "net.ipv4.tcp_syncookies=0")
    params = {"name": "syncookies", "settings": ["net.ipv4.tcp_syncookies=1"]}
    given = {"name": "net.ipv4.tcp_syncookies"}
    assert healed(
        apply(guest, "RB-SYSCTL-001", "LNX-SYSCTL-001", {"number": 1}, params=params, given=given)
    )
    assert guest.read("/proc/sys/net/ipv4/tcp_syncookies") == "1\n"
    guest.run("sysctl", "-w", "net.ipv4.tcp_syncookies=0")
    guest.run("systemctl", "restart", "systemd-sysctl.service")
    assert guest.read("/proc/sys/net/ipv4/tcp_syncookies") == "1\n"


def test_a_kernel_parameter_that_may_not_be_written_leaves_nothing_behind(guest: Guest) -> None:
    other = "0" if guest.read("/proc/sys/kernel/kptr_restrict").strip() != "0" else "1"
    params = {
        "name": "kptr",
        "settings": ["net.ipv4.tcp_syncookies=2", f"kernel.kptr_restrict={other}"],
    }
    given = {"name": "net.ipv4.tcp_syncookies"}
    report = apply(
        guest, "RB-SYSCTL-001", "LNX-SYSCTL-001", {"number": 2}, params=params, given=given
    )
    assert (report["result"], report["rollback"]) == ("rolled_back", "verified"), report
    assert guest.read("/proc/sys/net/ipv4/tcp_syncookies") == "1\n"
    assert guest.run("ls", "/etc/sysctl.d").stdout.find("kptr") == -1


def test_a_full_disk_on_a_small_mount(guest: Guest) -> None:
    guest.run("mkdir", "-p", "/srv/scratch")
    guest.run("mount", "-t", "tmpfs", "-o", "size=4M", "tmpfs", "/srv/scratch")
    guest.write("/etc/tmpfiles.d/scratch.conf", "e /srv/scratch - - - 0\n")
    guest.run("head", "-c", "4000000", "/dev/zero", check=False)
    guest.run("sh", "-c", "head -c 4000000 /dev/zero > /srv/scratch/old")
    mount = {"path": "/srv/scratch"}
    assert healed(
        apply(
            guest,
            "RB-DISK-001",
            "LNX-AVL-001",
            {"free_percent": {"at_least": 20}},
            params={"mount": "/srv/scratch", "journal_cap_mib": 16},
            given=mount,
        )
    )
    assert guest.run("ls", "/srv/scratch").stdout == ""
    assert guest.run("ls", "/srv/clinic").stdout.count("procedure") == 8


CERTIFICATE = {"path": "/etc/ssl/clinic/portal.crt", "key": "/etc/ssl/clinic/portal.key"}


def expire(guest: Guest) -> None:
    guest.run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-days", "1", "-subj", "/CN=portal.clinic.example",
        "-keyout", CERTIFICATE["key"], "-out", CERTIFICATE["path"],
    )  # fmt: skip
    guest.run("systemctl", "reload", "clinic-bridge.service")


SERVED = "echo | openssl s_client -connect 127.0.0.1:8443 2>/dev/null | openssl x509 -noout -dates"


def test_a_certificate_about_to_expire(guest: Guest) -> None:
    expire(guest)
    params = CERTIFICATE | {
        "renew_unit": "acme-portal.service",
        "reload_unit": "clinic-bridge.service",
    }
    served = guest.run("sh", "-c", SERVED).stdout
    expect = {"days_left": {"at_least": 21}}
    assert healed(
        apply(guest, "RB-CERT-001", "LNX-TLS-001", expect, params=params, given=CERTIFICATE)
    )
    assert guest.run("sh", "-c", SERVED).stdout != served


def test_a_certificate_whose_renewal_fails_is_left_as_it_was(guest: Guest) -> None:
    expire(guest)
    guest.write(
        "/usr/local/lib/clinic/renew-portal",
        "#!/bin/sh\nrm /etc/ssl/clinic/portal.key\nexit 1\n",
        0o755,
    )
    key = guest.run("sha256sum", CERTIFICATE["key"]).stdout
    params = CERTIFICATE | {
        "renew_unit": "acme-portal.service",
        "reload_unit": "clinic-bridge.service",
    }
    expect = {"days_left": {"at_least": 21}}
    report = apply(guest, "RB-CERT-001", "LNX-TLS-001", expect, params=params, given=CERTIFICATE)
    assert report["result"] == "failed", report
    assert guest.run("sha256sum", CERTIFICATE["key"]).stdout == key
    assert guest.run("stat", "-c", "%a", CERTIFICATE["key"]).stdout.strip() == "600"


RESTIC = {
    "repository": "/var/backups/restic-nightly",
    "password_file": "/etc/restic/nightly.password",
}
JOB = RESTIC | {"job": "nightly", "unit": "restic-backups-nightly.service"}
LIST = [
    "restic",
    "-r",
    RESTIC["repository"],
    "--password-file",
    RESTIC["password_file"],
    "--no-cache",
]


def test_a_missing_backup(guest: Guest) -> None:
    guest.run(*LIST, "forget", "--tag", "nightly", "--keep-last", "1", "--prune", "--host", "x")
    guest.run("sh", "-c", f"{' '.join(LIST)} list snapshots | xargs {' '.join(LIST)} forget")
    guest.run("systemctl", "stop", "restic-backups-nightly.timer")
    params = RESTIC | {"unit": JOB["unit"]}
    expect = {"snapshot_age_h": {"at_most": 26}, "timer_active": True, "unit_result": "success"}
    assert healed(apply(guest, "RB-BACKUP-001", "LNX-BKP-001", expect, params=params, given=JOB))
    assert "1 snapshots" in guest.run(*LIST, "snapshots").stdout
    timer = guest.run("systemctl", "is-active", "restic-backups-nightly.timer")
    assert timer.stdout.strip() == "active"


def test_a_restore_is_proven(guest: Guest) -> None:
    params = RESTIC | {"job": "nightly", "sample_percent": 100, "max_minutes": 2}
    expect = {"age_h": {"at_most": 1}, "files": {"at_least": 9}}
    given = {"job": "nightly"}
    assert healed(apply(guest, "RB-RESTORE-001", "LNX-BKP-002", expect, params=params, given=given))
    record = json.loads(guest.read("/var/lib/reconciler/restore-tests/nightly.json"))
    assert record["files"] >= 9
    assert guest.run("ls", "/var/lib/reconciler/scratch").stdout == ""


def test_a_broken_backup_proves_nothing(guest: Guest) -> None:
    pack = "find /var/backups/restic-nightly/data -type f -size +4k | head -1"
    guest.run(
        "sh", "-c", f"f=$({pack}); chmod u+w $f; printf x | dd of=$f bs=1 seek=2000 conv=notrunc"
    )
    params = RESTIC | {"job": "nightly", "sample_percent": 100, "max_minutes": 2}
    expect = {"age_h": {"at_most": 1}}
    given = {"job": "nightly"}
    report = apply(guest, "RB-RESTORE-001", "LNX-BKP-002", expect, params=params, given=given)
    assert report["result"] == "failed", report
    missing = guest.run("ls", "/var/lib/reconciler/restore-tests", check=False)
    assert "nightly" not in missing.stdout


@pytest.mark.parametrize(
    ("runbook", "amount", "shown"),
    [
        ("RB-CPU-001", {"cpu_percent": 30}, "CPUQuotaPerSecUSec=300ms"),
        ("RB-MEM-001", {"memory_high_mib": 256}, "MemoryHigh=268435456"),
    ],
)
def test_a_limit_is_set_and_taken_back_when_it_does_not_help(
    guest: Guest, runbook: str, amount: dict[str, int], shown: str
) -> None:
    """By a rule on the service itself: no test should have to wait for pressure."""
    unit = {"unit": "clinic-bridge.service"}
    name = shown.partition("=")[0]
    order: dict[str, Any] = {"params": unit | amount, "given": unit, "settle_s": 0}
    never = apply(guest, runbook, "LNX-AVL-002", {"active_state": "inactive"}, **order)
    assert never["result"] in {"rolled_back", "failed"}, never
    assert all(ok for step in never["steps"].values() for ok, _reason, _ms in step), never
    after = guest.run("systemctl", "show", "-p", name, unit["unit"]).stdout.strip()
    assert after == f"{name}=infinity"
    good = apply(guest, runbook, "LNX-AVL-002", {"active_state": "active"}, **order)
    assert good["result"] == "healed", good
    assert guest.run("systemctl", "show", "-p", name, unit["unit"]).stdout.strip() == shown


STRANGER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICscorPsvNg/E3ZYdf+6ZLcWEV9OpPTVKI+kWqInSU27"
ACCESS = "/etc/passwd /etc/shadow /etc/ssh/authorized_keys.d/clinicadmin"


def break_in(guest: Guest) -> dict[str, Any]:
    """A stranger with an account, and with a key in the administrator's own file."""
    declared = guest.run("ssh-keygen", "-lf", "/etc/ssh/authorized_keys.d/clinicadmin").stdout
    guest.run("useradd", "--create-home", "--shell", "/bin/bash", "mallory")
    guest.run("sh", "-c", f"echo '{STRANGER}' >> /etc/ssh/authorized_keys.d/clinicadmin")
    people = {"accounts": ["clinicadmin"], "admins": ["clinicadmin"]}
    return people | {"keys": [declared.split()[1]]}


def facts(guest: Guest) -> str:
    return guest.run("sh", "-c", f"sha256sum {ACCESS}; stat -c '%a %u %g' {ACCESS}").stdout


def test_access_that_nobody_declared_is_taken_away(guest: Guest) -> None:
    params = break_in(guest)
    expect = {"accounts": {"same_set": ["clinicadmin"]}, "uid_zero": 1}
    assert healed(apply(guest, "RB-KEYS-001", "LNX-AUTH-003", expect, params=params))
    keys = guest.run("ssh-keygen", "-lf", "/etc/ssh/authorized_keys.d/clinicadmin").stdout
    assert keys.count("SHA256:") == 1
    assert "Account expires" in (aging := guest.run("chage", "--list", "mallory").stdout)
    assert "1970" in aging
    assert guest.run("test", "-d", "/home/mallory").returncode == 0
    assert guest.ssh("id", "-un").strip() == "clinicadmin"


def test_access_is_given_back_byte_for_byte_when_it_was_not_what_was_wrong(guest: Guest) -> None:
    params = break_in(guest)
    before = facts(guest)
    never = {"accounts": {"same_set": ["somebody-else"]}}
    report = apply(guest, "RB-KEYS-001", "LNX-AUTH-003", never, params=params)
    assert (report["result"], report["rollback"]) == ("rolled_back", "verified"), report
    assert all(ok for step in report["steps"].values() for ok, _reason, _ms in step), report
    assert facts(guest) == before


def test_a_declared_administrator_is_never_locked_out(guest: Guest) -> None:
    params = break_in(guest) | {"admins": ["clinicadmin", "drnobody"]}
    before = facts(guest)
    expect = {"accounts": {"same_set": ["clinicadmin"]}}
    report = apply(guest, "RB-KEYS-001", "LNX-AUTH-003", expect, params=params)
    able, roster = report["prechecks"]
    assert (able["status"], able["failed"]) == ("fail", ["unable"])
    assert roster["status"] == "pass"
    # No guard stood before it here; what it looks at afterwards takes it back all the same.
    assert (report["result"], report["rollback"]) == ("rolled_back", "verified"), report
    assert "LNX-AUTH-007 is fail" in report["reason"]
    assert facts(guest) == before
