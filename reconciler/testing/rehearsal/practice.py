"""A practice of its own for one trial: a fleet that declares the guest, keys, and a ledger.

Its directory lies in the guest's share, so the fleet is edited and signed on the host while the
guest pulls from it. Everything else (the run, the look, the fix) happens in the guest.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.checks import catalogue as checks
from reconciler.desired.approve import pin_runbooks
from reconciler.desired.gate.approving import Wish, propose_approval
from reconciler.desired.gate.reading import read_work_tree
from reconciler.desired.gate.review import Catalogues
from reconciler.desired.scaffold import commit_signed
from reconciler.engine.clock import SystemClock
from reconciler.engine.scaffold.make import Scaffold, scaffold
from reconciler.errors import InputError, MachineError
from reconciler.ledger import keys
from reconciler.model.host import Declares
from reconciler.steps import catalogue as steps
from reconciler.testing.rehearsal.declared import CLIENT, HOST, declaration
from reconciler.testing.rehearsal.told import Told
from reconciler.testing.rig.guest import ADMIN, Guest

ENGINEER = "engineer@msp.example"
_PARTS = ("policies/rules", "policies/baselines", "policies/frameworks", "policies/tiers")
_TAKEN = (*_PARTS, "policies/healing", "runbooks")
"""What of a fleet is rehearsed; who it is for, and how it is trusted, is the rehearsal's own."""

RESTIC = {
    "HOME": "/root",
    "RESTIC_REPOSITORY": "/var/backups/restic-nightly",
    "RESTIC_PASSWORD_FILE": "/etc/restic/nightly.password",
}
"""So that scripts may ask the guest's backup."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is rehearsed.

    Attributes:
        fleet: Work tree whose policies and runbooks are rehearsed; ``None`` for those shipped.
        policies: Baselines that the guest is held to.
        declares: What it declares beside what the image has.
    """

    fleet: Path | None = None
    policies: tuple[str, ...] = ("linux-hipaa-v1",)
    declares: Declares | None = None


class Practice:
    """One enrolled appliance in a guest.

    Attributes:
        guest: The machine.
        home: The appliance's directory, as the guest sees it.
    """

    def __init__(self, guest: Guest, name: str, subject: Subject) -> None:
        """Enrol the guest: keys, a signed fleet repository that declares it, an empty ledger."""
        self.guest = guest
        self.home = f"/share/{name}"
        self._directory = guest.share / name
        made: Scaffold = scaffold(self._directory, CLIENT, HOST, engineer=ENGINEER)
        if made.fleet is None:
            raise MachineError("no fleet was made", hint="Remove the directory and try again.")
        self.fleet = made.fleet
        if subject.fleet is not None:
            _take(subject.fleet, self.fleet)
        texts = declaration(
            ADMIN,
            _fingerprint(guest),
            home=self.home,
            policies=subject.policies,
            also=subject.declares,
        )
        for path, text in texts.items():
            (self.fleet / path).write_text(text, encoding="utf-8")
        self.commit("Declare the front desk")

    def commit(self, message: str) -> None:
        """Commit the fleet's work tree as its engineer."""
        key = keys.load(self._directory / "keys" / "engineer")
        at = SystemClock().now()
        commit_signed(self.fleet, message, key=key, name="Engineer", email=ENGINEER, at=at)

    def edit_runbooks(self, change: Callable[[str], str]) -> None:
        """Change every runbook in a signed commit, and approve what came of it."""
        for file in sorted((self.fleet / "runbooks").glob("RB-*.yaml")):
            file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
        pin_runbooks(self.fleet)
        self.commit("Change runbooks")

    def approve(self, runbooks: Sequence[str]) -> None:
        """Say yes, as a person does, to those runbooks that ask for one."""
        kinds = steps.load()
        reading = read_work_tree(self.fleet, checks.load(), kinds)
        known = reading.fleet.runbooks if reading.fleet else {}
        asking = tuple(
            dict.fromkeys(n for n in runbooks if n in known and known[n].mode == "approve")
        )
        if not asking:
            return
        wish = Wish(
            runbooks=asking,
            hosts=(f"{CLIENT}/{HOST}",),
            approver=ENGINEER,
            today=datetime.now(UTC).date(),  # noqa: TID251 - the guest's day is the host's
        )
        proposed = propose_approval(reading, wish, Catalogues(checks.load(), kinds))
        file = self.fleet / proposed.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(proposed.text, encoding="utf-8")
        self.commit("Approve what is rehearsed")

    def shell(self, script: str, timeout: float = 120) -> str:
        """Run a script in the guest, as root; any command of it that fails is a failure."""
        env = RESTIC | {"PRACTICE": self.home}
        command = ("bash", "-euo", "pipefail", "-c", script)
        return self.guest.run(*command, env=env, timeout=timeout).stdout

    def proves(self, script: str) -> bool:
        """Whether a proof says that all is well."""
        env = RESTIC | {"PRACTICE": self.home}
        command = ("bash", "-eu", "-c", script)
        return self.guest.run(*command, env=env, check=False, timeout=120).returncode == 0

    def run_once(self, *flags: str, timeout: float = 900) -> Told:
        """Reconcile once, as people do."""
        settings = ("--config", f"{self.home}/reconciler.yaml")
        return self._told(("reconciler", "run", "--once", "--json", *settings, *flags), timeout)

    def misbehave(self, mode: str, *, later_s: int = 0, timeout: float = 900) -> Told:
        """Reconcile once with a fault; see `reconciler.testing.rehearsal.misbehave`."""
        module = "reconciler.testing.rehearsal.misbehave"
        files = (f"{self.home}/reconciler.yaml", f"{self.home}/journal")
        return self._told(("python3", "-m", module, mode, *files, str(later_s)), timeout)

    def journal(self) -> list[str]:
        """Operations that were begun by `misbehave` since the last time it was asked."""
        file = self._directory / "journal"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines

    def audited(self) -> str:
        """What is wrong with the evidence; empty when the audit accepts it."""
        signers = ("--signers", f"{self.home}/trust/evidence_signers")
        argv = ("reconciler", "verify", f"{self.home}/evidence/{CLIENT}.git", *signers)
        done = self.guest.run(*argv, check=False)
        return "" if done.returncode == 0 else f"the evidence does not verify: {done.stdout:.300}"

    def _told(self, argv: tuple[str, ...], timeout: float) -> Told:
        done = self.guest.run(*argv, check=False, timeout=timeout)
        document: Mapping[str, Any] = json.loads(done.stdout) if done.stdout else {}
        return Told(done.returncode, document, done.stderr.strip()[-2000:])


def _fingerprint(guest: Guest) -> str:
    """Of the one key that opens the guest."""
    return guest.run("ssh-keygen", "-lf", f"/etc/ssh/authorized_keys.d/{ADMIN}").stdout.split()[1]


def _take(source: Path, fleet: Path) -> None:
    """Put the policies and runbooks of a fleet in the place of those shipped."""
    if not (source / "runbooks").is_dir():
        raise InputError(
            f"{source} is no fleet repository: it has no runbooks",
            hint="Name the work tree of one: --fleet DIRECTORY",
        )
    for part in _TAKEN:
        for old in sorted((fleet / part).rglob("*.yaml")):
            old.unlink()
        for file in sorted((source / part).rglob("*.yaml")):
            copy = fleet / part / file.relative_to(source / part)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
