"""An evidence repository that is worth a kit: findings, quiet runs, a time stamp, a witness."""

import hashlib
import shutil
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from reconciler.evidence import sshsig
from reconciler.evidence.statement import Kind
from reconciler.ledger.extra import Extra
from reconciler.ledger.kit.export import export
from reconciler.ledger.kit.nouns import Kit, Wanted
from reconciler.ledger.roots import load_trust
from reconciler.ledger.store import Ledger
from reconciler.report.period import Period, newest, oldest
from tests.support.entries import finding, run_body
from tests.support.evidence_keys import test_key as key_of
from tests.support.ledger_rig import START, Rig, git, make_rig
from tests.support.tsa import Tsa
from tests.support.witness_rig import StillClock, WitnessRig

AUDIT = "hipaa:164.312(b)"
HOSTILE = '=cmd|"/c calc"!A1 #panic() ]] $x$ \x1b[31m\u202e 漢 </td><script>'
GOOD, BAD = finding("audit-log", "pass"), finding("audit-log", "fail")
LOST = finding("audit-log", "unknown", reason=HOSTILE)
PROMISE = 1300


@dataclass
class KitRig:
    """A ledger, and what an auditor is given with it."""

    rig: Rig
    clock: StillClock = field(default_factory=lambda: StillClock(datetime(2026, 3, 3, tzinfo=UTC)))

    @property
    def path(self) -> Path:
        return self.rig.path

    @property
    def roots(self) -> Path:
        return self.rig.directory / "roots"

    def run(self, ledger: Ledger, found: dict[str, Any]) -> None:
        self.rig.run(ledger, **run_body(found), promise_s=PROMISE)

    def quiet(self, ledger: Ledger, runs: int) -> None:
        like = ledger.tip.seq
        for _ in range(runs):
            body = {"like": like, "reached": True, "took_ms": 9}
            ledger.append_slim(Kind.RUN, body, at=self.rig.tick())

    def checkpoint(self, ledger: Ledger) -> tuple[str, dict[str, Any]]:
        """A checkpoint, and how others name it."""
        note = ledger.note()
        receipt = ledger.append_slim(Kind.CHECKPOINT, {"note": note}, at=self.rig.tick())
        return note, {"seq": receipt.seq, "sha256": receipt.digest}

    def stamp(self, ledger: Ledger, tsa: Tsa) -> None:
        """A checkpoint, and a time stamp of it."""
        note, named = self.checkpoint(ledger)
        builder = TimestampRequestBuilder().data(note.encode()).cert_request(cert_request=True)
        query = builder.hash_algorithm(HashAlgorithm.SHA256).build().as_bytes()
        body = {
            "authority": tsa.name,
            "checkpoint": named,
            "method": "rfc3161",
            "note_sha256": hashlib.sha256(note.encode()).hexdigest(),
            "proof": b64encode(tsa.reply(bytes(query))).decode(),
            "state": "complete",
        }
        ledger.append(Kind.ANCHOR, body, at=self.rig.tick(), subject=None)

    def trust(self, tsa: Tsa) -> None:
        folder = self.roots / "tsa"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{tsa.name}.pem").write_bytes(tsa.root.pem)

    def enrol(self, hub: WitnessRig, name: str = "witness/hub") -> None:
        line = f'{name} namespaces="git" {sshsig.public_text(sshsig.raw_public(hub.key))}\n'
        with self.rig.signers_file.open("a") as file:
            file.write(line)

    def witnessed(self, hub: WitnessRig, *clones: Path) -> None:
        """Have a witness look, and take over its branch."""
        with hub.memory() as memory:
            for clone in (self.path, *clones):
                hub.witness(memory).look(clone)
        spec = "+refs/heads/witness/hub:refs/heads/witness/hub"
        assert git(self.path, "fetch", "-q", str(hub.path), spec).returncode == 0
        (self.path / "FETCH_HEAD").unlink()

    def wanted(self, start: str = "2026-03-01", end: str = "2026-03-31", **other: Any) -> Wanted:
        period = Period(f"{start} to {end}", oldest(start), newest(end))
        roots = self.roots if self.roots.exists() else None
        extra = Extra() if roots is None else Extra(trust=load_trust(roots))
        usual: dict[str, Any] = {
            "repository": self.path,
            "signers_file": self.rig.signers_file,
            "period": period,
            "roots": roots,
            "extra": extra,
            "version": "1.2.3",
        }
        return Wanted(**{**usual, **other})

    def export(self, out: Path, **other: Any) -> Kit:
        return export(self.wanted(**other), out)


def told(directory: Path) -> KitRig:
    """Genesis, five runs of three kinds, quiet ones, two checkpoints; nobody vouches for it."""
    directory.mkdir(parents=True, exist_ok=True)
    kit = KitRig(make_rig(directory))
    with kit.rig.create() as ledger:
        kit.run(ledger, GOOD)
        kit.quiet(ledger, 3)
        kit.checkpoint(ledger)
        kit.run(ledger, BAD)
        kit.run(ledger, LOST)
        kit.run(ledger, GOOD)
        kit.quiet(ledger, 2)
        kit.checkpoint(ledger)
    return kit


def full(directory: Path) -> KitRig:
    """The same with a time stamp and a witness, of whom everything is given."""
    kit = told(directory)
    tsa = Tsa(directory / "alpha")
    with kit.rig.open() as ledger:
        kit.stamp(ledger, tsa)
        kit.checkpoint(ledger)
    kit.trust(tsa)
    hub = hub_of(kit)
    kit.enrol(hub)
    kit.witnessed(hub)
    return kit


def hub_of(kit: KitRig) -> WitnessRig:
    """A witness that knows the appliance."""
    hub = WitnessRig(kit.rig.directory, kit.rig.signers, clock=kit.clock)
    hub.begin()
    return hub


def copied(kit: KitRig, directory: Path) -> KitRig:
    """Another copy, to be spoilt."""
    shutil.copytree(kit.rig.directory, directory)
    return KitRig(Rig(directory, kit.rig.key, kit.rig.at), kit.clock)


def another(kit: KitRig, directory: Path, days: int = 0) -> Path:
    """The ledger of another clinic, which the same people may read."""
    directory.mkdir()
    key = key_of("elm/desk")
    public = sshsig.public_text(sshsig.raw_public(key))
    with kit.rig.signers_file.open("a") as file:
        file.write(f'elm/desk namespaces="git" {public}\n')
    at, body = START + timedelta(days=days), {"memory": {}, "key": public}
    with Ledger.create(
        directory / "elm.git", "elm", "desk", key, body=body, at=at,
        signers_file=kit.rig.signers_file,
    ) as ledger:  # fmt: skip
        ledger.append(Kind.CHECKPOINT, {"note": ledger.note()}, at=at, subject=None)
    return directory / "elm.git"
