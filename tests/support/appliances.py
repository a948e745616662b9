"""A whole appliance in a temporary directory: fleet, keys, ledger, settings."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reconciler.desired.scaffold import commit_signed
from reconciler.engine.scaffold.make import Scaffold, scaffold
from reconciler.ledger import keys


class SettableClock:
    """Wall and monotonic time that a test moves; waiting moves both."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or datetime.now(UTC)
        self.up = 10_000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.up

    def sleep(self, seconds: float) -> None:
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.up += seconds


@dataclass
class Site:
    """A scaffolded appliance and the engineer who looks after its fleet."""

    made: Scaffold
    directory: Path

    @property
    def settings(self) -> str:
        return str(self.made.settings)

    @property
    def signers(self) -> str:
        return str(self.directory / "trust" / "evidence_signers")

    @property
    def evidence(self) -> str:
        return str(self.made.evidence)

    @property
    def fleet(self) -> Path:
        """The fleet's work tree."""
        assert self.made.fleet is not None
        return self.made.fleet

    def edit(self, path: str, change: Callable[[str], str], *, at: datetime | None = None) -> str:
        """Change a file of the fleet in a signed commit; returns the commit."""
        file = self.fleet / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(change(file.read_text() if file.exists() else ""))
        return self.commit(f"Change {file.name}", at=at)

    def commit(self, message: str, *, at: datetime | None = None) -> str:
        """Commit the fleet's work tree as the engineer."""
        return commit_signed(
            self.fleet,
            message,
            key=keys.load(self.directory / "keys" / "engineer"),
            name="Engineer",
            email="engineer@msp.example",
            at=at or datetime.now(UTC),
        )


def new_site(directory: Path, clock: SettableClock | None = None) -> Site:
    """What `reconciler init DIRECTORY` makes, now or at the time of a clock."""
    return Site(scaffold(directory, clock=clock), directory)
