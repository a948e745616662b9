"""An appliance with key, ledger and evidence signers, and a person who can recover it."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.evidence import key_change, sshsig
from reconciler.evidence.key_change import Reason
from reconciler.evidence.statement import Kind
from reconciler.ledger import key_changes, keys, sealed_keys
from reconciler.ledger.key_site import Changed, Site
from reconciler.ledger.sealed_keys import KeyFile, Protection, Sealer
from reconciler.ledger.store import Ledger
from reconciler.ledger.verify import Verification, load_signers, verify
from tests.support.evidence_keys import test_key
from tests.support.ledger_rig import SUBJECT, Rig
from tests.support.tpm import NoSealer

PERSON = test_key("recovery@msp.example")


@dataclass
class KeyRig:
    """`Rig` with a key that lives in a file, as on an appliance."""

    rig: Rig
    site: Site

    @property
    def key(self) -> Ed25519PrivateKey:
        return sealed_keys.load(self.site.place, self.site.sealer)

    def open(self) -> Ledger:
        signers = load_signers(self.site.signers_file)
        return Ledger.open(self.site.repository, "smile", "desk", self.key, signers=signers)

    def run(self, count: int = 1) -> None:
        with self.open() as ledger:
            self.rig.at = max(self.rig.at, ledger.tip.time)
            for _ in range(count):
                ledger.append(Kind.RUN, {"pass": 30}, at=self.rig.tick(), subject=SUBJECT)

    def rotate(
        self, protection: Protection = Protection.FILE, reason: Reason = Reason.SCHEDULED
    ) -> Changed:
        return key_changes.rotate(self.site, protection, reason, at=self.rig.tick())

    def request(self) -> key_change.Announcement:
        return key_changes.request(self.site, Protection.FILE)

    def replace(self, armor: str) -> Changed:
        return key_changes.replace(self.site, armor, Reason.LOST, at=self.rig.tick())

    def authorized(self, person: Ed25519PrivateKey = PERSON) -> str:
        return key_change.authorize(self.request(), person)

    def lose(self) -> None:
        """The machine is gone, and its key with it."""
        for file in self.site.place.files:
            file.unlink(missing_ok=True)

    def verify(self) -> Verification:
        return verify(self.site.repository, load_signers(self.site.signers_file))

    @property
    def signers_text(self) -> str:
        return self.site.signers_file.read_text()


def key_rig(directory: Path, sealer: Sealer | None = None, runs: int = 2) -> KeyRig:
    """A ledger of a few runs."""
    (directory / "keys").mkdir(mode=0o700)
    place = KeyFile.at(directory / "keys" / "appliance")
    key = keys.generate(place.path, "smile/desk")
    rig = Rig(directory, key)
    recovery = f'recovery@msp.example namespaces="{key_change.RECOVERY_NAMESPACE}"'
    rig.signers_file.write_text(
        f'smile/desk namespaces="git" {sshsig.public_text(keys.public(key))} the desk\n'
        f"{recovery} {sshsig.public_text(sshsig.raw_public(PERSON))}\n"
    )
    site = Site(rig.path, "smile", "desk", place, rig.signers_file, sealer or NoSealer())
    with rig.create() as ledger:
        rig.heal(ledger)
        for _ in range(runs):
            rig.run(ledger)
    return KeyRig(rig, site)
