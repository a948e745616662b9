"""An appliance whose machine is a fake: real fleet, real ledger, real guards, injected drift.

Three rules of the shipped policies with their shipped runbooks: a kernel parameter (RB-SYSCTL-001),
a service (RB-SERVICE-001) and a secret file (RB-FILE-001), and the two rules about ourselves.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler import Options, RunReport, load_settings, open_appliance, reconcile
from reconciler.engine.appliance import Appliance, read_ledger
from reconciler.evidence.record import Record
from reconciler.ledger.verify import Verification, load_signers, verify
from reconciler.model.answer import Answer
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.probe import ClockState, Internal, Probe, ReadFile
from reconciler.ports import Target
from reconciler.testing.fake_machine import FakeFile, FakeMachine, FakeUnit
from reconciler.testing.fake_target import FakeTarget, Fault
from tests.support.appliances import SettableClock, Site, new_site

CLIENT, HOST = "example-clinic", "workstation"
HOST_FILE = f"hosts/{CLIENT}/{HOST}.yaml"
CLIENT_FILE = f"hosts/{CLIENT}/client.yaml"
BASELINE_FILE = "policies/baselines/drill-v1.yaml"
BOOT = "0123abcd-0000-4000-8000-000000000001"
SYSCTL, SERVICE, SECRET = (
    "sysctl-syncookies",
    "units-running[bridge]",
    "secret-files-private[key]",
)

HOST_TEXT = """\
id: workstation
kind: linux
mode: enforce
policies: [drill-v1]
access_path:
  - unit:ssh.service
declares:
  units:
    - {name: bridge, unit: bridge.service}
  secret_files:
    - {name: key, path: /etc/bridge/key, mode: "0600", uid: 0, gid: 0}
"""
BASELINE = """\
id: drill-v1
title: What the fake machine can show
version: 1.0.0
platforms: [linux]
frameworks: [hipaa]
rules:
  - sysctl-syncookies
  - units-running
  - secret-files-private
  - evidence-chain
  - intent-trusted
"""


def clean_machine() -> FakeMachine:
    return FakeMachine(
        files={"/etc/bridge/key": FakeFile(b"secret", 0o600)},
        units={"bridge.service": FakeUnit("active", "enabled")},
        sysctls={"net.ipv4.tcp_syncookies": "1"},
    )


def break_sysctl(machine: FakeMachine) -> None:
    machine.sysctls["net.ipv4.tcp_syncookies"] = "0"


def break_service(machine: FakeMachine) -> None:
    machine.units["bridge.service"].active = "failed"


def break_secret(machine: FakeMachine) -> None:
    machine.files["/etc/bridge/key"].mode = 0o644


@dataclass(slots=True)
class Wired:
    """A fake target that also answers what the engine and the kernel would."""

    fake: Target
    internal: Callable[[str], Answer]
    drill: "Drill"

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        self.drill.asked.extend(probes)
        answers = dict(self.fake.ask(probes, deadline_s))
        return answers | {p: a for p in probes if (a := self._special(p)) is not None}

    def _special(self, probe: Probe) -> Answer | None:
        if probe in self.drill.hanging:
            return Answer("timeout", reason="did not answer in time")
        match probe:
            case Internal(topic):
                return self.internal(topic)
            case ReadFile("/proc/sys/kernel/random/boot_id"):
                return Answer("ok", f"{self.drill.boot}\n")
            case ClockState():
                synchronised = self.drill.synchronised
                return Answer("ok", {"synchronised": synchronised, "offset_us": 10})
        return None

    def carry_out(self, operation: Operation) -> OperationResult:
        return self.fake.carry_out(operation)


@dataclass
class Drill:
    """One appliance to break and heal."""

    site: Site
    clock: SettableClock
    machine: FakeMachine = field(default_factory=clean_machine)
    faults: list[Fault] = field(default_factory=list)
    hanging: set[Probe] = field(default_factory=set)
    carried: list[Operation] = field(default_factory=list)
    asked: list[Probe] = field(default_factory=list)
    hooks: list[str] = field(default_factory=list)
    boot: str = BOOT
    synchronised: bool | None = True

    def target(self, _root: str, internal: Callable[[str], Answer]) -> Target:
        fake = FakeTarget(self.machine, self.faults, carried=self.carried, clock=self.clock)
        return Wired(fake, internal, self)

    @contextmanager
    def open(self) -> Iterator[Appliance]:
        home = load_settings(Path(self.site.settings))
        with open_appliance(home, clock=self.clock, make_target=self.target) as appliance:
            yield appliance

    def run(self, *, after_s: float = 300, **options: Any) -> RunReport:
        """One run in an appliance opened for it, some time after the last."""
        self.clock.pass_time(after_s)
        with self.open() as appliance:
            return reconcile(appliance, Options(**({"hook": self.hooks.append} | options)))

    def edit(self, path: str, change: Callable[[str], str]) -> str:
        return self.site.edit(path, change, at=self.clock.at)

    def records(self) -> list[Record]:
        """The ledger, oldest first."""
        home = load_settings(Path(self.site.settings))
        return list(reversed(list(read_ledger(home))))

    def kinds(self) -> list[str]:
        return [record.entry.kind.value for record in self.records()]

    def bodies(self, kind: str) -> list[Mapping[str, Any]]:
        """Bodies of the entries of a kind that have a file."""
        wanted = (r.entry for r in self.records() if r.entry.kind.value == kind)
        return [entry.body for entry in wanted if not entry.slim]

    def verify(self) -> Verification:
        return verify(Path(self.site.evidence), load_signers(Path(self.site.signers)))


def new_drill(directory: Path, *, days_ago: int = 1, at: datetime | None = None) -> Drill:
    """A clean machine under enforcement, that has not run yet."""
    # In the morning of an earlier day: most of it is left before the date changes.
    day = datetime.now(UTC) - timedelta(days=days_ago)
    clock = SettableClock(at or day.replace(hour=6, minute=0))
    site = new_site(directory, clock)
    (site.made.fleet / BASELINE_FILE).write_text(BASELINE)
    site.edit(HOST_FILE, lambda _old: HOST_TEXT, at=clock.at)
    return Drill(site, clock)


def statuses(report: RunReport) -> dict[str, str]:
    return {finding.rule: finding.status for finding in report.findings}
