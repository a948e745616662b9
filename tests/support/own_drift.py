"""A runbook's drift as a fleet brings it: the bridge of the guest is stopped."""

DRIFT = """\
runbook: RB-ACME-001
drifts:
  - id: acme-stopped
    title: The bridge is stopped
    heals: [RB-ACME-001]
    found:
      "units-running[portal]":
        active_state: inactive
    inject: systemctl stop clinic-bridge.service
    proof: systemctl is-active --quiet clinic-bridge.service
"""
