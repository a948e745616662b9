"""Appliances in a guest for storms: enrolled in the past, so that their week ends before today."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.desired.approve import pin_runbooks
from reconciler.engine.appliance import read_ledger
from reconciler.engine.scaffold.make import Joins, scaffold
from reconciler.engine.settings import load_settings
from reconciler.evidence.record import Record
from tests.support.appliances import SettableClock, Site
from tests.support.clinic import with_steps
from tests.support.clinic_fleet import CLIENT, HOST, declaration
from tests.support.guest import ADMIN, Guest

PROGRAM = "/opt/reconciler/src/tests/support/storm_in_guest.py"
QUESTIONS_A_DAY = 12
LEFT_TO_A_MODEL = ("disk-space", "journal-persistent", "audit-rules", "time-synchronised")
"""Rules that have no remedy of their own here: a model may choose one."""
DESKS = ("desk-0", "desk-1", "desk-2", "desk-3")

_ADVICE = """\
advice:
  consent: true
  business_associate_agreement: true
"""
_DESK = """\
id: {name}
kind: linux
mode: enforce
policies: [desk-v1]
access_path:
  - unit:ssh.service
declares:
  secret_files:
    - {{name: password, path: /etc/restic/nightly.password, mode: "0600", uid: 0, gid: 0}}
"""
_BASELINE = """\
id: desk-v1
title: One secret file
version: 1.0.0
platforms: [linux]
frameworks: [hipaa]
rules:
  - secret-files-private
"""
_PRETENDS = """\
steps:
  - id: pretend
    use: wait.until
    with: {unit: ssh.service}
"""


class StormSite:
    """One appliance of a guest whose time is a program's.

    Attributes:
        begin: When it was enrolled.
        home: Its directory, as the guest sees it.
    """

    def __init__(self, guest: Guest, name: str) -> None:
        """Enrol it nine days ago: everything may heal, and a language model may be asked."""
        self.guest = guest
        self.begin = (datetime.now(UTC) - timedelta(days=9)).replace(second=0, microsecond=0)
        self.home = f"/share/{name}"
        directory = guest.share / name
        made = scaffold(directory, CLIENT, HOST, clock=SettableClock(self.begin))
        self.site = Site(made, directory)
        keys = guest.run("ssh-keygen", "-lf", f"/etc/ssh/authorized_keys.d/{ADMIN}")
        for path, text in declaration(ADMIN, keys.stdout.split()[1]).items():
            self.site.fleet.joinpath(path).write_text(text)
        self._change()
        self.site.commit("Declare the front desk", at=self.begin)

    def _change(self) -> None:
        fleet = self.site.fleet
        client, host = (fleet / f"hosts/{CLIENT}/{name}.yaml" for name in ("client", HOST))
        text = client.read_text().replace("tier: professional", "tier: enterprise")
        client.write_text(text + _ADVICE)
        host.write_text(_crowded(host.read_text()))
        advice = f"advice:\n  per_client_day: {QUESTIONS_A_DAY}\n"
        (fleet / "policies/guards.yaml").write_text(advice)
        for rule in LEFT_TO_A_MODEL:
            file = fleet / f"policies/rules/{rule}.yaml"
            file.write_text(re.sub(r"^remedy:\n(?:[ ].*\n)+", "", file.read_text(), flags=re.M))

    def weather(self, timeout: float = 300, **order: Any) -> Mapping[str, Any]:
        """Let the program run in the guest."""
        said = {"home": self.home, "begin": (self.begin + timedelta(minutes=5)).isoformat()} | order
        done = self.guest.run("python3", PROGRAM, input=json.dumps(said), timeout=timeout)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def records(self) -> list[Record]:
        """Proven entries, oldest first."""
        home = load_settings(Path(self.site.settings))
        return list(read_ledger(home))[::-1]

    def verify(self) -> None:
        """Audit the evidence with the command line, in the guest; it must be accepted."""
        argv = ("reconciler", "verify", f"{self.home}/evidence/{CLIENT}.git", "--json")
        signers = ("--signers", f"{self.home}/trust/evidence_signers")
        document = json.loads(self.guest.run(*argv, *signers).stdout)
        assert document["ok"] is True, document


def _crowded(host: str) -> str:
    """The declaration with more services and files, which only the storm looks at."""
    units = "".join(f"    - {{name: extra-{n}, unit: extra-{n}.service}}\n" for n in range(26))
    files = "".join(
        f'    - {{name: extra-{n}, path: /srv/extra-{n}, mode: "0600", uid: 0, gid: 0}}\n'
        for n in range(24)
    )
    host = host.replace("  units:\n", f"  units:\n{units}", 1)
    return host.replace("  secret_files:\n", f"  secret_files:\n{files}", 1)


class StormPractice:
    """Four appliances of one fleet in one guest, and a runbook that only says that it did.

    Attributes:
        site: The first, whose engineer commits.
    """

    def __init__(self, guest: Guest) -> None:
        """Enrol them now."""
        self._guest = guest
        first = guest.share / DESKS[0]
        self.site = Site(scaffold(first, CLIENT, DESKS[0]), first)
        fleet = self.site.fleet
        (fleet / "policies/baselines/desk-v1.yaml").write_text(_BASELINE)
        client = fleet / f"hosts/{CLIENT}/client.yaml"
        client.write_text(declaration(ADMIN, "")[f"hosts/{CLIENT}/client.yaml"])
        for name in DESKS:
            (fleet / f"hosts/{CLIENT}/{name}.yaml").write_text(_DESK.format(name=name))
        runbook = fleet / "runbooks/RB-FILE-001.yaml"
        runbook.write_text(with_steps(_PRETENDS)(runbook.read_text()))
        assert pin_runbooks(fleet) == ("RB-FILE-001",)
        self.site.commit("Declare four desks")
        signers = fleet / "policies" / "trust" / "allowed_signers"
        for name in DESKS[1:]:
            joins = Joins(f"/share/{DESKS[0]}/fleet", signers)
            scaffold(guest.share / name, CLIENT, name, joins=joins)

    def run(self, desk: str) -> dict[str, Any]:
        """One run in the guest, by the command line."""
        argv = ("reconciler", "run", "--once", "--json", "--config")
        done = self._guest.run(*argv, f"/share/{desk}/reconciler.yaml", check=False)
        document: dict[str, Any] = json.loads(done.stdout or done.stderr)
        return document

    def evidence(self) -> list[str]:
        """The options of `reconciler guard fleet`, on the host."""
        options = ["--fleet", str(self.site.fleet)]
        for desk in DESKS[:3]:
            home = self._guest.share / desk
            options += ["--evidence", str(home / "evidence" / f"{CLIENT}.git")]
            options += ["--signers", str(home / "trust" / "evidence_signers")]
        return options
