"""What an appliance concludes from a report of a scan that its fleet holds, rule and all."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.checks import catalogue as checks
from reconciler.desired.directory import read_directory
from reconciler.desired.fleet import read_fleet
from reconciler.desired.gate.advisories import vulnerabilities_text
from reconciler.desired.graph import check_fleet
from reconciler.desired.resolve import resolve
from reconciler.engine.introspect import Declared, Introspection, LedgerWatch
from reconciler.engine.look import Eye
from reconciler.errors import ExitCode
from reconciler.ledger.store import Ledger
from reconciler.model.answer import Answer
from reconciler.model.finding import Finding
from reconciler.model.nixos_probe import RealPath
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.probe import Internal, Probe
from reconciler.model.run import IntentStatus
from reconciler.model.system_links import CURRENT
from reconciler.steps import catalogue as steps
from tests.support.release_drill import TARGET, new_release_drill
from tests.support.scanning import NOW, OTHER, SYSTEM, read, report, vulnerability

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]
FILE = "policies/vulnerabilities/example-clinic/appliance.yaml"
RULE = "nixos-vulnerabilities"
DECISION = """\
id: openssl-waits
status: risk_accepted_noncompliant
control: hipaa:164.308(a)(1)(ii)(A)
rules: [nixos-vulnerabilities]
hosts: [appliance]
assessment: CVE-2026-10001 needs a client that connects; none does.
decided_on: 2026-11-01
reason: The fix is in the next release of nixpkgs.
alternative: [LNX-NET-002]
owner: Security official of the practice
approver: Owner of the practice
review_by: 2026-12-01
"""
EXCEPTION = "policies/exceptions/example-clinic/openssl-waits.yaml"
OPEN = report(vulnerability("CVE-2026-10001"), vulnerability("CVE-2026-10002", severity="medium"))


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return dict(read_directory(ROOT))


class Machine:
    """A machine of which nothing is asked but which system runs."""

    def __init__(self, internal: Callable[[str], Answer]) -> None:
        self._internal = internal

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        assert deadline_s > 0
        return {probe: self._answer(probe) for probe in probes}

    def _answer(self, probe: Probe) -> Answer:
        if isinstance(probe, Internal):
            return self._internal(probe.topic)
        assert probe == RealPath(CURRENT)
        return Answer("ok", SYSTEM)

    def carry_out(self, operation: Operation) -> OperationResult:
        raise AssertionError(operation)


def text(document: Mapping[str, Any], **options: Any) -> bytes:
    return vulnerabilities_text("example-clinic/appliance", read(document, **options)).encode()


def look(
    files: Mapping[str, bytes], changes: Mapping[str, bytes], *, at: datetime = NOW
) -> Finding:
    """The finding of the rule, as a run would make it."""
    fleet = read_fleet({**files, **changes})
    state = resolve(
        fleet, "example-clinic", "appliance", commit="c", tree="d", checks=checks.load()
    )
    status = IntentStatus(
        commit="c", counter=0, fetched=True, refused=None, exit_code=ExitCode.CLEAN
    )
    known = Introspection(
        watch=LedgerWatch(cast(Ledger, None)),
        open_intents=0,
        newest_at=at,
        status=status,
        reached_at=at,
        now=lambda: at,
        target=state.target,
        root=False,
        declared=Declared(vulnerabilities=state.vulnerabilities),
    )
    eye = Eye(
        desired=state,
        checks=checks.load(),
        target=Machine(known),
        deadline_s=10,
        salt=b"salt",
        today=at.date(),
    )
    (rule,) = (each for each in state.rules if each.rule == RULE)
    return eye.look([rule])[rule.id]


def errors(files: Mapping[str, bytes], changes: Mapping[str, bytes]) -> list[str]:
    found = check_fleet(read_fleet({**files, **changes}), checks.load(), steps.load())
    return [str(problem) for problem in found if problem.severity == "error"]


def test_only_a_fresh_report_of_what_runs_without_anything_that_counts_passes(
    files: dict[str, bytes],
) -> None:
    medium = report(vulnerability("CVE-2026-10002", severity="medium"))
    finding = look(files, {FILE: text(medium)})
    assert (finding.status, finding.observed["open_count"]) == ("pass", 1)
    assert errors(files, {FILE: text(medium)}) == []


def test_no_report_and_one_of_another_system_say_nothing(files: dict[str, bytes]) -> None:
    without = look(files, {})
    assert without.status == "unknown"
    assert "no report of a scan" in without.reason
    other = look(files, {FILE: text(report(), system=OTHER)})
    assert other.status == "unknown"
    assert "about another system" in other.reason
    # Of another client's host of the same name, nothing is read.
    theirs = {"policies/vulnerabilities/other-clinic/appliance.yaml": text(report())}
    assert look(files, theirs).status == "unknown"
    [said] = errors(files, theirs)
    assert "there is no host other-clinic/appliance" in said


@pytest.mark.parametrize(
    ("at", "status", "failed"),
    [
        (datetime(2026, 11, 7, 23, 59, tzinfo=UTC), "pass", ()),
        (datetime(2026, 11, 8, 0, 0, tzinfo=UTC), "fail", ("advisories_age_days",)),
        (NOW + timedelta(days=30), "fail", ("scanned_age_days", "advisories_age_days")),
        (NOW - timedelta(days=3), "unknown", ()),
    ],
)
def test_a_report_ages_and_one_of_the_future_is_none(
    files: dict[str, bytes], at: datetime, status: str, failed: tuple[str, ...]
) -> None:
    finding = look(files, {FILE: text(report())}, at=at)
    assert (finding.status, set(finding.failed)) == (status, set(failed))


def test_what_is_open_fails_and_a_decision_makes_no_pass_of_it(files: dict[str, bytes]) -> None:
    opened = {FILE: text(OPEN)}
    finding = look(files, opened)
    assert finding.status == "fail"
    assert finding.observed["overdue"] == ("CVE-2026-10001",)

    decided = opened | {EXCEPTION: DECISION.encode()}
    assert errors(files, decided) == []
    known = look(files, decided)
    assert (known.status, known.risk_accepted) == ("fail", "openssl-waits")
    after = look(files, decided, at=NOW + timedelta(days=60))
    assert (after.status, after.risk_accepted) == ("fail", None)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2026-12-01", "2026-12-02", "more than 30 days after 2026-11-01"),
        ("status: risk_accepted_noncompliant\n", "", "is required and cannot be excepted"),
    ],
)
def test_a_decision_is_short_and_no_way_around(
    files: dict[str, bytes], old: str, new: str, said: str
) -> None:
    found = errors(files, {EXCEPTION: DECISION.replace(old, new).encode()})
    assert any(said in problem for problem in found), found


def test_a_file_that_was_damaged_lets_nothing_pass(files: dict[str, bytes]) -> None:
    good = text(report())
    for damaged in (good[:-12], good.replace(b"open:", b"opened:"), b"", good + b"open: []\n"):
        assert errors(files, {FILE: damaged}) != []
    fleet = read_fleet({**files, FILE: good[:-12]})
    assert fleet.vulnerabilities == {}


def test_a_run_knows_the_report_that_was_signed_and_no_other(tmp_path: Path) -> None:
    site = new_release_drill(tmp_path / "site")
    path = f"policies/vulnerabilities/{TARGET}.yaml"
    site.run()
    assert site.internal("vulnerabilities").status == "absent"

    site.commit({path: vulnerabilities_text(TARGET, read(OPEN))})
    site.fleet.approve("bob")
    site.run()
    known = site.internal("vulnerabilities")
    assert [one["id"] for one in known.data["open"]] == ["CVE-2026-10001", "CVE-2026-10002"]

    # One person alone, where the trust policy asks for two.
    site.commit({path: vulnerabilities_text(TARGET, read(report()))})
    assert site.run().intent.refused is not None
    assert site.internal("vulnerabilities") == known
