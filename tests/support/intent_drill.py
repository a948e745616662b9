"""A whole appliance whose fleet has people, roles and attestations: real ledger, fake machine.

    site = new_intent_drill(tmp_path / "site")
    site.fleet.commit("alice", {...}); site.fleet.approve("bob")
    report = site.run()

The clocks of the fleet and of the appliance are one: minutes pass in both.
"""

import re
import shutil
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from reconciler import Options, RunReport, load_settings, reconcile
from reconciler.engine.appliance import Appliance, read_ledger
from reconciler.engine.past import recall_from
from tests.support.appliances import SettableClock, Site
from tests.support.drill import CLIENT_FILE, Drill, clean_machine, new_drill
from tests.support.fleet_git import SIGNERS, START
from tests.support.trust_fleet import POLICY, POLICY_TEXT, TrustFleet, line, signers_text

PINNED = ("alice", "bob")


class IntentDrill:
    """An appliance and the fleet that it follows.

    Attributes:
        drill: The appliance.
        fleet: Its fleet repository.
        root: The commit that it was enrolled with.
    """

    def __init__(self, drill: Drill, fleet: TrustFleet, root: str) -> None:
        self.drill = drill
        self.fleet = fleet
        self.root = root

    @property
    def accepted(self) -> str | None:
        """What the ledger says was accepted last."""
        home = load_settings(Path(self.drill.site.settings))
        found = recall_from(read_ledger(home)).memory.accepted
        return None if found is None else found.commit

    def run(self, *, after_s: float = 300, **options: Any) -> RunReport:
        """One run, some time after the last."""
        return self.drill.run(after_s=after_s, **options)

    def run_in(self, appliance: Appliance, *, after_s: float = 300) -> RunReport:
        """One run of an appliance that stays open, as a daemon does."""
        self.drill.clock.pass_time(after_s)
        return reconcile(appliance, Options(hook=self.drill.hooks.append))

    def now(self, minutes: float = 0) -> float:
        """The appliance's wall time, or some minutes later, as minutes of the fleet."""
        return minutes_of(self.drill.clock.at) + minutes

    def refusals(self) -> list[tuple[str, str | None]]:
        """Reason and commit of every refusal in the evidence, oldest first."""
        return [(body["reason"], body.get("commit")) for body in self.drill.bodies("refusal")]


def minutes_of(at: datetime) -> float:
    """A time as minutes of a fleet."""
    return (at - START).total_seconds() / 60


def new_intent_drill(
    directory: Path,
    *,
    policy: str | None = POLICY_TEXT,
    signers: str | None = None,
    freshness_h: int | None = None,
    pin: bool = True,
) -> IntentDrill:
    """A clean machine that has not run yet, enrolled by alice.

    Args:
        directory: Where everything is.
        policy: The trust policy.
        signers: Allowed signers.
        freshness_h: What the client is promised.
        pin: Whether settings name the first commit.
    """
    drill = new_drill(directory)
    fleet = TrustFleet(drill.site.fleet)
    files = {SIGNERS: signers or signers_text(), POLICY: policy}
    tree = fleet.tree(fleet.head)
    if freshness_h is not None:
        client = fleet.read(tree[CLIENT_FILE][1]).decode()
        files[CLIENT_FILE] = f"{client}freshness_h: {freshness_h}\n"
    start = minutes_of(drill.clock.at) - 1
    root = fleet.commit("alice", files, parents=(), tree=tree, minutes=start)
    pinned = "".join(line(name) for name in PINNED)
    (directory / "trust" / "allowed_signers").write_text(pinned)
    settings = Path(drill.site.settings)
    named = f"  pin: {root}\n" if pin else ""
    settings.write_text(re.sub(r"(?m)^  pin: .*\n", named, settings.read_text()))
    return IntentDrill(drill, fleet, root)


def copied(site: IntentDrill, directory: Path) -> IntentDrill:
    """The same site in another place, with clocks of its own."""
    source = site.drill.site.directory
    shutil.copytree(source, directory, symlinks=True)
    clock = SettableClock(site.drill.clock.at)
    clock.up = site.drill.clock.up
    made = _moved(site.drill.site.made, source, directory)
    drill = Drill(Site(made, directory), clock, clean_machine())
    fleet = TrustFleet(drill.site.fleet)
    fleet.later(minutes=site.fleet.minutes)
    return IntentDrill(drill, fleet, site.root)


def reset(site: IntentDrill, head: str, attestations: str | None) -> None:
    """Put the server back to where it was; the appliance keeps its own memory."""
    site.fleet.move(head)
    name = "refs/heads/attestations"
    if attestations is not None:
        site.fleet.repository.references.create(name, attestations, force=True)
    elif site.fleet.attestations is not None:
        site.fleet.repository.references.delete(name)


def _moved(made: Any, source: Path, directory: Path) -> Any:
    """What `reconciler init` made, with every path in the new place."""
    paths = {
        one.name: directory / value.relative_to(source)
        for one in fields(made)
        if isinstance(value := getattr(made, one.name), Path) and value.is_relative_to(source)
    }
    return replace(made, **paths)
