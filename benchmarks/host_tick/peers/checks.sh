#!/bin/bash
# The baseline as a shell script: what an administrator writes first. Prints the id of each rule that fails.
export LC_ALL=C
config=$(sshd -T)

rule() {
  local id=$1
  shift
  "$@" > /dev/null 2>&1 || echo "FAIL $id"
}
sshd_has() { grep -Exq "$1" <<< "$config"; }
all() { local check; for check; do bash -c "$check" || return 1; done; }
nothing() { [[ -z $("$@") ]]; }

rule ssh-root-login sshd_has 'permitrootlogin no'
rule ssh-password-login eval "sshd_has 'passwordauthentication no' && sshd_has 'permitemptypasswords no' && sshd_has 'kbdinteractiveauthentication no'"
rule ssh-algorithms eval "sshd_has 'ciphers @CIPHERS@' && sshd_has 'macs @MACS@' && sshd_has 'kexalgorithms @KEX@'"
rule ssh-dead-sessions eval "sshd_has 'clientaliveinterval ([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600)' && sshd_has 'clientalivecountmax 1'"
rule ssh-log-level sshd_has 'loglevel VERBOSE'
rule ssh-second-factor sshd_has 'authenticationmethods .*,.*'
rule account-lockout eval "grep -Eq '^auth.*pam_faillock.so +preauth' /etc/pam.d/common-auth && grep -Eq '^auth.*pam_faillock.so +authfail' /etc/pam.d/common-auth && grep -Eq '^deny *= *[1-3]\$' /etc/security/faillock.conf && grep -Eq '^fail_interval *= *([1-9][0-9]{0,2})\$' /etc/security/faillock.conf"
rule accounts-declared awk -F: '$3 == 0 {root++} $3 >= 1000 && $1 != "nobody" && $1 != "clinicadmin" {bad++} seen[$3]++ {bad++} END {exit root != 1 || bad}' /etc/passwd
rule ssh-keys-declared eval '[[ $(cat /etc/ssh/authorized_keys.d/* | ssh-keygen -lf - | cut -d" " -f2) == @FINGERPRINT@ ]]'
rule root-password-locked eval "grep -q '^root:[!*]' /etc/shadow && ! grep -q '^[^:]*::' /etc/shadow"
rule sudo-password eval "! grep -rq NOPASSWD /etc/sudoers /etc/sudoers.d && grep -rEq 'timestamp_timeout=[0-5]\$' /etc/sudoers.d"
for file in /etc/restic/nightly.password /etc/ssl/clinic/portal.key; do
  rule secret-files-private eval "[[ \$(stat -c '%F %a %u %g' $file) == 'regular file 600 0 0' ]]"
done
rule debian-release-supported eval "grep -q '^ID=debian' /etc/os-release && grep -Eq '^VERSION_ID=\"(12|13)\"' /etc/os-release"
rule anti-malware systemctl is-active --quiet clamav-daemon.service
rule kernel-hardening eval '(( $(sysctl -n kernel.kptr_restrict) >= 1 && $(sysctl -n kernel.randomize_va_space) == 2 && $(sysctl -n net.ipv4.tcp_syncookies) >= 1 && $(sysctl -n kernel.dmesg_restrict) >= 1 ))'
rule sysctl-syncookies eval '(( $(sysctl -n net.ipv4.tcp_syncookies) >= 1 ))'
rule sysctl-accept-redirects eval '(( $(sysctl -n net.ipv4.conf.all.accept_redirects) == 0 ))'
rule sysctl-send-redirects eval '(( $(sysctl -n net.ipv4.conf.all.send_redirects) == 0 ))'
rule sysctl-protected-symlinks eval '(( $(sysctl -n fs.protected_symlinks) == 1 ))'
rule no-core-dumps eval "grep -rq '^Storage=none' /etc/systemd/coredump.conf.d && grep -rq '^DefaultLimitCORE=0' /etc/systemd/system.conf.d && [[ -z \$(ls /var/lib/systemd/coredump 2>&-) ]]"
rule idle-sessions grep -Erq '^StopIdleSessionSec=([1-9][0-9]?|[1-8][0-9]{2}|900)$' /etc/systemd/logind.conf.d
rule firewall eval "nft list chain inet filter input | grep -q 'policy drop;' && systemctl is-enabled --quiet nftables.service && [[ \$(nft list chain inet filter input | grep -o 'dport .* accept') == 'dport 22 accept' ]]"
rule sockets-declared eval "[[ \$(ss -Hltun | awk '\$5 !~ /^(127\\.|\\[::1\\])/ {print \$1 \"/\" gensub(/.*:/, \"\", 1, \$5)}' | sort -u) == tcp/22 ]]"
rule journal-persistent eval "grep -rq '^Storage=persistent' /etc/systemd/journald.conf.d && grep -rEq '^SystemMaxUse=(6[4-9]|[7-9][0-9]|[0-9]{3,})M' /etc/systemd/journald.conf.d && [[ -n \$(find /var/log/journal -name system.journal -mmin -60) ]]"
rule time-synchronised eval "systemctl is-active --quiet chrony.service && systemctl is-enabled --quiet chrony.service && chronyc -n tracking | grep -Eq '^Leap status +: Normal'"
rule certificate-valid eval "openssl x509 -checkend 1814400 -noout -in /etc/ssl/clinic/portal.crt && [[ \$(stat -c %a /etc/ssl/clinic/portal.key) =~ ^(600|640|400|440)\$ ]]"
rule disk-space eval '(( $(df --output=pcent / | tail -n 1 | tr -dc 0-9) <= 90 && $(df --output=ipcent / | tail -n 1 | tr -dc 0-9) <= 90 ))'
for unit in ssh chrony nftables clinic-bridge systemd-journald; do
  rule units-running systemctl is-active --quiet "$unit.service"
done
rule no-failed-units nothing systemctl --failed --plain --no-legend
rule failed-logins eval '(( $(journalctl --unit=ssh --since=-1h --quiet --no-pager --output=cat | grep -c "^Failed") <= 100 ))'
rule cpu-pressure awk -F'[ =]' '/^some/ {exit $7 > 80}' /proc/pressure/cpu
rule memory-pressure awk -F'[ =]' '/^full/ {exit $5 > 10}' /proc/pressure/memory
