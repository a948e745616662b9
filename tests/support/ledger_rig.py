"""A ledger on disk, with its key and its allowed signers file."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.evidence import sshsig
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.statement import Kind, Subject
from reconciler.ledger import keys
from reconciler.ledger.store import Ledger, Receipt
from reconciler.ledger.verify import Verification, load_signers, verify

START = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
SUBJECT = Subject("c" * 40, "d" * 64)


@dataclass
class Rig:
    """One appliance's ledger."""

    directory: Path
    key: Ed25519PrivateKey
    at: datetime = START

    @property
    def path(self) -> Path:
        return self.directory / "smile.git"

    @property
    def signers_file(self) -> Path:
        return self.directory / "allowed_signers"

    @property
    def signers(self) -> AllowedSigners:
        return load_signers(self.signers_file)

    def create(self) -> Ledger:
        return Ledger.create(
            self.path,
            "smile",
            "desk",
            self.key,
            body={"memory": {}, "key": sshsig.public_text(keys.public(self.key))},
            at=self.at,
            signers_file=self.signers_file,
        )

    def open(self) -> Ledger:
        return Ledger.open(self.path, "smile", "desk", self.key)

    def tick(self, minutes: int = 20) -> datetime:
        self.at += timedelta(minutes=minutes)
        return self.at

    def run(self, ledger: Ledger, **body: object) -> Receipt:
        return ledger.append(Kind.RUN, {"pass": 30, **body}, at=self.tick(), subject=SUBJECT)

    def heal(self, ledger: Ledger) -> tuple[Receipt, Receipt]:
        intent = ledger.append(
            Kind.INTENT, {"action": "RB-TIME-001"}, at=self.tick(), subject=SUBJECT
        )
        outcome = ledger.append(
            Kind.OUTCOME,
            {"result": "healed"},
            at=self.tick(),
            subject=SUBJECT,
            closes=intent.reference,
        )
        return intent, outcome

    def verify(self) -> Verification:
        return verify(self.path, self.signers)

    def git(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return git(self.path, *arguments)


def git(path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Stock git, without anybody's settings but the repository's."""
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "TZ": "UTC",
    }
    return subprocess.run(
        ["git", "-C", str(path), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def make_rig(directory: Path) -> Rig:
    """A key and an allowed signers file; the ledger itself is made by `Rig.create`."""
    key = keys.generate(directory / "key", "smile/desk")
    line = f'smile/desk namespaces="git" {sshsig.public_line(keys.public(key))}\n'
    rig = Rig(directory, key)
    rig.signers_file.write_text(line)
    return rig


def filled(directory: Path, runs: int = 3) -> Rig:
    """A closed ledger: genesis, one healed intent, some runs; crosses midnight."""
    rig = make_rig(directory)
    with rig.create() as ledger:
        rig.heal(ledger)
        for _ in range(runs):
            rig.run(ledger)
    return rig
