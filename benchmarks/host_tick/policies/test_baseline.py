"""The baseline for pytest-testinfra; the name of a test is the id of a rule."""

import re

import pytest


@pytest.fixture(scope="module")
def sshd(host):
    return set(host.check_output("sshd -T").splitlines())


def says(sshd, pattern):
    return any(re.fullmatch(pattern, line) for line in sshd)


def test_ssh_root_login(sshd):
    assert "permitrootlogin no" in sshd


def test_ssh_password_login(sshd):
    off = {
        "passwordauthentication no",
        "permitemptypasswords no",
        "kbdinteractiveauthentication no",
    }
    assert off <= sshd


def test_ssh_algorithms(sshd):
    assert says(sshd, r"ciphers @CIPHERS@")
    assert says(sshd, r"macs @MACS@")
    assert says(sshd, r"kexalgorithms @KEX@")


def test_ssh_dead_sessions(sshd):
    assert "clientalivecountmax 1" in sshd
    assert says(sshd, r"clientaliveinterval ([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600)")


def test_ssh_log_level(sshd):
    assert "loglevel VERBOSE" in sshd


def test_ssh_second_factor(sshd):
    assert says(sshd, r"authenticationmethods .*,.*")


def test_account_lockout(host):
    pam = host.file("/etc/pam.d/common-auth").content_string
    assert re.search(r"(?m)^auth.*pam_faillock.so\s+preauth", pam)
    assert re.search(r"(?m)^auth.*pam_faillock.so\s+authfail", pam)
    conf = host.file("/etc/security/faillock.conf").content_string
    assert re.search(r"(?m)^deny *= *[1-3]$", conf)
    assert re.search(r"(?m)^fail_interval *= *[1-9][0-9]{0,2}$", conf)


def test_accounts_declared(host):
    lines = [line.split(":") for line in host.file("/etc/passwd").content_string.splitlines()]
    people = sorted(f[0] for f in lines if f[2] == "0" or 1000 <= int(f[2]) < 65534)
    assert people == ["clinicadmin", "root"]


def test_ssh_keys_declared(host):
    assert host.file("/etc/ssh/authorized_keys.d").listdir() == ["clinicadmin"]
    assert host.file("/etc/ssh/authorized_keys.d/clinicadmin").sha256sum == "@KEY_SHA256@"


def test_root_password_locked(host):
    shadow = host.file("/etc/shadow").content_string
    assert re.search(r"(?m)^root:[!*]", shadow)
    assert not re.search(r"(?m)^[^:]*::", shadow)


def test_sudo_password(host):
    own = host.file("/etc/sudoers.d/clinic").content_string
    assert "NOPASSWD" not in own + host.file("/etc/sudoers").content_string
    assert re.search(r"(?m)timestamp_timeout=[0-5]$", own)


@pytest.mark.parametrize("path", ["/etc/restic/nightly.password", "/etc/ssl/clinic/portal.key"])
def test_secret_files_private(host, path):
    file = host.file(path)
    assert file.is_file
    assert (file.mode, file.uid, file.gid) == (0o600, 0, 0)


def test_debian_release_supported(host):
    release = host.file("/etc/os-release").content_string
    assert re.search(r"(?m)^ID=debian$", release)
    assert re.search(r'(?m)^VERSION_ID="(12|13)"$', release)


def test_anti_malware(host):
    assert host.service("clamav-daemon").is_running
    assert host.service("clamav-freshclam").is_running


def test_kernel_hardening(host):
    assert host.sysctl("kernel.kptr_restrict") >= 1
    assert host.sysctl("kernel.randomize_va_space") == 2
    assert host.sysctl("net.ipv4.tcp_syncookies") >= 1
    assert host.sysctl("kernel.dmesg_restrict") >= 1


def test_sysctl_syncookies(host):
    assert host.sysctl("net.ipv4.tcp_syncookies") >= 1


def test_sysctl_accept_redirects(host):
    assert host.sysctl("net.ipv4.conf.all.accept_redirects") == 0


def test_sysctl_send_redirects(host):
    assert host.sysctl("net.ipv4.conf.all.send_redirects") == 0


def test_sysctl_protected_symlinks(host):
    assert host.sysctl("fs.protected_symlinks") == 1


def test_no_core_dumps(host):
    assert host.file("/etc/systemd/coredump.conf.d/10-clinic.conf").contains("^Storage=none")
    assert host.file("/etc/systemd/system.conf.d/10-clinic.conf").contains("^DefaultLimitCORE=0")
    assert host.run("ls /var/lib/systemd/coredump/*").rc == 2


def test_idle_sessions(host):
    conf = host.file("/etc/systemd/logind.conf.d/10-clinic.conf").content_string
    assert re.search(r"(?m)^StopIdleSessionSec=([1-9][0-9]?|[1-8][0-9]{2}|900)$", conf)


def test_firewall(host):
    chain = host.check_output("nft list chain inet filter input")
    assert "policy drop;" in chain
    assert [line.strip() for line in chain.splitlines() if "dport" in line] == [
        "tcp dport 22 accept"
    ]
    assert host.service("nftables").is_enabled


def test_sockets_declared(host):
    fields = [line.split() for line in host.check_output("ss -Hltun").splitlines()]
    everywhere = {(f[0], f[4]) for f in fields if not f[4].startswith(("127.", "[::1]"))}
    assert everywhere == {("tcp", "0.0.0.0:22"), ("tcp", "[::]:22")}


def test_journal_persistent(host):
    conf = host.file("/etc/systemd/journald.conf.d/10-clinic.conf").content_string
    assert re.search(r"(?m)^Storage=persistent$", conf)
    assert re.search(r"(?m)^SystemMaxUse=(6[4-9]|[7-9][0-9]|[0-9]{3,})M$", conf)
    assert host.check_output("find /var/log/journal -name system.journal -mmin -60")


def test_time_synchronised(host):
    assert host.service("chrony").is_running
    assert host.service("chrony").is_enabled
    assert re.search(r"(?m)^Leap status +: Normal$", host.check_output("chronyc -n tracking"))
    sources = host.check_output("chronyc -n -c sources").splitlines()
    assert sum(line.split(",")[5] != "0" for line in sources) >= 3


def test_certificate_valid(host):
    ends = "openssl x509 -checkend 1814400 -noout -in /etc/ssl/clinic/portal.crt"
    assert host.run(ends).rc == 0
    assert host.file("/etc/ssl/clinic/portal.key").mode in {0o600, 0o640, 0o400, 0o440}


def test_disk_space(host):
    assert int(host.check_output("df --output=pcent / | tail -n 1 | tr -dc 0-9")) <= 90
    assert int(host.check_output("df --output=ipcent / | tail -n 1 | tr -dc 0-9")) <= 90


@pytest.mark.parametrize("unit", ["ssh", "chrony", "nftables", "clinic-bridge", "systemd-journald"])
def test_units_running(host, unit):
    assert host.service(unit).is_running


def test_no_failed_units(host):
    assert host.check_output("systemctl --failed --plain --no-legend") == ""


def test_failed_logins(host):
    log = host.check_output("journalctl --unit=ssh --since=-1h --quiet --no-pager --output=cat")
    assert len(re.findall(r"(?m)^Failed", log)) <= 100


def test_cpu_pressure(host):
    pressure = host.file("/proc/pressure/cpu").content_string
    assert float(re.search(r"some .*avg300=([0-9.]+)", pressure)[1]) <= 80


def test_memory_pressure(host):
    pressure = host.file("/proc/pressure/memory").content_string
    assert float(re.search(r"full .*avg60=([0-9.]+)", pressure)[1]) <= 10
