"""A fleet with rings, releases that CI signed, and the ledgers of its appliances; no machine."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.evidence import sshsig
from reconciler.evidence.entry import Clock, Kind
from reconciler.evidence.layout import principal
from reconciler.evidence.statement import Subject
from reconciler.ledger.store import Ledger, Receipt
from tests.support.appliance_fleet import CLIENT, appliance_files
from tests.support.attest_site import AttestSite, attest
from tests.support.entries import finding, run_body
from tests.support.evidence_keys import test_key

NAMES = ("one", "two", "three")
TAGS = {"one": "[]", "two": "[early]", "three": "[]"}
RINGS = """\
# Who goes first.
rings:
  - {id: canary, hosts: [clinic/one], soak_h: 24}
  - {id: early, tags: [early], soak_h: 48}
  - {id: rest}
"""
_NAMESPACES = "git,reconciler-evidence"
SUBJECT = Subject("c" * 40, "d" * 64)
SYNCHRONISED = Clock("kernel", True, 10, 100, 0)


def path_of(name: str, number: int) -> str:
    """The system of a host in a release."""
    return f"/nix/store/{number}c1vg3pn1l1ynq4v4z8y9mrd1r4nbn6q-nixos-system-{name}-26.05"


class RingHost:
    """One appliance's ledger."""

    def __init__(self, root: Path, name: str, site: "RingSite") -> None:
        self.name = name
        self.site = site
        self.repository = root / f"{name}.git"
        self.signers = root / f"{name}-signers"
        key = test_key(f"evidence-{name}")
        public = sshsig.public_text(sshsig.raw_public(key))
        self.signers.write_text(f'{principal(CLIENT, name)} namespaces="{_NAMESPACES}" {public}\n')
        body = {"memory": {}, "key": public}
        self.ledger = Ledger.create(
            self.repository, CLIENT, name, key, body=body, at=site.now, signers_file=self.signers
        )

    def _append(self, kind: str, body: dict[str, Any], **more: Any) -> Receipt:
        clock = SYNCHRONISED
        return self.ledger.append(
            Kind(kind), body, at=self.site.now, clock=clock, subject=SUBJECT, **more
        )

    def activates(self, number: int, result: str = "healed") -> None:
        """Try the system of a release; afterwards it runs if that healed."""
        system = path_of(self.name, number)
        intent = self._append("intent", {"action": {"params": {"system": system}}})
        self._append("outcome", {"result": result}, closes=intent.reference)
        if result == "healed":
            self._append("system", {"to": system})

    def looks(self) -> Receipt:
        found = finding("system", "pass", check="LNX-SYS-001", observed={})
        return self._append("run", run_body(found))

    @property
    def options(self) -> list[str]:
        return ["--evidence", str(self.repository), "--signers", str(self.signers)]


class RingSite:
    """A server, an engineer's clone, and three appliances, one a ring.

    Attributes:
        now: Time of the appliances, and of whoever asks.
    """

    def __init__(self, root: Path, capsys: Any) -> None:
        self.capsys = capsys
        self.site = AttestSite(root, {**appliance_files(TAGS), "policies/rings.yaml": RINGS})
        self.now = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=1)
        (root / "evidence").mkdir()
        self.hosts = {name: RingHost(root / "evidence", name, self) for name in NAMES}

    @property
    def fleet(self) -> Path:
        return self.site.clone("alice")

    def releases(self, number: int, *, by: str = "ci", **other: int) -> None:
        """CI signs what it built of the newest commit, and pushes it."""
        self.site.git("ci", "pull", "-q", "origin", "main")
        systems = []
        for name in NAMES:
            built = path_of(name, other.get(name, number))
            drv = f"{built}.drv".replace("nixos", "drv-nixos")
            systems += ["--system", f"{CLIENT}/{name}={drv},{built},{'0' * 64}"]
        key = self.site.key(by)
        attest(self.site, "ci", self.capsys, "release", "--key", key, *systems)
        assert self.site.pushes("ci")
        self.site.git("alice", "fetch", "-q", "origin")

    def passes(self, hours: float) -> "RingSite":
        self.now += timedelta(hours=hours)
        return self

    def commits(self, files: dict[str, str]) -> None:
        """A change of the fleet that lands."""
        self.site.fleet.git("checkout", "-q", "main")
        self.site.fleet.commit("alice", files)
        self.site.fleet.git("push", "-q", "origin", "main")
        self.site.git("alice", "clean", "-fdq")
        self.site.git("alice", "checkout", "-q", "--", ".")
        self.site.git("alice", "pull", "-q", "origin", "main")
