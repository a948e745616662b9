"""What the graph says of rings and promotions, in the files that an engineer writes."""

from collections.abc import Mapping

import pytest

from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph import check_fleet
from reconciler.desired.resolve import resolve
from tests.support.policy import CHECKS, STEPS, VECTORS, approved, files_under

RINGS, PROMOTIONS = "policies/rings.yaml", "policies/promotions.yaml"
ORDER = """\
rings:
  - {id: canary, hosts: [clinic/one], soak_h: 24}
  - {id: early, tags: [early], soak_h: 48}
  - {id: rest}
"""
BASELINE = """\
id: appliance
title: What an appliance must meet
version: 1.0.0
platforms: [nixos]
frameworks: []
rules: [root-login]
"""
HOSTS = {"one": "[]", "two": "[early]", "three": "[]"}


def fleet(changes: Mapping[str, str]) -> dict[str, bytes]:
    """The small fleet and three appliances: one, two (tagged early) and three."""
    files = files_under(VECTORS / "base") | {"policies/baselines/appliance.yaml": BASELINE.encode()}
    for name, tags in HOSTS.items():
        text = f"id: {name}\nkind: nixos\nmode: observe\npolicies: [appliance]\ntags: {tags}\n"
        files[f"hosts/clinic/{name}.yaml"] = text.encode()
    return approved(files | {path: text.encode() for path, text in changes.items()})


def said(changes: Mapping[str, str]) -> list[str]:
    found = check_fleet(read_fleet(fleet(changes)), CHECKS, STEPS)
    return [f"{p.severity} {p.where}: {p.message}" for p in found]


def promoted(*rings: str, by: str = "", more: str = "") -> dict[str, str]:
    by = by or f"by: [{{host: clinic/one, seq: 7, sha256: '{'0' * 64}'}}]"
    lines = (
        f"  - revision: {'a' * 64}\n    ring: {ring}\n    opened: 2026-03-02T09:00:00Z\n    {by}\n"
        for ring in rings
    )
    return {RINGS: ORDER, PROMOTIONS: f"promotions:\n{''.join(lines)}{more}"}


def test_an_order_with_its_promotions_is_in_the_desired_state_and_its_digest() -> None:
    assert said({RINGS: ORDER}) == []
    assert said(promoted("early", "rest")) == []

    def state(changes: Mapping[str, str]):
        read = read_fleet(fleet(changes))
        return resolve(read, "clinic", "two", commit="c" * 40, tree="7" * 40, checks=CHECKS)

    without, with_rings, opened = state({}), state({RINGS: ORDER}), state(promoted("early"))
    assert [ring.id for ring in opened.rings.rings] == ["canary", "early", "rest"]
    assert [one.ring for one in opened.promotions.promotions] == ["early"]
    assert len({without.digest, with_rings.digest, opened.digest}) == 3
    assert without.plan_digest == opened.plan_digest, "an approval of a plan outlives a promotion"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("clinic/one", "clinic/won", "error {}:2: rings[0].hosts[0]: there is no host clinic/won"),
        ("clinic/one", "clinic/desk", "clinic/desk runs no system of a release: its kind is linux"),
        ("[clinic/one]", "[clinic/one, clinic/one]", "clinic/one is listed twice"),
        ("clinic/one", "clinic/two", "error {}:3: rings[1]: clinic/two is in rings canary and"),
        ("[early]", "[late]", "error {}:3: rings[1]: no host is in early"),
        ("soak_h: 48", "soak_h: 48, least: 2", "waits for 2 hosts, and early has 1"),
        ("id: rest", "id: early", "early is listed twice"),
        ("[clinic/one]", "[clinic/one, clinic/three]", "warning {}:4: rings[2]: no host is in"),
    ],
)
def test_an_order_that_would_never_end_or_orders_nothing_is_said(old, new, problem) -> None:
    found = said({RINGS: ORDER.replace(old, new)})
    assert any(problem.format(RINGS) in one for one in found), found


@pytest.mark.parametrize(
    ("rings", "problem"),
    [
        (("rest",), "error {}:3: promotions[0].ring: opens rest before early, so it opens nothing"),
        (("rest", "early"), "promotions[0].ring: opens rest before early"),
        (("early", "early"), "error {}:7: promotions[1].ring: early is open for it already"),
        (("canary",), "the first ring is always open"),
        (("erly",), "error {}:3: promotions[0].ring: there is no ring erly"),
    ],
)
def test_a_promotion_that_opens_nothing_is_said(rings: tuple[str, ...], problem: str) -> None:
    found = said(promoted(*rings))
    assert any(problem.format(PROMOTIONS) in one for one in found), found


def test_a_promotion_without_rings_or_with_a_host_twice_is_an_error() -> None:
    [alone] = said({PROMOTIONS: promoted("early")[PROMOTIONS]})
    assert alone.endswith("there is no ring early")
    one = f"{{host: clinic/one, seq: 7, sha256: '{'0' * 64}'}}"
    [doubled] = said(promoted("early", by=f"by: [{one}, {one}]"))
    assert doubled.endswith("promotions[0].by: clinic/one is listed twice")


def test_a_ring_that_people_open_by_themselves_is_shown() -> None:
    [problem] = said(promoted("early", by="reason: A hole in sshd."))
    assert problem == (
        f"warning {PROMOTIONS}:5: promotions[0].reason: opens early without evidence"
    )
