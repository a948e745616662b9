#!/bin/bash
# The baseline as an administrator's first script writes it: a process for every look.
# Prints the id of each rule that fails.
export LC_ALL=C
sshd=$(sshd -T)

rule() { eval "$2" &> /dev/null || echo "FAIL $1"; }
ssh_says() { grep -Exq "$1" <<< "$sshd"; }
sysctl_is() { (($(sysctl -n "$1") $2)); }
running() { systemctl is-active --quiet "$1.service"; }
listening() { ss -Hltun | sed -En 's,^(tcp|udp) .* (0\.0\.0\.0|\*|\[::\]):([0-9]+) .*,\1/\3,p' | sort -u; }
full() { df --output="$1" / | tail -n 1 | tr -dc 0-9; }

rule ssh-root-login 'ssh_says "permitrootlogin no"'
rule ssh-password-login 'ssh_says "passwordauthentication no" && ssh_says "permitemptypasswords no" &&
  ssh_says "kbdinteractiveauthentication no"'
rule ssh-algorithms 'ssh_says "ciphers @CIPHERS@" && ssh_says "macs @MACS@" && ssh_says "kexalgorithms @KEX@"'
rule ssh-dead-sessions 'ssh_says "clientalivecountmax 1" &&
  ssh_says "clientaliveinterval ([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600)"'
rule ssh-log-level 'ssh_says "loglevel VERBOSE"'
rule ssh-second-factor 'ssh_says "authenticationmethods .*,.*"'
rule account-lockout 'grep -Eq "^auth.*pam_faillock.so +preauth" /etc/pam.d/common-auth &&
  grep -Eq "^auth.*pam_faillock.so +authfail" /etc/pam.d/common-auth &&
  grep -Eq "^deny *= *[1-3]$" /etc/security/faillock.conf &&
  grep -Eq "^fail_interval *= *[1-9][0-9]{0,2}$" /etc/security/faillock.conf'
rule accounts-declared '[[ $(awk -F: "\$3 == 0 || \$3 >= 1000 && \$3 < 65534 {print \$1}" /etc/passwd | sort |
  xargs) == "clinicadmin root" ]]'
rule ssh-keys-declared '[[ $(cat /etc/ssh/authorized_keys.d/* | ssh-keygen -lf - | cut -d" " -f2) == "@FINGERPRINT@" ]]'
rule root-password-locked 'grep -q "^root:[!*]" /etc/shadow && ! grep -q "^[^:]*::" /etc/shadow'
rule sudo-password '! grep -rq NOPASSWD /etc/sudoers /etc/sudoers.d &&
  grep -rEq "timestamp_timeout=[0-5]$" /etc/sudoers.d'
for file in /etc/restic/nightly.password /etc/ssl/clinic/portal.key; do
  rule secret-files-private '[[ $(stat -c "%F %a %u %g" $file) == "regular file 600 0 0" ]]'
done
rule debian-release-supported 'grep -q "^ID=debian" /etc/os-release &&
  grep -Eq "^VERSION_ID=\"(12|13)\"" /etc/os-release'
rule anti-malware 'running clamav-daemon && running clamav-freshclam'
rule kernel-hardening 'sysctl_is kernel.kptr_restrict ">= 1" && sysctl_is kernel.randomize_va_space "== 2" &&
  sysctl_is net.ipv4.tcp_syncookies ">= 1" && sysctl_is kernel.dmesg_restrict ">= 1"'
rule sysctl-syncookies 'sysctl_is net.ipv4.tcp_syncookies ">= 1"'
rule sysctl-accept-redirects 'sysctl_is net.ipv4.conf.all.accept_redirects "== 0"'
rule sysctl-send-redirects 'sysctl_is net.ipv4.conf.all.send_redirects "== 0"'
rule sysctl-protected-symlinks 'sysctl_is fs.protected_symlinks "== 1"'
rule no-core-dumps 'grep -rq "^Storage=none" /etc/systemd/coredump.conf.d &&
  grep -rq "^DefaultLimitCORE=0" /etc/systemd/system.conf.d && ! ls /var/lib/systemd/coredump/*'
rule idle-sessions 'grep -Erq "^StopIdleSessionSec=([1-9][0-9]?|[1-8][0-9]{2}|900)$" /etc/systemd/logind.conf.d'
rule firewall 'chain=$(nft list chain inet filter input) && grep -q "policy drop;" <<< "$chain" &&
  [[ $(grep "dport" <<< "$chain" | xargs) == "tcp dport 22 accept" ]] && systemctl is-enabled --quiet nftables.service'
rule sockets-declared '[[ $(listening) == tcp/22 ]]'
rule journal-persistent 'grep -rq "^Storage=persistent" /etc/systemd/journald.conf.d &&
  grep -rEq "^SystemMaxUse=(6[4-9]|[7-9][0-9]|[0-9]{3,})M" /etc/systemd/journald.conf.d &&
  [[ -n $(find /var/log/journal -name system.journal -mmin -60) ]]'
rule time-synchronised 'running chrony && systemctl is-enabled --quiet chrony.service &&
  chronyc -n tracking | grep -Eq "^Leap status +: Normal" && (($(chronyc -n -c sources | cut -d, -f6 | grep -vcx 0) >= 3))'
rule certificate-valid 'openssl x509 -checkend 1814400 -noout -in /etc/ssl/clinic/portal.crt &&
  [[ $(stat -c %a /etc/ssl/clinic/portal.key) =~ ^(600|640|400|440)$ ]]'
rule disk-space '(($(full pcent) <= 90 && $(full ipcent) <= 90))'
for unit in ssh chrony nftables clinic-bridge systemd-journald; do
  rule units-running 'running $unit'
done
rule no-failed-units '[[ -z $(systemctl --failed --plain --no-legend) ]]'
rule failed-logins '(($(journalctl --unit=ssh --since=-1h --quiet --no-pager --output=cat | grep -c "^Failed") <= 100))'
rule cpu-pressure 'awk -F"[ =]" "/^some/ {exit \$7 > 80}" /proc/pressure/cpu'
rule memory-pressure 'awk -F"[ =]" "/^full/ {exit \$5 > 10}" /proc/pressure/memory'
