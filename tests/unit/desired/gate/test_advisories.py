"""What a scanner says, as the document that people sign: all of it, or nothing."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component
from cyclonedx.model.impact_analysis import ImpactAnalysisAffectedStatus
from cyclonedx.model.vulnerability import (
    BomTarget,
    BomTargetVersionRange,
    Vulnerability,
    VulnerabilityRating,
    VulnerabilitySeverity,
)
from cyclonedx.output.json import JsonV1Dot6

from reconciler.desired.gate.advisories import MAX_BYTES, vulnerabilities_text
from reconciler.desired.gate.secrets import find_secrets
from reconciler.desired.strict_yaml import load, validate
from reconciler.errors import InputError
from reconciler.model.vulnerabilities import MOST_OPEN, Vulnerabilities
from tests.support.scanning import (
    AS_OF,
    OTHER,
    SYSTEM,
    component,
    metadata,
    open_in,
    read,
    report,
    vulnerability,
)

HIGH = vulnerability("CVE-2026-10001")


def test_a_report_becomes_a_document_that_says_the_same() -> None:
    document = read(report(HIGH, vulnerability("GHSA-jfh8-c2jp-5v3q", "curl", "zlib")))
    assert (document.scanned, document.advisories_as_of) == (date(2026, 11, 1), AS_OF)
    assert (document.tool.name, document.tool.version) == ("grype", "0.87.0")
    assert (document.system, document.packages) == (SYSTEM, 3)
    assert open_in(document) == [
        ("CVE-2026-10001", "openssl", "3.0.14", None, "high"),
        ("GHSA-jfh8-c2jp-5v3q", "curl", "1.0", None, "high"),
        ("GHSA-jfh8-c2jp-5v3q", "zlib", "1.0", None, "high"),
    ]
    text = vulnerabilities_text("elm-street/desk", document)
    assert validate(load(text.encode(), "x.yaml"), Vulnerabilities) == document


def test_nothing_open_is_a_document_too() -> None:
    document = read(report())
    assert document.open == ()
    assert "open: []" in vulnerabilities_text("elm-street/desk", document)


def test_a_report_that_another_program_wrote_is_read() -> None:
    openssl = Component(name="openssl", version="3.0.14", bom_ref="one")
    bom = Bom(components=[openssl])
    bom.metadata.timestamp = datetime(2026, 11, 1, 23, 30, 0, 5, tzinfo=UTC)
    bom.metadata.tools.components.add(Component(name="trivy", version="0.58.1"))
    versions = [
        BomTargetVersionRange(version="3.0.14", status=ImpactAnalysisAffectedStatus.AFFECTED),
        BomTargetVersionRange(version="3.0.15", status=ImpactAnalysisAffectedStatus.UNAFFECTED),
    ]
    ratings = [
        VulnerabilityRating(severity=VulnerabilitySeverity.MEDIUM),
        VulnerabilityRating(severity=VulnerabilitySeverity.CRITICAL),
    ]
    bom.vulnerabilities.add(
        Vulnerability(
            id="CVE-2026-1", ratings=ratings, affects=[BomTarget(ref="one", versions=versions)]
        )
    )
    document = read(JsonV1Dot6(bom).output_as_string().encode())
    assert document.tool.name == "trivy"
    assert open_in(document) == [("CVE-2026-1", "openssl", "3.0.14", "3.0.15", "critical")]


def test_the_worst_that_anybody_says_counts_and_silence_is_not_harmless() -> None:
    twice = [vulnerability("CVE-2026-1", severity=s) for s in ("low", "critical", "medium")]
    silent = vulnerability("CVE-2026-2", severity=None)
    decided = vulnerability("CVE-2026-3") | {"analysis": {"state": "not_affected"}}
    document = read(report(*twice, silent, decided))
    assert [(o.id, o.severity) for o in document.open] == [
        ("CVE-2026-1", "critical"),
        ("CVE-2026-2", "unknown"),
        ("CVE-2026-3", "high"),
    ]


@pytest.mark.parametrize(
    ("versions", "fixed"),
    [
        ([{"range": "vers:generic/>=3.0.15", "status": "unaffected"}], "3.0.15"),
        ([{"version": "3.0.15", "status": "unaffected"}], "3.0.15"),
        ([{"range": "vers:generic/>=3.0.15|<4", "status": "unaffected"}], None),
        ([{"range": f"vers:deb/>={v}", "status": "unaffected"} for v in ("3.1", "4.0")], None),
        ([{"version": "3.0.14", "status": "affected"}], None),
        ([], None),
    ],
)
def test_a_mended_version_is_said_where_one_alone_is_named(
    versions: list[dict[str, str]], fixed: str | None
) -> None:
    affects = [{"ref": "ref-openssl", "versions": versions}]
    # Likelihoods and lists of what is exploited are ratings without a severity.
    ratings = [{"severity": "low"}, {"source": {"name": "FIRST"}, "score": 0.03, "method": "other"}]
    document = read(report(HIGH | {"affects": affects, "ratings": ratings}))
    assert open_in(document) == [("CVE-2026-10001", "openssl", "3.0.14", fixed, "low")]


def test_the_day_of_a_scan_is_that_of_utc_and_parts_of_parts_are_packages() -> None:
    inner = component("openssl", None, components=[component("inner", "2")])
    late = metadata(timestamp="2026-11-01T23:30:00-05:00", tools=[{"name": "a", "version": "1"}])
    document = read(report(vulnerability("CVE-2026-1", "inner"), metadata=late, components=[inner]))
    assert (document.scanned, document.packages) == (date(2026, 11, 2), 2)
    assert open_in(document) == [("CVE-2026-1", "inner", "2", None, "high")]


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("gtk+", "2.0+git?x=1_2"),
        (".hidden", ".5"),
        ("-dash", "-1.2"),
        ("=a?", "="),
        ("x" * 200, "1" * 200),
    ],
)
def test_what_a_store_path_may_be_called_a_report_may_be_about(name: str, version: str) -> None:
    said = report(vulnerability("CVE-2026-1", name), components=[component(name, version)])
    document = read(said)
    assert open_in(document) == [("CVE-2026-1", name, version, None, "high")]
    text = vulnerabilities_text("elm-street/desk", document)
    assert validate(load(text.encode(), "x.yaml"), Vulnerabilities) == document


def test_an_advisory_may_be_of_the_system_itself() -> None:
    about = {**component("nixos-system-desk", "26.05"), "bom-ref": SYSTEM}
    whole = {**vulnerability("CVE-2026-1"), "affects": [{"ref": SYSTEM}]}
    said = report(whole, metadata=metadata(component=about))
    assert open_in(read(said)) == [("CVE-2026-1", "nixos-system-desk", "26.05", None, "high")]


def test_no_scan_for_secrets_objects_to_a_document() -> None:
    document = read(report(HIGH, vulnerability("GHSA-jfh8-c2jp-5v3q", "curl")))
    path = "policies/vulnerabilities/elm-street/desk.yaml"
    text = vulnerabilities_text("elm-street/desk", document)
    assert list(find_secrets({path: text.encode()})) == []


def deep(levels: int) -> dict[str, Any]:
    made = component("c")
    for level in range(levels):
        made = component(f"c{level}", components=[made])
    return made


WRONG: Mapping[str, tuple[Any, str]] = {
    "another system": (
        report(metadata=metadata(component={"bom-ref": OTHER, "name": "x"})),
        "is about /nix/store/1h2h",
    ),
    "tomorrow": (report(metadata=metadata(timestamp="2026-11-02T12:00:01Z")), "still to come"),
    "no offset": (report(metadata=metadata(timestamp="2026-11-01T10:00:00")), "when it was made"),
    "no time": (report(metadata=metadata(timestamp="yesterday")), "when it was made"),
    "number for a time": (report(metadata=metadata(timestamp=0)), "metadata.timestamp"),
    "beyond all times": (report(metadata=metadata(timestamp="0001-01-01T00:00:00+14:00")), "when"),
    "before its advisories": (
        report(metadata=metadata(timestamp="2026-10-30T23:00:00Z")),
        "advisories_as_of is after scanned",
    ),
    "a bill and no scan": ({k: v for k, v in report().items() if k != "vulnerabilities"}, "fault"),
    "nothing was looked at": (report(components=[]), "fault at components"),
    "only we were there": (
        report(metadata=metadata(tools={"components": [{"name": "reconciler", "version": "1"}]})),
        "names no scanner",
    ),
    "no tool": (report(metadata=metadata(tools=[])), "names no scanner"),
    "tool without version": (
        report(metadata=metadata(tools=[{"name": "grype"}])),
        "not its version",
    ),
    "other form": (report(bomFormat="SPDX"), "fault at bomFormat"),
    "later form": (report(specVersion="2.0"), "fault at specVersion"),
    "no such component": (
        report(vulnerability("CVE-2026-1", "vim")),
        "CVE-2026-1 of a component that is not in it",
    ),
    "of nothing": (report(HIGH | {"affects": []}), "affects"),
    "one name for two": (report(components=[component("curl")] * 2), "one bom-ref to two"),
    "id that says more": (report(vulnerability("CVE of the doctor")), "vulnerabilities.0.id"),
    "grave": (report(vulnerability("CVE-2026-1", severity="grave")), "ratings.0.severity"),
    "text for a list": (report(vulnerabilities="none"), "vulnerabilities"),
    "package that is prose": (
        report(HIGH, components=[component("openssl", "see below")]),
        "the report on CVE-2026-10001 has a fault at version",
    ),
    "deep": (report(components=[deep(400)]), "the report has a fault"),
    "no JSON": (b"{", "is not JSON"),
    "no text": (b"\xff", "is not JSON"),
    "a name twice": (b'{"bomFormat": "CycloneDX", "bomFormat": "CycloneDX"}', "is not JSON"),
    "no number": (b'{"bomFormat": NaN}', "is not JSON"),
    "bomb": (b"[" * 100_000, "is not JSON"),
    "a list": (b"[]", "the report has a fault"),
    "huge": (b" " * (MAX_BYTES + 1), "larger than 32 MiB"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_not_understood_whole_is_refused(case: str) -> None:
    document, said = WRONG[case]
    with pytest.raises(InputError) as refused:
        read(document)
    assert said in refused.value.message
    assert len(refused.value.message) < 500


def test_a_hundred_thousand_advisories_are_refused_and_the_most_are_read_back() -> None:
    many = [vulnerability(f"CVE-2026-{number}") for number in range(100_000)]
    with pytest.raises(InputError, match="more than 1000 open advisories"):
        read(json.dumps(report(*many)).encode())
    document = read(report(*many[:MOST_OPEN]))
    assert vulnerabilities_text("elm-street/desk", document).count("CVE-2026-") == MOST_OPEN
