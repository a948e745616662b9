"""What the fleet repository of a test declares about the guest: one clinic, one front desk."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

CLIENT, HOST = "example-clinic", "frontdesk"
HOME = "/share/clinic"
"""The appliance's directory, as the guest sees it."""

_CLIENT = """\
id: example-clinic
name: Example Family Practice
tier: professional
time_zone: America/New_York
frameworks: [hipaa]
mode: enforce
windows:
  # Open around the clock.
  - days: [mon, tue, wed, thu, fri, sat, sun]
    start: "00:00"
    end: "12:00"
  - days: [mon, tue, wed, thu, fri, sat, sun]
    start: "12:00"
    end: "00:00"
contacts:
  - role: on-call engineer of the service provider
    name: Service desk
    reach: service-desk@example.org
"""

_HOST = """\
id: frontdesk
kind: linux
mode: enforce
policies: [linux-hipaa-v1]
roles: [appliance, backup]
access_path:
  - unit:ssh.service
  - port:tcp/22
  - file:/etc/ssh
declares:
  accounts: [{admin}]
  admins: [{admin}]
  ssh_keys: ["{key}"]
  sockets: [tcp/22]
  open_ports: [tcp/22]
  units:
    - name: portal
      unit: clinic-bridge.service
    - name: ssh
      unit: ssh.service
    - name: journal
      unit: systemd-journald.service
  certificates:
    - name: portal
      path: /etc/ssl/clinic/portal.crt
      key: /etc/ssl/clinic/portal.key
      renew_unit: acme-portal.service
      reload_unit: clinic-bridge.service
  backups:
    - job: nightly
      repository: /var/backups/restic-nightly
      password_file: /etc/restic/nightly.password
      unit: restic-backups-nightly.service
  secret_files:
    - name: restic-password
      path: /etc/restic/nightly.password
      mode: "0600"
      uid: 0
      gid: 0
    - name: authority-key
      path: /etc/ssl/clinic/ca.key
      mode: "0600"
      uid: 0
      gid: 0
    - name: evidence-key
      path: {home}/keys/appliance
      mode: "0600"
      uid: 0
      gid: 0
  mounts:
    - name: root
      path: /
      free_percent: 10
    - name: previews
      path: /var/cache/clinic
      free_percent: 20
  audit_rules:
    - -w /etc/passwd -p wa -k identity
overrides:
  kernel-hardening:
    mode: observe
    reason: A container shares the kernel of its host, which nothing in here may change.
  sysctl-protected-symlinks:
    mode: observe
    reason: A container shares the kernel of its host, which nothing in here may change.
  cpu-pressure:
    mode: observe
    reason: The pressure seen in a container is that of its whole host.
  memory-pressure:
    mode: observe
    reason: The pressure seen in a container is that of its whole host.
"""

_NO_SCANNER = """\
id: anti-malware-on-frontdesk
control: hipaa:164.308(a)(5)(ii)(B)
rules: [anti-malware]
hosts: [frontdesk]
assessment: Nothing on this machine opens files that others made.
decided_on: {today}
reason: A scanner would add software that parses hostile files to a machine that parses none.
alternative: [LNX-NET-002, LNX-AUTH-003]
owner: Security official of the practice
approver: Owner of the practice
review_by: {review}
"""


def declaration(admin: str, key: str) -> Mapping[str, str]:
    """Texts of the files that declare the guest, by path in the fleet repository.

    Args:
        admin: The one account of a person.
        key: SHA256 fingerprint of that person's SSH key.
    """
    today = datetime.now(UTC).date()
    exception = _NO_SCANNER.format(today=today, review=today + timedelta(days=180))
    return {
        f"hosts/{CLIENT}/client.yaml": _CLIENT,
        f"hosts/{CLIENT}/{HOST}.yaml": _HOST.format(admin=admin, key=key, home=HOME),
        f"policies/exceptions/{CLIENT}/anti-malware-on-{HOST}.yaml": exception,
    }
