"""A clinic's appliance inside the real guest: enrolled, declared, and run as people run it.

The appliance's directory lies in the guest's share, so a test edits and signs its fleet repository
on the host while the guest pulls from it. Everything else (the run, the look, the fix) happens in
the guest, through the command line.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.desired.approve import pin_runbooks
from reconciler.engine.appliance import read_ledger
from reconciler.engine.scaffold.make import scaffold
from reconciler.engine.settings import load_settings
from reconciler.testing.rehearsal.told import Told
from tests.support.appliances import Site
from tests.support.clinic_fleet import CLIENT, HOME, HOST, declaration
from tests.support.guest import ADMIN, Guest
from tests.support.image import Image

TARGET = f"{CLIENT}/{HOST}"
KNOWN_FAILS = frozenset({"backup-elsewhere[nightly]", "ssh-second-factor"})
"""What a healthy guest cannot have: a second machine for the repository, and a key in hardware."""

KNOWN_UNKNOWNS = frozenset({"storage-encrypted"})
"""What cannot be seen from inside a container: the disk under the overlay."""

OF_THE_HOST = frozenset(
    {"cpu-pressure", "kernel-hardening", "memory-pressure", "sysctl-protected-symlinks"}
)
"""What the guest shares with the machine that runs the tests; observed and never judged here."""


class Run(Told):
    """One run; what always fails or is never seen in a guest is left out of what it says."""

    def found(self) -> set[str]:
        """Rules that failed before anything was done, without those that always do."""
        return self.failing(before=True) - KNOWN_FAILS - OF_THE_HOST

    def left(self) -> set[str]:
        """Rules that still fail at the end, without those that always do."""
        return self.failing(before=False) - KNOWN_FAILS - OF_THE_HOST

    def unknown(self) -> set[str]:
        """Rules that could not be judged, without those that never can."""
        findings = self.document["findings"]
        seen = {f["rule"] for f in findings if f["status"] == "unknown"}
        return seen - KNOWN_UNKNOWNS - OF_THE_HOST


class Clinic:
    """A guest with an enrolled appliance in it.

    Attributes:
        guest: The machine.
        site: The appliance's directory and the engineer who signs its fleet, on the host.
    """

    def __init__(self, guest: Guest) -> None:
        """Enrol the guest: keys, a signed fleet repository that declares it, an empty ledger."""
        directory = guest.share / Path(HOME).name
        self.guest = guest
        self.site = Site(scaffold(directory, CLIENT, HOST), directory)
        for path, text in declaration(ADMIN, self._fingerprint()).items():
            self.site.made.fleet.joinpath(path).write_text(text)
        self.site.commit("Declare the front desk")

    def run_once(self, *flags: str, timeout: float = 120) -> Run:
        """Reconcile once, in the guest."""
        command = ("reconciler", "run", "--once", "--json", "--config", f"{HOME}/reconciler.yaml")
        done = self.guest.run(*command, *flags, check=False, timeout=timeout)
        assert done.stdout, f"exit {done.returncode}: {done.stderr}"
        return Run(done.returncode, json.loads(done.stdout))

    def dry_run(self) -> Run:
        """Look and plan only."""
        return self.run_once("--dry-run")

    def verify(self) -> Mapping[str, Any]:
        """Audit the evidence with the command line, in the guest; it must be accepted."""
        argv = ("reconciler", "verify", f"{HOME}/evidence/{CLIENT}.git")
        signers = ("--signers", f"{HOME}/trust/evidence_signers", "--json")
        document: dict[str, Any] = json.loads(self.guest.run(*argv, *signers).stdout)
        assert document["ok"] is True, document
        return document

    def git_log(self) -> str:
        """What stock git says of every signature, with the shipped allowed signers."""
        signers = f"gpg.ssh.allowedSignersFile={HOME}/trust/evidence_signers"
        show = ("log", "--format=%G? %GS %s", TARGET)
        return self.guest.run(
            "git", "-c", signers, f"--git-dir={HOME}/evidence/{CLIENT}.git", *show
        ).stdout

    def entries(self, kind: str) -> list[Mapping[str, Any]]:
        """Bodies of the proven ledger entries of one kind, oldest first."""
        home = load_settings(self.site.made.settings)
        newest_first = [r.entry.body for r in read_ledger(home) if r.entry.kind == kind]
        return newest_first[::-1]

    def edit_host(self, change: Callable[[str], str]) -> None:
        """Change this host's declaration in a signed commit."""
        self.site.edit(f"hosts/{CLIENT}/{HOST}.yaml", change)

    def edit_client(self, change: Callable[[str], str]) -> None:
        """Change the clinic's file in a signed commit."""
        self.site.edit(f"hosts/{CLIENT}/client.yaml", change)

    def edit_runbook(
        self, runbook: str, change: Callable[[str], str], *, approve: bool = True
    ) -> None:
        """Change a runbook in a signed commit, with its approval renewed or not."""
        fleet = self.site.made.fleet
        file = fleet / "runbooks" / f"{runbook}.yaml"
        before = file.read_text()
        after = change(before)
        assert after != before
        file.write_text(after)
        if approve:
            assert pin_runbooks(fleet) == (runbook,)
        self.site.commit(f"Change {runbook}")

    def _fingerprint(self) -> str:
        """Of the one key that opens this machine."""
        keys = self.guest.run("ssh-keygen", "-lf", f"/etc/ssh/authorized_keys.d/{ADMIN}")
        return keys.stdout.split()[1]


def with_steps(text: str) -> Callable[[str], str]:
    """Replace the steps of a runbook, and look again at once."""

    def change(runbook: str) -> str:
        head = runbook[: runbook.index("steps:")]
        return f"{head}{text}settle_s: 0\nblast_radius: A test.\n"

    return change


@contextmanager
def restore_proven(image: Image) -> Iterator[Image]:
    """The image with a restore test in its past, so that a pristine guest has nothing to do."""
    with Guest.boot(image, "proving") as guest:
        guest.wait_for_clock()
        run = Clinic(guest).run_once()
        assert run.results() == [("RB-RESTORE-001", "healed")], run.document["outcomes"]
        guest.halt()
        yield image.with_layer(guest.upper)
