import time

import pytest

from reconciler.diff.pattern import MAX_VALUE, pattern_problem, whole_match


@pytest.mark.parametrize(
    "pattern",
    [
        r"no",
        r"[a-z0-9-]+",
        r"[0-9]+\.[0-9]+\.[0-9]+",
        r"(?:SHA256:)?[A-Za-z0-9+/]{43}",
        r"^(yes|no|prohibit-password)$",
        r"(?i:debian) 1[2-9]",
        r"/nix/store/[0-9a-z]{32}-[A-Za-z0-9+._?=-]+",
        r"(?>a+)b",
        r"a*+b",
    ],
)
def test_ordinary_patterns_are_allowed(pattern: str) -> None:
    assert pattern_problem(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("a" * 513, "longer than 512"),
        (r"(a)\1", "backreference"),
        (r"(?P<x>a)(?P=x)", "backreference"),
        (r"(a)?(?(1)b|c)", "backreference"),
        (r"a(?=b)", "look-ahead"),
        (r"a(?!b)", "look-ahead"),
        (r"(?<=a)b", "look-behind"),
        (r"(a+)+", "repeats something"),
        (r"(a*)*b", "repeats something"),
        (r"(a?){40}a{40}", "repeats something"),
        (r"(?:x{1,9}){2}", "repeats something"),
        (r"(foo|bar)+", "choice between alternatives"),
        (r"((?:foo|bar)x){3}", "choice between alternatives"),
        (r".*.*.*.*.*.*.*.*", "too many parts"),
        ("a?" * 60, "too many parts"),
        ("(?:ab|ac|b)" * 40, "too many parts"),
        ("(", "not a regular expression"),
        ("[z-a]", "not a regular expression"),
        ("a{99999999999999999999}", "not a regular expression"),
        ("(" * 400 + ")" * 100, "not a regular expression"),
    ],
)
def test_a_pattern_that_can_run_away_is_refused_with_the_reason(pattern: str, why: str) -> None:
    assert why in str(pattern_problem(pattern))


def test_the_whole_value_must_match() -> None:
    assert whole_match("no", "no") is True
    assert whole_match("no", "nope") is False
    assert whole_match("no", "no\n") is False


def test_a_refused_pattern_matches_nothing_and_denies_nothing() -> None:
    assert whole_match("(a+)+", "aaa") is None


def test_a_value_longer_than_the_budget_allows_is_not_tried() -> None:
    assert whole_match("a*", "a" * MAX_VALUE) is True
    assert whole_match("a*", "a" * (MAX_VALUE + 1)) is None
    assert whole_match("a*a*a*b", "a" * MAX_VALUE) is None


@pytest.mark.parametrize("pattern", [".*.*b", "a*a*a*b", "[a-z]*[a-y]*[a-x]*[a-w]*b", "a*a?a*b"])
def test_the_worst_allowed_value_is_matched_within_the_budget(pattern: str) -> None:
    began = time.process_time()
    tried = [length for length in (48, 62, 250, 900, 4096) if _tried(pattern, "a" * length)]
    assert tried
    assert time.process_time() - began < 5


def _tried(pattern: str, value: str) -> bool:
    return whole_match(pattern, value) is not None
