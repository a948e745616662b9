"""An appliance of a NixOS host whose fleet has releases: real Git, real ledger, fake machine.

site = new_release_drill(tmp_path / "site")
site.release("one")                    # of the head: this host runs the system "one"
site.run()
assert site.in_force() == store_path("one")
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler import RunReport, load_settings
from reconciler.engine.appliance import read_ledger
from reconciler.engine.past import recall_from
from reconciler.model.answer import Answer
from reconciler.model.run import IntentStatus
from reconciler.model.system import InForce, SystemStatus
from reconciler.ports import Target
from reconciler.trust.statements import System
from tests.support.drill import CLIENT, HOST, HOST_FILE
from tests.support.intent_drill import IntentDrill, copied, new_intent_drill
from tests.support.releases import system, system_body

TARGET = f"{CLIENT}/{HOST}"
BASELINE_FILE = "policies/baselines/drill-v1.yaml"


class ReleaseDrill:
    """An appliance of kind ``nixos``, and the CI that signs its releases.

    Attributes:
        internal: Answers topics as the newest run knew them.
    """

    internal: Callable[[str], Answer]

    def __init__(self, site: IntentDrill) -> None:
        self.site = site
        self.fleet = site.fleet
        self.drill = site.drill
        self._make = self.drill.target
        self.drill.target = self._target  # type: ignore[method-assign]

    def _target(self, root: str, internal: Callable[[str], Answer]) -> Target:
        self.internal = internal
        return self._make(root, internal)

    def copied(self, directory: Path) -> "ReleaseDrill":
        """The same site in another place."""
        return ReleaseDrill(copied(self.site, directory))

    def commit(self, files: dict[str, str] | None = None, *, by: str = "alice") -> str:
        """A commit on main that changes nothing that matters, unless told otherwise."""
        note = f"Note {self.fleet.minutes}\n"
        return self.fleet.commit(by, files or {"docs/notes.md": note})

    def release(
        self,
        label: str | System | None,
        commit: str | None = None,
        *,
        by: str = "ci",
        others: dict[str, System] | None = None,
        **other: Any,
    ) -> str:
        """A release that names a system for this host (None: only for others); its file."""
        named = dict(others or {})
        if label is not None:
            named[TARGET] = system(label) if isinstance(label, str) else label
        systems = {host: system_body(one) for host, one in named.items()}
        return self.fleet.release(by, commit, systems=systems, **other)

    def run(self, **options: Any) -> RunReport:
        """One run, some time after the last."""
        return self.site.run(**options)

    def status(self, **options: Any) -> SystemStatus:
        """What one run says of the system."""
        intent: IntentStatus = self.run(**options).intent
        assert intent.system is not None
        return intent.system

    def remembered(self) -> InForce | None:
        """What the ledger says, by whoever reads it afresh."""
        home = load_settings(Path(self.drill.site.settings))
        return recall_from(read_ledger(home)).memory.systems.trusted

    def in_force(self) -> str | None:
        """Path of the system that the ledger says is in force."""
        found = self.remembered()
        return None if found is None else found.system.path


def new_release_drill(directory: Path, **options: Any) -> ReleaseDrill:
    """A clean NixOS host that has not run yet; see `new_intent_drill`."""
    site = new_intent_drill(directory, **options)
    tree = site.fleet.tree(site.fleet.head)
    host, baseline = (site.fleet.read(tree[p][1]).decode() for p in (HOST_FILE, BASELINE_FILE))
    files = {
        HOST_FILE: host.replace("kind: linux", "kind: nixos"),
        BASELINE_FILE: baseline.replace("platforms: [linux]", "platforms: [linux, nixos]"),
    }
    start = site.fleet.minutes - 0.5
    root = site.fleet.commit("alice", files, parents=(), tree=tree, minutes=start)
    settings = Path(site.drill.site.settings)
    settings.write_text(settings.read_text().replace(site.root, root))
    site.root = root
    return ReleaseDrill(site)
