"""A fleet of three clinics' desks whose choices are in real, signed ledgers."""

import hashlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.evidence import sshsig
from reconciler.evidence.entry import UNKNOWN_CLOCK, Kind, Reference
from reconciler.evidence.layout import principal
from reconciler.ledger.store import Ledger
from tests.support import learning
from tests.support.drill import CLIENT, HOST, HOST_FILE, HOST_TEXT, Drill, new_drill
from tests.support.learning import Host

HOSTS = (HOST, "desk-1", "desk-2", "desk-3")
CHECK, RUNBOOK, RULE = "LNX-AVL-002", "RB-SERVICE-001", "units-running[bridge]"
SEEN = {"active_state": "inactive"}


def new_fleet(directory: Path) -> Drill:
    """A drill's fleet with more hosts, whose services nobody but a model or a person restarts."""
    drill = new_drill(directory)
    fleet = drill.site.fleet
    for name in HOSTS[1:]:
        text = HOST_TEXT.replace("id: workstation", f"id: {name}")
        (fleet / f"hosts/{CLIENT}/{name}.yaml").write_text(text)
    (fleet / HOST_FILE).write_text(HOST_TEXT)
    drill.edit("policies/rules/units-running.yaml", without_remedy)
    return drill


def without_remedy(rule: str) -> str:
    return rule[: rule.index("remedy:")]


def pinned(drill: Drill) -> str:
    return hashlib.sha256((drill.site.fleet / f"runbooks/{RUNBOOK}.yaml").read_bytes()).hexdigest()


def histories(drill: Drill, heals: int = 4, **how: Any) -> list[Host]:
    """Four desks on which a choice was made some times."""
    hosts = [Host(name=name, client=CLIENT) for name in HOSTS]
    for host in hosts:
        for _ in range(heals):
            again(host, drill, **how)
    return hosts


def again(host: Host, drill: Drill, **how: Any) -> None:
    said: dict[str, Any] = {
        "check": CHECK, "observed": SEEN, "severity": "medium", "rules": (RULE,),
        "params": {"unit": "bridge.service"}, "runbook": RUNBOOK, "digest": pinned(drill),
        "later": learning.timedelta(days=4),
    }  # fmt: skip
    host.heal(**(said | how))


def written(directory: Path, hosts: list[Host]) -> list[str]:
    """Their ledgers as real ones; the options that name them."""
    signers, argv = directory / "evidence_signers", list[str]()
    keys = {host.name: Ed25519PrivateKey.generate() for host in hosts}
    lines = [
        f'{principal(CLIENT, name)} namespaces="git" {sshsig.public_text(sshsig.raw_public(key))}\n'
        for name, key in keys.items()
    ]
    directory.mkdir()
    signers.write_text("".join(lines))
    for host in hosts:
        path = directory / f"{host.name}.git"
        _write(path, host, keys[host.name], signers)
        argv += ["--evidence", str(path), "--signers", str(signers)]
    return argv


def _write(path: Path, host: Host, key: Ed25519PrivateKey, signers: Path) -> None:
    first = host.records[0].entry.time
    made = Ledger.create(path, CLIENT, host.name, key, body={}, at=first, signers_file=signers)
    digests: dict[int, Reference] = {}
    with made as ledger:
        for record in host.records:
            entry = record.entry
            closes = None if entry.closes is None else digests[entry.closes.seq]
            receipt = ledger.append(
                Kind(entry.kind),
                entry.body,
                at=entry.time,
                clock=UNKNOWN_CLOCK,
                subject=None,
                closes=closes,
            )
            digests[entry.seq] = receipt.reference
