"""What the graph says of reports of scans, and of decisions about what they found."""

from collections.abc import Mapping

import pytest

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from reconciler.desired.resolve import resolve
from tests.support.policy import CHECKS, STEPS, VECTORS, approved, files_under

REPORT = "policies/vulnerabilities/clinic/one.yaml"
ONE = '{id: CVE-2026-1, package: openssl, version: "3.0.14", fixed: null, severity: high}'
TEXT = f"""\
system: "/nix/store/0h2h3h4h5h6h7h8h9habacadafagahai-nixos-system-one-26.05"
scanned: 2026-11-01
advisories_as_of: 2026-10-31
tool: {{name: grype, version: "0.87.0"}}
packages: 812
open:
  - {ONE}
"""
BASELINE = """\
id: appliance
title: What an appliance must meet
version: 1.0.0
platforms: [nixos]
frameworks: []
rules: [root-login]
"""
HOST = "id: one\nkind: nixos\nmode: observe\npolicies: [appliance]\n"
APPLIANCE = {"policies/baselines/appliance.yaml": BASELINE, "hosts/clinic/one.yaml": HOST}


def fleet(changes: Mapping[str, str]) -> dict[str, bytes]:
    files = files_under(VECTORS / "base")
    return approved(files | {path: text.encode() for path, text in (APPLIANCE | changes).items()})


def said(changes: Mapping[str, str]) -> list[str]:
    found = check_fleet(read_fleet(fleet(changes)), CHECKS, STEPS)
    return [str(problem) for problem in found if problem.severity == "error"]


def test_a_report_is_a_part_of_the_desired_state_and_not_of_the_plan() -> None:
    def state(changes: Mapping[str, str]):
        read = read_fleet(fleet(changes))
        return resolve(read, "clinic", "one", commit="c", tree="d", checks=CHECKS)

    assert said({REPORT: TEXT}) == []
    without, scanned = state({}), state({REPORT: TEXT})
    assert without.vulnerabilities is None
    assert scanned.vulnerabilities is not None
    assert [one.id for one in scanned.vulnerabilities.open] == ["CVE-2026-1"]
    assert without.digest != scanned.digest
    assert without.plan_digest == scanned.plan_digest, "an approval of a plan outlives a scan"


def test_a_report_of_another_host_is_none_of_this_one() -> None:
    read = read_fleet(fleet({"policies/vulnerabilities/other/one.yaml": TEXT}))
    assert resolve(
        read, "clinic", "one", commit="c", tree="d", checks=CHECKS
    ).vulnerabilities is None  # fmt: skip


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("policies/vulnerabilities/clinic/won.yaml", "there is no host clinic/won"),
        ("policies/vulnerabilities/other/one.yaml", "there is no host other/one"),
        ("policies/vulnerabilities/clinic/desk.yaml", "its kind is linux"),
        ("policies/vulnerabilities/one.yaml", "no policy file belongs here"),
    ],
)
def test_a_report_of_who_has_none_is_said(path: str, problem: str) -> None:
    [found] = said({path: TEXT})
    assert path in found
    assert problem in found


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (f"  - {ONE}\n", f"  - {ONE}\n  - {ONE}\n", "twice for one version of a package"),
        ("as_of: 2026-10-31", "as_of: 2026-11-02", "advisories_as_of is after scanned"),
        ("scanned: 2026-11-01", "scanned: 2026-11-31", "scanned"),
        ("/nix/store/0h2h", "/nix/store/../", "system"),
        ("packages: 812", "packages: 0", "packages"),
        ("CVE-2026-1,", "see attached,", "open[0].id"),
        ("severity: high", "severity: harmless", "open[0].severity"),
        ("packages: 812\n", "packages: 812\nhost: clinic/one\n", "host: is not a known field"),
        (
            f"  - {ONE}\n",
            "".join(f"  - {ONE.replace('2026-1', f'2026-{n}')}\n" for n in range(1001)),
            "at most 1000 items",
        ),
    ],
)
def test_a_report_that_is_not_whole_is_an_error(old: str, new: str, problem: str) -> None:
    assert old in TEXT
    found = said({REPORT: TEXT.replace(old, new)})
    assert any(problem in one and REPORT in one for one in found), found
