import time

import pytest

from reconciler.model.trust_policy import TrustPolicy
from reconciler.trust.paths import Owners, matches
from tests.support.trust_policies import policy


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("**", "README.md"),
        ("**", "a/b/c"),
        ("runbooks/**", "runbooks/RB.yaml"),
        ("runbooks/**", "runbooks"),
        ("runbooks/**", "runbooks/a/b/c"),
        ("*.md", "README.md"),
        ("a*b*c", "abc"),
        ("a*b*c", "axxbbyc"),
        ("a/*/c", "a/b/c"),
        ("**/x", "x"),
        ("**/x", "a/b/x"),
        ("a/**/b/**/c", "a/b/c"),
        ("a/**/b/**/c", "a/x/b/b/y/c"),
        ("hosts/{client}/**", "hosts/elm/x.yaml"),
        ("hosts/{client}/*", "hosts/elm/line\nbreak"),
        ("a**".replace("**", "*"), "a"),
    ],
)
def test_pattern_covers_a_path(pattern, path):
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*", "a/b"),
        ("*.md", "docs/x.md"),
        ("runbooks/**", "runbooks2/x"),
        ("runbooks/**", "Runbooks/x"),
        ("a/*/c", "a/c"),
        ("ab*ba", "aba"),
        ("a*b*c", "acb"),
        ("**/x/y", "y"),
        ("a/**/a", "a"),
        ("a/**/b/**/c", "a/c"),
        ("hosts/{client}/**", "hosts"),
        ("README", "README.md"),
        ("a.c", "abc"),
    ],
)
def test_pattern_leaves_a_path_alone(pattern, path):
    assert not matches(pattern, path)


def test_first_rule_that_matches_owns_a_path_and_names_its_client():
    owners = Owners(TrustPolicy.model_validate(policy()))
    trust = owners.of("policies/trust/policy.yaml")
    host = owners.of("hosts/elm-street/desk.yaml")
    rest = owners.of("README.md")
    assert trust and host and rest
    assert (trust.rule.id, trust.client) == ("trust", None)
    assert (host.rule.id, host.client) == ("clients", "elm-street")
    assert owners.of("hosts/elm-street/desk.yaml") is host
    assert rest.rule.id == "rest"


def test_path_without_a_rule_has_no_owner():
    rules = ({"id": "trust", "paths": ("policies/**",), "authors": ("security",), "approvals": 0},)
    owners = Owners(TrustPolicy.model_validate(policy(rules=rules)))
    assert owners.of("README.md") is None
    assert owners.of("policies/rules/x.yaml") is not None


def test_names_made_to_cost_time_do_not():
    begun = time.perf_counter()
    assert not matches("/".join(["**", "*a*a*a*a*b"] * 20), "/".join(["a" * 250] * 60))
    assert time.perf_counter() - begun < 1
