"""What the fleet of a rehearsal declares about the guest: one clinic, one front desk."""

import json
from collections.abc import Mapping, Sequence

from reconciler.desired.strict_yaml import load as load_yaml
from reconciler.model.host import Declares

CLIENT, HOST = "example-clinic", "frontdesk"
HOME = "/share/clinic"
"""The appliance's directory, as the guest sees it, where there is only one."""

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
policies: [{policies}]
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


def declaration(
    admin: str,
    key: str,
    *,
    home: str = HOME,
    policies: Sequence[str] = ("linux-hipaa-v1",),
    also: Declares | None = None,
) -> Mapping[str, str]:
    """Texts of the files that declare the guest, by path in the fleet repository.

    Args:
        admin: The one account of a person.
        key: SHA256 fingerprint of that person's SSH key.
        home: The appliance's directory, as the guest sees it.
        policies: Baselines that it is held to.
        also: What it declares beside what the image has.
    """
    host = _HOST.format(admin=admin, key=key, home=home, policies=", ".join(policies))
    return {
        f"hosts/{CLIENT}/client.yaml": _CLIENT,
        f"hosts/{CLIENT}/{HOST}.yaml": host if also is None else _joined(host, also),
    }


def _joined(host: str, also: Declares) -> str:
    """The declaration with more items in its lists: JSON is YAML, too."""
    page = load_yaml(host.encode(), f"{HOST}.yaml").value
    declares = dict(page["declares"])
    for name, items in also.model_dump(mode="json", exclude_defaults=True).items():
        declares[name] = [*declares.get(name, ()), *items]
    return json.dumps(page | {"declares": declares}, indent=1)
