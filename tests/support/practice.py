"""Several appliances of one fleet, each with a machine of its own to break; all real but that."""

from dataclasses import dataclass
from pathlib import Path

from reconciler.engine.scaffold.make import Joins, scaffold
from tests.support.appliances import Site
from tests.support.drill import CLIENT, HOST, HOST_TEXT, Drill, new_drill

RUNBOOK = "runbooks/RB-SYSCTL-001.yaml"


@dataclass
class Practice:
    """A fleet and its hosts; the first is the one whose engineer commits.

    Attributes:
        drills: By host id.
    """

    drills: dict[str, Drill]

    @property
    def first(self) -> Drill:
        return self.drills[HOST]

    @property
    def fleet(self) -> Path:
        return self.first.site.fleet

    def evidence(self, *hosts: str) -> list[str]:
        """The options of `reconciler guard fleet` for some hosts, or all."""
        options = []
        for name in hosts or self.drills:
            site = self.drills[name].site
            options += ["--evidence", site.evidence, "--signers", site.signers]
        return options

    def write(self, path: str, text: str) -> None:
        self.first.edit(path, lambda _old: text)

    def commit(self, message: str) -> None:
        self.first.site.commit(message, at=self.first.clock.at)

    def pass_time(self, seconds: float) -> None:
        """All hosts live in the same time."""
        self.first.clock.pass_time(seconds)


def new_practice(directory: Path, more: int = 3) -> Practice:
    """A fleet of one host and so many more, ``desk-1`` and on; none has run yet."""
    first = new_drill(directory / HOST)
    names = [f"desk-{number}" for number in range(1, more + 1)]
    for name in names:
        text = HOST_TEXT.replace("id: workstation", f"id: {name}")
        first.edit(f"hosts/{CLIENT}/{name}.yaml", lambda _old, text=text: text)
    drills = {HOST: first}
    for name in names:
        signers = first.site.fleet / "policies" / "trust" / "allowed_signers"
        joins = Joins(str(first.site.fleet), signers)
        made = scaffold(directory / name, CLIENT, name, joins=joins, clock=first.clock)
        drills[name] = Drill(Site(made, directory / name), first.clock)
    return Practice(drills)
