"""A short ledger with everything in it that a reader asks about, made by real runs."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from click import Command

from reconciler.evidence.record import Branch, Record
from reconciler.ledger.annotate import annotate
from reconciler.ledger.reader import newest_first
from reconciler.ledger.verify import load_signers
from reconciler.testing.fake_target import Fault
from tests.support.drill import (
    BOOT,
    CLIENT,
    HOST,
    Drill,
    break_service,
    break_sysctl,
    new_drill,
)


@dataclass
class Story:
    """A drill that was told, and how to read it."""

    drill: Drill
    directory: Path

    @property
    def repository(self) -> Path:
        return Path(self.drill.site.evidence)

    @property
    def signers(self) -> Path:
        return Path(self.drill.site.signers)

    @property
    def branch(self) -> Branch:
        return Branch(CLIENT, HOST, load_signers(self.signers))

    def seqs(self, kind: str) -> list[int]:
        """Numbers of the entries of a kind, oldest first."""
        return sorted(r.entry.seq for r in self.records() if r.entry.kind.value == kind)

    @property
    def healed(self) -> int:
        """The intent of what was healed."""
        return self.seqs("intent")[0]

    @property
    def failed(self) -> int:
        """The intent of the fix that lied."""
        return self.seqs("intent")[1]

    @property
    def index(self) -> Path:
        return self.directory / "index.sqlite"

    def records(self) -> list[Record]:
        """Proven entries, newest first."""
        return list(newest_first(self.repository, CLIENT, HOST, self.branch.signers))

    def options(self) -> list[str]:
        """How an auditor names this evidence on the command line."""
        return ["--repository", str(self.repository), "--signers", str(self.signers)]

    def annotate(self, seq: int, text: str, by: str = "security officer") -> None:
        with self.drill.open() as appliance:
            self.drill.clock.pass_time(1)
            at = appliance.clock.now()
            clock = appliance.ledger.tip.clock
            annotate(appliance.ledger, seq, text, by, at=at, clock=clock, boot_id=BOOT)


def tell(directory: Path) -> Story:
    """Clean three times, healed, clean, clean, a fix that lies, and then a deferred one."""
    drill = new_drill(directory / "var")
    # The next noon: the story must not cross midnight, where a full run is due.
    noon = drill.clock.at.replace(hour=12, minute=0, second=0, microsecond=0)
    drill.clock.at = noon + timedelta(days=1)
    for _ in range(3):
        drill.run()
    break_sysctl(drill.machine)
    for _ in range(3):
        drill.run()
    break_service(drill.machine)
    drill.faults.append(Fault("lies"))
    drill.run()
    drill.run()
    return Story(drill, directory)


def call(command: Command, *args: str) -> object:
    """What a command returns; its errors rise as they are."""
    return command.main(args=list(args), standalone_mode=False)
