"""No advisory that counts is open in the system that runs (45 CFR 164.308(a)(1)(ii)(A), (B)).

An appliance knows no advisories. What it is given is the report of a scan, signed with the fleet,
and a report says something only of the system that was scanned.

Rule 1: Of a system that nobody scanned nothing is known: a report of another one, or none, is no
        observation. A rule judges how old the scan and its advisories are.
Rule 2: What nobody has rated counts as the worst.

Source: NIST SP 800-53 RA-5, SI-2; CycloneDX 1.6 (ECMA-424), ``vulnerabilities``.
"""

from reconciler.checks.parsing.declared import MOST_NAMES
from reconciler.checks.parsing.moments import unix_s
from reconciler.checks.parsing.records import Record, record, records
from reconciler.checks.parsing.shapes import NOW, age, word
from reconciler.checks.parsing.trusted_system import RUNNING, link_to_system
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Internal, Probe
from reconciler.model.values import Params

_REPORT = Internal("vulnerabilities")
_WHAT = "the report of the scan"
_DAY = 86_400
_RANKS = {"none": 0, "info": 0, "low": 1, "medium": 2, "high": 3, "critical": 4, "unknown": 5}


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (_REPORT, RUNNING, NOW)


def _parse(params: Params, answers: Answers) -> Values | NotApplicable:
    report = record(answers.data(_REPORT), _WHAT)
    running = link_to_system(answers, RUNNING)
    if running is None or report.text("system") != running:
        raise Unobservable(f"{_WHAT} is about another system than the one that runs")
    least = _RANKS[str(params["severity"])]
    advisories = records(report.fields.get("open"), _WHAT)
    overdue = {word(one.text("id"), "an advisory") for one in advisories if _rank(one) >= least}
    return {
        "system": running,
        "scanned_age_days": _days(answers, report, "scanned"),
        "advisories_age_days": _days(answers, report, "advisories_as_of"),
        "packages": report.whole("packages", lowest=1),
        "open_count": len(advisories),
        "overdue": tuple(sorted(overdue)[:MOST_NAMES]),
        "overdue_count": len(overdue),
    }


def _rank(advisory: Record) -> int:
    rank = _RANKS.get(advisory.text("severity"))
    if rank is None:
        raise Unobservable(f"{_WHAT}: severity is not a known one")
    return rank


def _days(answers: Answers, report: Record, name: str) -> int:
    """Whole days since the beginning of a day in UTC."""
    return age(answers, unix_s(f"{report.text(name)}T00:00:00Z", name), _WHAT) // _DAY


CHECK = Check(
    id="LNX-VULN-001",
    title="No overdue known vulnerabilities in the closure",
    platforms=frozenset({"nixos"}),
    source="NIST SP 800-53 RA-5, SI-2; CycloneDX 1.6 (ECMA-424)",
    params={
        "severity": Parameter(
            type="str",
            doc="Lowest severity that counts.",
            required=False,
            default="high",
            enum=("low", "medium", "high", "critical"),
        )
    },
    fields={
        "system": Field("str", "Store path of the system that runs, and was scanned."),
        "scanned_age_days": Field("int", "Whole days since the scan, in UTC.", gauge=True),
        "advisories_age_days": Field(
            "int", "Whole days since the day of what the scanner knew, in UTC.", gauge=True
        ),
        "packages": Field("int", "Packages that the scanner looked at."),
        "open_count": Field("int", "Advisories that are open, of any severity."),
        "overdue": Field(
            "list[str]",
            f"Open advisories of a severity that counts, or of none; at most {MOST_NAMES} ids.",
        ),
        "overdue_count": Field("int", "How many there are."),
    },
    probes=_probes,
    parse=_parse,
)
