"""Drift that a machine must not put right: the trace of an intrusion, or somebody's decision."""

from tests.support.drifts import Drift

# Whose private key was thrown away.
STRANGERS_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICscorPsvNg/E3ZYdf+6ZLcWEV9OpPTVKI+kWqInSU27"
STRANGERS_PRINT = "SHA256:re0dLarMyoAVWSZIDTiif0vckbh4BfUKrq53wGq9MGY"

FOUND = (
    Drift(
        "undeclared program listens to the network",
        "systemd-run --quiet --unit=stray python3 -m http.server 9999;"
        " until ss -Htln 'sport = 9999' | grep -q .; do sleep 0.05; done",
        {"sockets-declared": {"listening": ["tcp/22", "tcp/9999"]}},
        "! ss -Htln 'sport = 9999' | grep -q .",
        undo="systemctl stop stray.service",
    ),
    Drift(
        "undeclared user with a key",
        "useradd --create-home mallory;"
        f" echo '{STRANGERS_KEY}' > /etc/ssh/authorized_keys.d/mallory",
        {
            "accounts-declared": {"accounts": ["clinicadmin", "mallory"]},
            "ssh-keys-declared": {"fingerprints": [STRANGERS_PRINT]},
        },
        "! getent passwd mallory; test ! -e /etc/ssh/authorized_keys.d/mallory",
        undo="userdel --remove mallory; rm /etc/ssh/authorized_keys.d/mallory",
    ),
    Drift(
        "undeclared key for root",
        f"echo '{STRANGERS_KEY}' > /etc/ssh/authorized_keys.d/root",
        {"ssh-keys-declared": {"fingerprints": [STRANGERS_PRINT]}},
        "test ! -e /etc/ssh/authorized_keys.d/root",
        undo="rm /etc/ssh/authorized_keys.d/root",
    ),
    Drift(
        "second account with the rights of root",
        "useradd --non-unique --uid 0 --no-create-home toor",
        {"accounts-declared": {"uid_zero": 2, "duplicate_uids": [0]}},
        "test \"$(awk -F: '$3 == 0' /etc/passwd | wc -l)\" = 1",
        undo="sed -i /^toor:/d /etc/passwd /etc/shadow",
    ),
    Drift(
        "sudo without a password",
        "echo 'clinicadmin ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/vendor",
        {"sudo-password": {"nopasswd": ["clinicadmin"]}},
        "! sudo -l -U clinicadmin | grep -q NOPASSWD",
        undo="rm /etc/sudoers.d/vendor",
    ),
    Drift(
        "password for root",
        "echo root:correct-horse | chpasswd",
        {"root-password-locked": {"root_locked": False}},
        "passwd --status root | grep -q '^root L '",
        undo="passwd --quiet --lock root",
    ),
    Drift(
        "memory of a crashed program kept",
        "install -d /var/lib/systemd/coredump; touch /var/lib/systemd/coredump/core.portal.0.1",
        {"no-core-dumps": {"dumps": 1}},
        'test -z "$(ls -A /var/lib/systemd/coredump)"',
        undo="rm /var/lib/systemd/coredump/core.portal.0.1",
    ),
    Drift(
        "idle sessions never end",
        "mv /etc/systemd/logind.conf.d/10-clinic.conf /root/; systemctl restart systemd-logind",
        {"idle-sessions": {"idle_limit_s": None}},
        "busctl get-property org.freedesktop.login1 /org/freedesktop/login1"
        " org.freedesktop.login1.Manager StopIdleSessionUSec | grep -qx 't 900000000'",
        undo="mv /root/10-clinic.conf /etc/systemd/logind.conf.d/;"
        " systemctl restart systemd-logind",
    ),
    Drift(
        "accounts do not lock",
        "pam-auth-update --disable faillock faillock-preauth",
        {
            "account-lockout": {
                "services_without": ["login", "sshd"],
                "deny": None,
                "fail_interval_s": None,
            }
        },
        "grep -q 'pam_faillock.so authfail' /etc/pam.d/common-auth",
        undo="pam-auth-update --enable faillock faillock-preauth",
    ),
    Drift(
        "undeclared unit failed",
        "systemd-run --quiet --unit=stray false;"
        " until systemctl is-failed --quiet stray; do sleep 0.05; done",
        {"no-failed-units": {"failed_count": 1}},
        "systemctl is-system-running --quiet",
        undo="systemctl reset-failed stray.service",
    ),
    Drift(
        "somebody guesses passwords",
        "seq 24 | xargs -P 4 -I N sh -c 'ssh -o BatchMode=yes -o StrictHostKeyChecking=no"
        " guestN@127.0.0.1 2> /dev/null || true'",
        {"failed-logins": {"worst_source": 24}},
        "journalctl --sync;"
        " test \"$(journalctl --unit=ssh --since=-1h | grep -c 'Invalid user')\" -le 20",
        undo="journalctl --sync; journalctl --rotate; journalctl --vacuum-time=1s",
    ),
)
"""Each is found and left to people."""
