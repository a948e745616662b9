"""Ways in which a clinic's machine goes wrong, each done with the commands that people have.

A proof is a shell script that knows nothing of this project: it asks systemd, sshd, the kernel,
OpenSSL or restic. It must say no while the drift is there and yes once it is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.guest import Guest

RESTIC = {
    "HOME": "/root",
    "RESTIC_REPOSITORY": "/var/backups/restic-nightly",
    "RESTIC_PASSWORD_FILE": "/etc/restic/nightly.password",
}


@dataclass(frozen=True)
class Drift:
    """One way to go wrong.

    Attributes:
        name: For people.
        inject: Script that breaks it, in the guest, as root.
        found: By rule: the fields that must be judged wrong, with the value that must be seen.
        heals: Runbooks that put it right, in the order of the plan; none where people must.
        proof: Script that succeeds when all is well.
        undo: Script that takes it back, where no runbook does.
    """

    name: str
    inject: str
    found: Mapping[str, Mapping[str, Any]]
    proof: str
    heals: tuple[str, ...] = ()
    undo: str = "false"

    def begin(self, guest: Guest) -> None:
        """Break it."""
        shell(guest, self.inject)

    def gone(self, guest: Guest) -> bool:
        """Whether the proof says that all is well."""
        command = ("sh", "-eu", "-c", self.proof)
        return guest.run(*command, env=RESTIC, check=False, timeout=120).returncode == 0


def shell(guest: Guest, script: str, timeout: float = 120) -> str:
    """Run a script in the guest; any command of it that fails is a failure."""
    return guest.run("bash", "-euo", "pipefail", "-c", script, env=RESTIC, timeout=timeout).stdout


def _sshd(settings: str) -> str:
    """What a vendor's installer does: a drop-in file that is read first."""
    return f"printf '{settings}' > /etc/ssh/sshd_config.d/05-vendor.conf; systemctl reload ssh"


_FIREWALL_PROOF = """
nft list chain inet filter input > /tmp/chain
grep -q 'policy drop' /tmp/chain
grep -q 'tcp dport 22 accept' /tmp/chain
test "$(grep -c dport /tmp/chain)" = 1
systemctl is-enabled --quiet nftables.service
"""
_PORTAL_PROOF = """
systemctl is-active --quiet clinic-bridge.service
curl --silent --fail --cacert /etc/ssl/clinic/ca.crt https://portal.clinic.example:8443/ \
  --resolve portal.clinic.example:8443:127.0.0.1
"""

HEALED = (
    Drift(
        "time daemon stopped and masked",
        "systemctl disable --now chrony.service; systemctl mask chrony.service",
        {
            "time-synchronised": {
                "active": False,
                "starts_at_boot": False,
                "active_daemons": 0,
                "synchronised": False,
                "offset_us": None,
            }
        },
        "systemctl is-active --quiet chrony; systemctl is-enabled --quiet chrony;"
        " chronyc -c tracking | grep -q ',Normal$'",
        heals=("RB-TIME-001",),
    ),
    Drift(
        "root may log in over ssh",
        _sshd("PermitRootLogin yes\\n"),
        {"ssh-root-login": {"permitrootlogin": "yes"}},
        "sshd -T | grep -qx 'permitrootlogin no'",
        heals=("RB-SSH-001",),
    ),
    Drift(
        "passwords open ssh",
        _sshd("PasswordAuthentication yes\\nKbdInteractiveAuthentication yes\\n"),
        {"ssh-password-login": {"passwordauthentication": "yes", "password_suffices": True}},
        # The server itself says by which methods it can be entered.
        "ssh -o StrictHostKeyChecking=no -o PreferredAuthentications=none nobody@127.0.0.1 2>&1"
        " | grep -qF 'Permission denied (publickey).'",
        heals=("RB-SSH-001",),
    ),
    Drift(
        "ssh offers broken algorithms",
        _sshd("Ciphers aes128-cbc,aes256-ctr\\nMACs hmac-md5,hmac-sha2-256\\n"),
        {
            "ssh-algorithms": {
                "ciphers": ["aes128-cbc", "aes256-ctr"],
                "macs": ["hmac-md5", "hmac-sha2-256"],
            }
        },
        "! ssh -vv -o StrictHostKeyChecking=no -o PreferredAuthentications=none nobody@127.0.0.1"
        " 2>&1 | grep -E 'debug2: (ciphers|MACs) stoc' | tail -n 2 | grep -E 'cbc|md5'",
        heals=("RB-SSH-001",),
    ),
    Drift(
        "ssh logs nothing and keeps dead sessions",
        _sshd("LogLevel QUIET\\nClientAliveCountMax 0\\n"),
        {
            # sshd knows one level by two names and answers with the older one.
            "ssh-log-level": {"loglevel": "SILENT"},
            "ssh-dead-sessions": {"clientalivecountmax": 0},
        },
        "sshd -T > /tmp/sshd; grep -qx 'loglevel VERBOSE' /tmp/sshd;"
        " grep -qx 'clientalivecountmax 1' /tmp/sshd",
        heals=("RB-SSH-001",),
    ),
    Drift(
        "backup password readable by everybody",
        "chmod 0644 /etc/restic/nightly.password",
        {"secret-files-private[restic-password]": {"mode": "0644"}},
        "test \"$(stat -c '%a %u %g' /etc/restic/nightly.password)\" = '600 0 0'",
        heals=("RB-FILE-001",),
    ),
    Drift(
        "key of the authority given to another user",
        "chown clinicadmin:clinicadmin /etc/ssl/clinic/ca.key",
        {"secret-files-private[authority-key]": {"uid": 1000, "gid": 1000}},
        "test \"$(stat -c '%a %u %g' /etc/ssl/clinic/ca.key)\" = '600 0 0'",
        heals=("RB-FILE-001",),
    ),
    Drift(
        "firewall flushed",
        "nft flush ruleset",
        {"firewall": {"backend": "none", "ipv4_input": "none", "ipv6_input": "none"}},
        _FIREWALL_PROOF,
        heals=("RB-FW-001",),
    ),
    Drift(
        "firewall service stopped and disabled",
        "systemctl disable --now nftables.service",
        {
            "firewall": {
                "backend": "none",
                "ipv4_input": "none",
                "ipv6_input": "none",
                "starts_at_boot": False,
            }
        },
        _FIREWALL_PROOF,
        heals=("RB-FW-001",),
    ),
    Drift(
        "firewall opened for remote desktop",
        "nft add rule inet filter input tcp dport 3389 accept",
        {"firewall": {"open_ports": ["tcp/22", "tcp/3389"]}},
        _FIREWALL_PROOF,
        heals=("RB-FW-001",),
    ),
    Drift(
        "kernel follows redirects and drops its flood protection",
        "printf 'net.ipv4.conf.all.accept_redirects=1\\nnet.ipv4.tcp_syncookies=0\\n'"
        " > /etc/sysctl.d/99-vendor.conf; systemctl restart systemd-sysctl.service",
        {
            "sysctl-accept-redirects": {"number": 1},
            "sysctl-syncookies": {"number": 0},
        },
        # Applied anew, as at a boot: the vendor's file is still there.
        "/lib/systemd/systemd-sysctl;"
        ' test "$(sysctl -n net.ipv4.conf.all.accept_redirects net.ipv4.tcp_syncookies)" = "0\n1"',
        heals=("RB-SYSCTL-001", "RB-SYSCTL-001"),
    ),
    Drift(
        "disk full of old print previews",
        "head -c 7M /dev/zero > /var/cache/clinic/previews/a; touch -d '-3 days'"
        " /var/cache/clinic/previews/a",
        {"disk-space[previews]": {"free_percent": 12}},
        'test "$(stat -f -c %a /var/cache/clinic)" -gt 1024',
        heals=("RB-DISK-001",),
    ),
    Drift(
        "certificate expired",
        "cd /etc/ssl/clinic; openssl req -new -key portal.key -subj /CN=portal.clinic.example"
        " | openssl x509 -req -CA ca.crt -CAkey ca.key -days -1 -sha256 -out portal.crt;"
        " systemctl reload clinic-bridge; sleep 1",
        # A day and a second ago: of its second day after the end, none is whole.
        {"certificate-valid[portal]": {"days_left": -2, "in_force": False}},
        "openssl s_client -connect 127.0.0.1:8443 -CAfile /etc/ssl/clinic/ca.crt"
        " -verify_return_error < /dev/null > /tmp/served"
        " && openssl x509 -noout -checkend 1814400 < /tmp/served",
        heals=("RB-CERT-001",),
    ),
    Drift(
        "critical service crashed",
        "systemctl kill --signal=KILL clinic-bridge.service;"
        " until systemctl is-failed --quiet clinic-bridge.service; do sleep 0.05; done",
        {
            "units-running[portal]": {"active_state": "failed"},
            "no-failed-units": {"failed_count": 1},
        },
        _PORTAL_PROOF,
        heals=("RB-SERVICE-001",),
    ),
    Drift(
        "critical service stopped",
        "systemctl stop clinic-bridge.service",
        {"units-running[portal]": {"active_state": "inactive"}},
        _PORTAL_PROOF,
        heals=("RB-SERVICE-001",),
    ),
    Drift(
        "journal kept in memory only",
        "printf '[Journal]\\nStorage=volatile\\n' > /etc/systemd/journald.conf.d/50-vendor.conf;"
        " rm -rf /var/log/journal; systemctl restart systemd-journald.service",
        {
            "journal-persistent": {
                "writes_to": "memory",
                "storage": "volatile",
                "newest_age_min": None,
            }
        },
        "logger 'written to disk'; journalctl --sync;"
        " journalctl --directory=/var/log/journal --quiet | grep -q 'written to disk'",
        heals=("RB-LOG-001",),
    ),
    Drift(
        "only an old backup, a dead lock, no timer",
        "restic --no-cache --quiet forget --prune $(restic --no-cache list snapshots);"
        " restic --no-cache --quiet backup --time \"$(date -d '-5 days' '+%F %T')\" /srv/clinic;"
        " restic --no-cache check > /dev/null & check=$!;"
        " until ls /var/backups/restic-nightly/locks | grep -q .; do sleep 0.05; done;"
        " kill -KILL $check; systemctl stop restic-backups-nightly.timer",
        {"backup-recent[nightly]": {"snapshot_age_h": 120, "timer_active": False}},
        'restic --no-cache snapshots --json --latest 1 | grep -qF "\\"time\\":\\"$(date +%F)";'
        " systemctl is-active --quiet restic-backups-nightly.timer;"
        ' test -z "$(ls /var/backups/restic-nightly/locks)"',
        heals=("RB-BACKUP-001",),
    ),
    Drift(
        "restore not tested for ten days",
        "cd /var/lib/reconciler/restore-tests;"
        ' sed -i "s/\\"finished_at\\": [0-9]*/\\"finished_at\\": $(date -d \'-10 days\' +%s)/"'
        " nightly.json",
        {"restore-proven[nightly]": {"age_h": 240}},
        "proof=/var/lib/reconciler/restore-tests/nightly.json;"
        " finished=$(grep -o 'finished_at\": [0-9]*' $proof | cut -d' ' -f2);"
        ' test "$finished" -ge "$(date -d "-1 hour" +%s)";'
        " restic --no-cache list snapshots | grep -qF \"$(grep -o '[0-9a-f]\\{64\\}' $proof)\"",
        heals=("RB-RESTORE-001",),
    ),
)
"""Each heals within one run."""
