"""A small fleet whose machines are NixOS appliances, without an error in its documents."""

from tests.support.attest_site import SIGNERS_TEXT
from tests.support.fleet_git import SIGNERS, Files
from tests.support.policy import VECTORS, files_under
from tests.support.trust_fleet import POLICY, POLICY_TEXT

CLIENT = "clinic"
_KEPT = ("policies/frameworks/", "policies/tiers/", f"hosts/{CLIENT}/client.yaml")
_RULE = """\
id: evidence
title: The evidence verifies
check: LNX-EVD-001
expect: {verified: true}
severity: high
controls: ["law:1(d)"]
mode: observe
"""
_BASELINE = """\
id: appliance
title: What an appliance must meet
version: 1.0.0
platforms: [nixos]
frameworks: [law]
rules: [evidence]
"""


def host_text(name: str, tags: str = "[]") -> str:
    """The document of a NixOS host."""
    return f"id: {name}\nkind: nixos\nmode: observe\npolicies: [appliance]\ntags: {tags}\n"


def appliance_files(tags: dict[str, str]) -> Files:
    """All documents of the fleet.

    Args:
        tags: Of each host, by its name.
    """
    base = {p: c for p, c in files_under(VECTORS / "base").items() if p.startswith(_KEPT)}
    hosts = {f"hosts/{CLIENT}/{name}.yaml": host_text(name, each) for name, each in tags.items()}
    mine = {
        SIGNERS: SIGNERS_TEXT,
        POLICY: POLICY_TEXT,
        "policies/rules/evidence.yaml": _RULE,
        "policies/baselines/appliance.yaml": _BASELINE,
    }
    return {**base, **hosts, **mine}
