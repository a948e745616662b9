# The baseline for `puppet apply --noop`. The class of a resource is the id of a rule.
$sshd = generate('/usr/sbin/sshd', '-T')
$listening = generate('/usr/bin/ss', '-Hltun')
Exec { path => ['/usr/sbin', '/usr/bin'], command => '/bin/false' }

define says(String $pattern) {
  if $::sshd !~ Regexp("(?m)^${pattern}\$") { notify { $pattern: } }
}
class ssh_root_login { says { 'permitrootlogin': pattern => 'permitrootlogin no' } }
class ssh_password_login {
  says { 'passwordauthentication': pattern => 'passwordauthentication no' }
  says { 'permitemptypasswords': pattern => 'permitemptypasswords no' }
  says { 'kbdinteractiveauthentication': pattern => 'kbdinteractiveauthentication no' }
}
class ssh_algorithms {
  says { 'ciphers': pattern => 'ciphers @CIPHERS@' }
  says { 'macs': pattern => 'macs @MACS@' }
  says { 'kexalgorithms': pattern => 'kexalgorithms @KEX@' }
}
class ssh_dead_sessions {
  says { 'clientalivecountmax': pattern => 'clientalivecountmax 1' }
  says { 'clientaliveinterval': pattern => 'clientaliveinterval ([1-9]|[1-9][0-9]|[1-5][0-9]{2}|600)' }
}
class ssh_log_level { says { 'loglevel': pattern => 'loglevel VERBOSE' } }
class ssh_second_factor { says { 'authenticationmethods': pattern => 'authenticationmethods .*,.*' } }
class account_lockout {
  if file('/etc/pam.d/common-auth') !~ /(?m)^auth.*pam_faillock.so\s+preauth.*^auth.*pam_faillock.so\s+authfail/ {
    notify { 'pam_faillock': }
  }
  if file('/etc/security/faillock.conf') !~ /(?m)^deny *= *[1-3]\nfail_interval *= *[1-9][0-9]{0,2}$/ {
    notify { 'faillock.conf': }
  }
}
class accounts_declared {
  exec { 'accounts': unless => "test \"$(awk -F: '\$3 == 0 || \$3 >= 1000 && \$3 < 65534 {print \$1}' /etc/passwd | sort | xargs)\" = 'clinicadmin root'", provider => shell }
}
class ssh_keys_declared {
  exec { 'keys': unless => 'test "$(cat /etc/ssh/authorized_keys.d/* | sha256sum)" = "@KEY_SHA256@  -"', provider => shell }
}
class root_password_locked {
  if file('/etc/shadow') !~ /(?m)^root:[!*]/ or file('/etc/shadow') =~ /^[^:\n]*::/ { notify { 'root': } }
}
class sudo_password {
  $own = file('/etc/sudoers.d/clinic')
  if "${own}${file('/etc/sudoers')}" =~ /NOPASSWD/ or $own !~ /timestamp_timeout=[0-5]$/ { notify { 'sudo': } }
}
class secret_files_private {
  file { ['/etc/restic/nightly.password', '/etc/ssl/clinic/portal.key']:
    ensure => file, mode => '0600', owner => 'root', group => 'root', show_diff => false,
  }
}
class debian_release_supported {
  if file('/etc/os-release') !~ /(?m)^VERSION_ID="(12|13)"$/ or file('/etc/os-release') !~ /(?m)^ID=debian$/ { notify { 'os-release': } }
}
class anti_malware { service { ['clamav-daemon', 'clamav-freshclam']: ensure => running } }
class kernel_hardening {
  exec { 'hardening': unless => 'test "$(sysctl -n kernel.kptr_restrict kernel.randomize_va_space net.ipv4.tcp_syncookies kernel.dmesg_restrict | xargs)" = "1 2 1 1"', provider => shell }
}
class sysctl_syncookies { exec { 'syncookies': unless => 'test "$(sysctl -n net.ipv4.tcp_syncookies)" -ge 1', provider => shell } }
class sysctl_accept_redirects { exec { 'accept': unless => 'test "$(sysctl -n net.ipv4.conf.all.accept_redirects)" = 0', provider => shell } }
class sysctl_send_redirects { exec { 'send': unless => 'test "$(sysctl -n net.ipv4.conf.all.send_redirects)" = 0', provider => shell } }
class sysctl_protected_symlinks { exec { 'symlinks': unless => 'test "$(sysctl -n fs.protected_symlinks)" = 1', provider => shell } }
class no_core_dumps {
  if file('/etc/systemd/coredump.conf.d/10-clinic.conf') !~ /(?m)^Storage=none$/ { notify { 'coredump.conf': } }
  if file('/etc/systemd/system.conf.d/10-clinic.conf') !~ /(?m)^DefaultLimitCORE=0$/ { notify { 'system.conf': } }
  exec { 'dumps': onlyif => 'ls /var/lib/systemd/coredump/*', provider => shell }
}
class idle_sessions {
  if file('/etc/systemd/logind.conf.d/10-clinic.conf') !~ /(?m)^StopIdleSessionSec=([1-9][0-9]?|[1-8][0-9]{2}|900)$/ { notify { 'logind.conf': } }
}
class firewall {
  $chain = generate('/usr/sbin/nft', 'list', 'chain', 'inet', 'filter', 'input')
  if $chain !~ /policy drop;/ or $chain !~ /tcp dport 22 accept/ { notify { 'chain': } }
  exec { 'nftables': unless => 'systemctl is-enabled --quiet nftables.service' }
}
class sockets_declared {
  if $::listening =~ /(?m)^(tcp|udp) .* (0\.0\.0\.0|\*|\[::\]):([013-9]|2[013-9]|22[0-9])/ { notify { 'listening': } }
}
class journal_persistent {
  if file('/etc/systemd/journald.conf.d/10-clinic.conf') !~ /(?m)^Storage=persistent\nSystemMaxUse=(6[4-9]|[7-9][0-9]|[0-9]{3,})M$/ { notify { 'journald.conf': } }
  exec { 'journal': unless => 'test -n "$(find /var/log/journal -name system.journal -mmin -60)"', provider => shell }
}
class time_synchronised {
  exec { 'chrony enabled': unless => 'systemctl is-enabled --quiet chrony.service' }
  exec { 'tracking': unless => 'chronyc -n tracking | grep -Eq "^Leap status +: Normal"', provider => shell }
  exec { 'sources': unless => 'test "$(chronyc -n -c sources | cut -d, -f6 | grep -vcx 0)" -ge 3', provider => shell }
}
class certificate_valid {
  exec { 'certificate': unless => 'openssl x509 -checkend 1814400 -noout -in /etc/ssl/clinic/portal.crt' }
}
class disk_space {
  exec { 'disk': unless => 'test "$(df --output=pcent,ipcent / | tail -n 1 | tr -d % | xargs -n 1 | sort -n | tail -n 1)" -le 90', provider => shell }
}
class units_running { service { ['ssh', 'chrony', 'nftables', 'clinic-bridge', 'systemd-journald']: ensure => running } }
class no_failed_units { exec { 'failed': onlyif => 'systemctl --failed --plain --no-legend | grep -q .', provider => shell } }
class failed_logins {
  exec { 'logins': unless => 'test "$(journalctl --unit=ssh --since=-1h --quiet --no-pager --output=cat | grep -c ^Failed)" -le 100', provider => shell }
}
class cpu_pressure { exec { 'cpu': unless => "awk -F'[ =]' '/^some/ {exit \$7 > 80}' /proc/pressure/cpu" } }
class memory_pressure { exec { 'memory': unless => "awk -F'[ =]' '/^full/ {exit \$5 > 10}' /proc/pressure/memory" } }

include ssh_root_login, ssh_password_login, ssh_algorithms, ssh_dead_sessions, ssh_log_level, ssh_second_factor
include account_lockout, accounts_declared, ssh_keys_declared, root_password_locked, sudo_password
include secret_files_private, debian_release_supported, anti_malware, kernel_hardening
include sysctl_syncookies, sysctl_accept_redirects, sysctl_send_redirects, sysctl_protected_symlinks
include no_core_dumps, idle_sessions, firewall, sockets_declared, journal_persistent, time_synchronised
include certificate_valid, disk_space, units_running, no_failed_units, failed_logins, cpu_pressure, memory_pressure
