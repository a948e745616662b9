"""A clinic's NixOS appliance in the guest: enrolled, with releases that its engineer signs.

The fleet repository, the attestations and the evidence lie in the guest's share. A release is
made as CI makes it: a commit, a system in the signed cache, a statement by ``reconciler attest``.
"""

import json
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest

from reconciler.cli import execute
from reconciler.cli.attest_common import Desk
from reconciler.desired.attest.branch import sealed
from reconciler.engine.appliance import read_ledger
from reconciler.engine.releasing import NOTHING_BEFORE
from reconciler.engine.scaffold.make import scaffold
from reconciler.engine.settings import load_settings
from reconciler.evidence import sshsig
from reconciler.ledger import keys
from reconciler.nix.build import facts_of
from reconciler.nix.evaluate import Evaluated
from reconciler.nix.process import NixStore
from reconciler.testing.rehearsal.told import Told
from reconciler.trust.envelope import NAMESPACE, to_be_signed
from reconciler.trust.statements import Release, write
from reconciler.trust.statements import System as SignedSystem
from tests.support.appliances import Site
from tests.support.clinic_fleet import CLIENT, HOST, declaration
from tests.support.commands import CommandFailed, host
from tests.support.guest import ADMIN
from tests.support.nixos_guest import CACHE, NixosGuest, NixosSite
from tests.support.nixos_systems import System

__all__ = ["NixosClinic"]

RULES = ("nixos-system", "nixos-reboot-pending")
TARGET = f"{CLIENT}/{HOST}"
OURS = "reconciler-*"
_REACHES_S, _RUNS_S = 60, 150
ORDER = "/var/lib/reconciler/activation/order.json"
PROGRAM = "/opt/reconciler/src/tests/support/nixos_in_guest.py"
IMPATIENT: Mapping[str, Any] = {"settle_s": 3, "steady_s": 0, "watchdog_s": 60}

_HOST = """\
id: frontdesk
kind: nixos
mode: enforce
policies: [activation-v1]
access_path:
  - unit:ssh.service
  - port:tcp/22
"""
_BASELINE = """\
id: activation-v1
title: What activation is about
version: 1.0.0
platforms: [nixos]
frameworks: [hipaa]
rules:
"""
_SYSTEM = """\
system:
  caches: ["file://{cache}"]
  public_keys: ["{key}"]
"""


class NixosClinic:
    """A guest with an enrolled appliance in it.

    Attributes:
        guest: The machine.
        site: The appliance's directory and the engineer who signs its fleet, on the host.
        home: The same directory, as the guest sees it.
    """

    def __init__(self, nixos: NixosSite, guest: NixosGuest, site: Site) -> None:
        """Go on with an appliance that `enrol` made."""
        self.nixos, self.guest, self.site = nixos, guest, site
        self.home = f"/share/{site.directory.name}"

    @classmethod
    def enrol(
        cls, nixos: NixosSite, guest: NixosGuest, name: str = "clinic", rules: Sequence[str] = RULES
    ) -> "NixosClinic":
        """Make an appliance of a running guest, and release the system that it runs.

        Args:
            nixos: Where systems are built.
            guest: Running a system that was built there.
            name: Of its directory.
            rules: Of ``policies/rules``, which the host is held to.
        """
        directory = guest.share / name
        made = cls(nixos, guest, Site(scaffold(directory, CLIENT, HOST), directory))
        made._declare(rules)
        made.site.commit("Declare the front desk")
        made.names(guest.running())
        return made

    def copy(self, name: str) -> "NixosClinic":
        """The same appliance with the same past, in a directory of its own."""
        directory = self.guest.share / name
        host("cp", "--archive", str(self.site.directory), str(directory))
        places = ("settings", "fleet", "evidence")
        at = {
            p: directory / getattr(self.site.made, p).relative_to(self.site.directory)
            for p in places
        }
        site = Site(replace(self.site.made, **at), directory)
        return NixosClinic(self.nixos, self.guest, site)

    def _declare(self, rules: Sequence[str]) -> None:
        fleet = self.site.fleet
        client = f"hosts/{CLIENT}/client.yaml"
        (fleet / client).write_text(declaration(ADMIN, "")[client])
        (fleet / f"hosts/{CLIENT}/{HOST}.yaml").write_text(_HOST)
        listed = "".join(f"  - {rule}\n" for rule in rules)
        (fleet / "policies/baselines/activation-v1.yaml").write_text(_BASELINE + listed)
        policy = fleet / "policies/trust/policy.yaml"
        roles = "roles: [engineer, security]"
        policy.write_text(policy.read_text().replace(roles, "roles: [engineer, security, release]"))
        with self.site.made.settings.open("a") as settings:
            settings.write(_SYSTEM.format(cache=CACHE, key=self.nixos.public_key))

    def release(self, system: System) -> str:
        """Build a system, publish it, and sign that it is this host's from a new commit on.

        Args:
            system: As `documented` left it.

        Returns:
            Its path.
        """
        path = self.nixos.release(system)
        self.names(path)
        return path

    def names(self, path: str) -> None:
        """Sign that a path is this host's system from a new commit on, whether it exists or not."""
        self.site.edit("systems.txt", lambda text: f"{text}{path}\n")
        desk = Desk.open(self.site.fleet, "attestations", "origin", as_json=False)
        clone, commit = desk.clone, desk.clone.commit("HEAD")
        release = Release(
            "main",
            commit,
            clone.digest(commit),
            clone.tree(commit),
            clone.files_digest(commit),
            desk.now,
            {TARGET: self._described(path)},
        )
        payload = write(release)
        key = keys.load(self.site.directory / "keys" / "engineer")
        armor = sshsig.sign(key, to_be_signed(payload), NAMESPACE)
        desk.branch.add(sealed(payload, armor), desk.now, "Attest")

    def run(self, point: str | None = None, **access: Any) -> Told:
        """One run of the engine in the guest.

        Args:
            point: Where it is to die; then the caller sees `CommandFailed`.
            access: Waits that differ from `IMPATIENT`.
        """
        with self._ordered(point, "kill", access) as connection, connection.makefile() as stream:
            said = stream.read()
        if not said.startswith("{"):
            raise CommandFailed(f"the run ended without a report: {said}")
        return Told(0, json.loads(said))

    def dies(self, point: str, **access: Any) -> None:
        """A run that is killed at a point."""
        with pytest.raises(CommandFailed):
            self.run(point, **access)
        assert self._reached()

    def loses_power(self, point: str) -> None:
        """A run in whose middle the power is cut, and comes back."""
        self.begins(point)
        until = time.monotonic() + _REACHES_S
        while not self._reached():
            assert time.monotonic() < until, f"the run did not come to {point}"
            time.sleep(0.05)
        self.guest.cut_power()
        self.guest.power_on()

    def begins(self, point: str | None = None) -> None:
        """A run that goes on by itself, up to a point where it waits."""
        self._ordered(point, "hang", {}).close()

    @contextmanager
    def evidence_on_a_disk_of_its_own(self) -> Iterator[str]:
        """The evidence so far on a disk of 20 MiB; where the guest has it."""
        run, place, aside = self.guest.run, f"{self.home}/evidence", f"{self.home}/evidence-so-far"
        run("cp", "--archive", place, aside)
        run("mount", "-t", "tmpfs", "-o", "size=20m", "none", place)
        run("cp", "--archive", f"{aside}/.", place)
        yield place
        run("umount", "--lazy", place)

    def verify(self) -> Mapping[str, Any]:
        """Audit the evidence with the command line, as somebody else does; it must be accepted."""
        with redirect_stdout(StringIO()) as said:
            code = execute(["verify", self.site.evidence, "--signers", self.site.signers, "--json"])
        document: dict[str, Any] = json.loads(said.getvalue())
        assert (code, document["ok"]) == (0, True), document
        return document

    def entries(self, kind: str) -> list[Mapping[str, Any]]:
        """Bodies of the proven ledger entries of one kind, oldest first."""
        home = load_settings(self.site.made.settings)
        newest_first = [r.entry.body for r in read_ledger(home) if r.entry.kind == kind]
        return newest_first[::-1]

    def where(self) -> tuple[str, str, str]:
        """The systems that run, that the profile names, and that the next boot takes."""
        return self.guest.running(), self.guest.profile(), self.guest.boot_default()

    def at_rest(self) -> None:
        """Nothing of an activation is left over: no unit, no order."""
        listed = self.guest.run("systemctl", "list-units", "--all", "--plain", "--no-legend", OURS)
        assert listed.stdout == ""
        order = self.guest.run("test", "-e", ORDER, check=False)
        assert order.returncode == 1, "an order is left over"

    def _ordered(self, point: str | None, how: str, access: Mapping[str, Any]) -> socket.socket:
        """A connection over which a run was ordered; see `tests.support.nixos_in_guest`."""
        order = {"home": self.home, "point": point, "how": how, "access": {**IMPATIENT, **access}}
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_RUNS_S)
        self._connect(connection)
        connection.sendall(f"{json.dumps(order)}\n".encode())
        return connection

    def _connect(self, connection: socket.socket) -> None:
        """Reach the guest's program that runs the engine; start it after a boot."""
        orders = str(self.guest.share / "orders")
        started, until = False, time.monotonic() + _REACHES_S
        while True:
            try:
                connection.connect(orders)
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > until:
                    raise
            else:
                return
            if not started:
                # As systemd names it, so that it is a unit of the rig for those who look at units.
                self.guest.run("systemd-run", "--quiet", "python3", PROGRAM, "/share/orders")
                started = True
            time.sleep(0.05)

    def _described(self, path: str) -> SignedSystem:
        state = NixStore(remote=str(self.nixos.store.root))
        drv = self.nixos.store.run("nix-store", "--query", "--deriver", path)
        built = facts_of(Evaluated(target="", drv=drv, path=path), state=state)
        return SignedSystem(drv, path, built.nar_sha256, built.closure, NOTHING_BEFORE)

    def _reached(self) -> bool:
        mark = self.guest.share / "reached"
        there = mark.exists()
        mark.unlink(missing_ok=True)
        return there
