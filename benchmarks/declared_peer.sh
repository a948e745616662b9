#!/bin/sh
# What people write who have no agent: few processes, lists compared with diff. $1 has the lists.
cd "$1" || exit 2
drift=0
same() { diff -q "$1" - > /dev/null || { echo "drift: $1"; drift=1; }; }
systemctl is-active $(cat units) | sort | uniq -c | awk '$2 != "active"' | same nothing
ls /run/systemd/system /run/systemd/transient /etc/systemd/system.control 2> /dev/null |
  grep -E '\.(service|timer|socket|path)$' | grep -v '^run-' | same nothing
sysctl -n $(cat sysctls) | same sysctl-values
cut -d: -f1,3,4,6,7 /etc/passwd | sort | same passwd
cut -d: -f1,3,4 /etc/group | sort | same group
find /etc/b -type l -printf '%P %l\n' | sort | same etc
ss -Hltun | awk '{print $1, $5}' | grep -v -e 127.0.0 -e '\[::1\]' | sort -u | same sockets
nft list ruleset | same ruleset
sshd -T 2> /dev/null | sort | same sshd
ls -l /run/wrappers/bin/ | awk '{print $1, $3, $4, $9}' | same wrappers
find / -xdev -perm /6000 -type f 2> /dev/null | same nothing
ls /var/spool/cron/crontabs 2> /dev/null | same nothing
exit $drift
