"""A witness with its own ledger, beside the appliance of `tests.support.ledger_rig`."""

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.evidence import sshsig
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.statement import Kind
from reconciler.ledger.store import Ledger
from reconciler.ledger.verify import load_signers
from reconciler.ledger.witness import Witness
from reconciler.ledger.witness_memory import LedgerMemory
from tests.support.evidence_keys import test_key as key_of
from tests.support.ledger_rig import Rig

ORIGIN = "reconciler/smile/desk"
NAME = "hub"
WITNESS_KEY = key_of("witness/hub")


@dataclass
class StillClock:
    """Moves when it is told to."""

    at: datetime = field(default=datetime(2027, 1, 1, tzinfo=UTC))

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class WitnessRig:
    """Where a witness lives, and who it knows."""

    directory: Path
    signers: AllowedSigners
    key: Ed25519PrivateKey = WITNESS_KEY
    clock: StillClock = field(default_factory=StillClock)

    @property
    def path(self) -> Path:
        return self.directory / "witness.git"

    @property
    def signers_file(self) -> Path:
        return self.directory / "witness_signers"

    def begin(self) -> None:
        line = (
            f'witness/{NAME} namespaces="git" {sshsig.public_text(sshsig.raw_public(self.key))}\n'
        )
        self.signers_file.write_text(line)
        LedgerMemory.begin(self.path, NAME, self.key, self.signers_file, self.clock.now())

    def memory(self) -> LedgerMemory:
        return LedgerMemory.open(self.path, NAME, self.key)

    def witness(self, memory: LedgerMemory) -> Witness:
        return Witness(NAME, self.key, memory, self.signers, self.clock)

    def entries(self) -> list[tuple[Kind, dict[str, object]]]:
        """What its ledger says, oldest first."""
        with Ledger.open(self.path, "witness", NAME, self.key) as ledger:
            return [
                (record.entry.kind, dict(record.entry.body))
                for record in ledger.entries(newest_first=False)
            ]


def make_witness(directory: Path, rig: Rig) -> WitnessRig:
    witness = WitnessRig(directory, load_signers(rig.signers_file))
    witness.begin()
    return witness


def checkpointed(rig: Rig, runs: int, **body: object) -> None:
    """Some more runs, and a checkpoint."""
    with rig.open() as ledger:
        for _ in range(runs):
            rig.run(ledger, **body)
        ledger.append(Kind.CHECKPOINT, {"note": ledger.note()}, at=rig.tick(), subject=None)


def clone_of(rig: Rig, name: str) -> Rig:
    """Another copy of an appliance's ledger, which can go on in another way."""
    directory = rig.directory / name
    shutil.copytree(rig.path, directory / rig.path.name)
    shutil.copy(rig.signers_file, directory / rig.signers_file.name)
    return Rig(directory, rig.key, rig.at)
