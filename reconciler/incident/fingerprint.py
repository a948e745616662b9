"""The fingerprint of a fault: the same for the same fault, however often it comes back.

Rule 1: It names what differs, not what was read: a number that fails today and another that fails
        tomorrow are one fault, two different texts are two.
Rule 2: It holds nothing but the digest, so no observed value leaves by it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from reconciler.evidence.canonical import digest
from reconciler.model.finding import Finding, Severity, Status
from reconciler.model.incident import Source
from reconciler.model.values import Value

_SOURCES: tuple[tuple[str, Source], ...] = (("LNX-EVT-", "journal"), ("LNX-PSI-", "pressure"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one look says about one bound rule.

    Attributes:
        rule: The bound rule.
        check: Its check.
        status: The finding's.
        severity: The rule's.
        controls: ``<framework>:<control>`` ids.
        source: What saw it.
        fingerprint: Of a ``fail``; empty for every other status.
        renewed: Another system is wanted than the rule was last put right with.
    """

    rule: str
    check: str
    status: Status
    severity: Severity
    controls: tuple[str, ...]
    source: Source
    fingerprint: str
    renewed: bool = False


def sighting(finding: Finding, gauges: Collection[str], *, renewed: bool = False) -> Sighting:
    """A finding as incidents see it.

    Args:
        finding: Of the look.
        gauges: Fields of its check that move while nothing changes.
        renewed: Whether another system is wanted than its rule was last put right with.

    Raises:
        EvidenceError: An observed value has no canonical form.
    """
    return Sighting(
        rule=finding.rule,
        check=finding.check,
        status=finding.status,
        severity=finding.severity,
        controls=finding.controls,
        source=source_of(finding.check),
        fingerprint=fingerprint(finding, gauges) if finding.status == "fail" else "",
        renewed=renewed,
    )


def source_of(check: str) -> Source:
    """What sees the findings of a check."""
    return next((source for prefix, source in _SOURCES if check.startswith(prefix)), "check")


def fingerprint(finding: Finding, gauges: Collection[str]) -> str:
    """Hex SHA-256 over client, host, check, rule and what differs, in normal form.

    Raises:
        EvidenceError: An observed value has no canonical form.
    """
    client, _, host = finding.target.partition("/")
    return digest(
        {
            "client": client,
            "host": host,
            "check": finding.check,
            "rule": finding.rule,
            "diff": {
                name: None if name in gauges else _normal(finding.observed.get(name))
                for name in sorted(finding.failed)
            },
        }
    )


def _normal(value: Value | None) -> object:
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return "number"
    if isinstance(value, tuple):
        return sorted({str(item) for item in value})
    return value
