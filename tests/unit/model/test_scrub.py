import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.desired.refusal import HINTS
from reconciler.model.quotable import HOLE
from reconciler.model.scrub import Own, scrub, scrub_value
from reconciler.model.values import LONGEST_REASON, Value
from reconciler.model.vocabulary import NAMES, WORDS

ROOT = Path(__file__).resolve().parents[3]
VECTORS = ROOT / "tests" / "vectors"
CASES = json.loads((VECTORS / "scrub" / "cases.json").read_text())
OBSERVED = sorted((VECTORS / "checks").glob("*/*/expected.json"))

STORE_PATH = "/nix/store/3g4b5zrnp8kmcl1h7p1y3sxb0ba0q4rd-NetworkManager-1.52.0"

# A name of a person that is a word, too, and which messages of machines cannot do without.
WORDS_THAT_ARE_NAMES = {
    "may",
    "mark",
    "will",
    "long",
    "short",
    "small",
    "day",
    "field",
    "fields",
    "weeks",
}
COMMON_NAMES = """
james mary john patricia robert jennifer michael linda william elizabeth david barbara richard susan
joseph jessica thomas sarah charles karen maria anna emma olivia noah liam sophia mark paul steven
grant rich rose grace joy hope faith dawn ray guy drew chase hunter mason page bill bob rob art gene
smith johnson williams brown jones garcia miller davis rodriguez martinez hernandez lopez gonzalez
wilson anderson taylor moore jackson martin lee perez thompson white harris clark lewis robinson
walker young allen king wright scott hill green adams baker hall carter parker cook bell ward wood
gray price long ross foster reed bailey cooper rivers fields day weeks strong small short stone bush
fox wolf rice west marsh cash may will alice carol eve mallory field
""".split()  # noqa: SIM905 - a list of names in quotes cannot be read
SPEAKERS = {
    "Unobservable", "NoAnswer", "Answer", "NotApplicable", "OperationResult", "Verdict", "refuse",
    "IntentRefused", "MachineError", "EvidenceError", "Objection", "Fault",
}  # fmt: skip
SAYS = {"what", "reason", "message", "problem"}
PACKAGES = (
    "checks", "steps", "diff", "plan", "guard", "observe", "act", "desired", "targets", "transport",
    "evidence", "engine",
)  # fmt: skip
# Their words are chosen by whoever writes a file of the fleet, so the place alone is told.
QUOTE_AUTHORS = {"holds the character U+", "looks like a secret ("}


def own_of(case: dict[str, Any]) -> Own:
    own = case.get("own", {"names": [], "words": []})
    return Own(frozenset(own["names"]), frozenset(own["words"]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_is_kept_of_a_text(case: dict[str, Any]) -> None:
    said = scrub(case["in"], own_of(case))

    counted = re.search(r"\[withheld: ([0-9]+) words?", said)
    assert said == case["out"]
    assert int(counted[1] if counted else 0) == case["withheld"]
    assert scrub(said, own_of(case)) == said, "scrubbing again changes it"


@pytest.mark.parametrize("hint", HINTS.values(), ids=HINTS)
def test_what_a_refusal_says_is_kept(hint: str) -> None:
    assert scrub(hint) == hint


def test_what_checks_said_of_recorded_answers_is_kept() -> None:
    said = [json.loads(file.read_text()) for file in OBSERVED]
    reasons = {r for one in said for k in ("unobservable", "not_applicable") if (r := one.get(k))}

    lost = {reason: scrub(reason) for reason in reasons if scrub(reason) != reason}

    assert len(reasons) > 60
    # A home is named after whoever lives in it; the path that was asked for stays.
    assert lost == {
        "/home/*/.ssh/authorized_keys: permission denied; needs root: /home/alice/.ssh": (
            "/home/*/.ssh/authorized_keys: permission denied; needs root: /home/…"
            " [withheld: 1 word that may identify a person]"
        ),
        **{reason: short for reason, short in lost.items() if "/restore-tests/huge" in reason},
    }


def test_what_checks_observed_is_kept_but_for_paths_that_somebody_chose() -> None:
    values = [
        (name, tuple(value) if isinstance(value, list) else value)
        for file in OBSERVED
        for name, value in json.loads(file.read_text()).get("values", {}).items()
    ]
    changed = [(name, value) for name, value in values if scrub_value(value) != value]

    assert len(values) > 500
    assert [value for name, value in changed if "/tmp/x" not in str(value)] == []


def literals(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") in SAYS for t in node.targets):
            yield text_of(node.value)
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in SPEAKERS:
                yield from map(text_of, node.args)
                yield from (text_of(k.value) for k in node.keywords if k.arg != "hint")


def text_of(node: ast.expr) -> str:
    """A literal as it is, with a slash in place of what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "/" for p in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return str(node.value) if isinstance(node, ast.Constant) else ""


def test_the_words_of_our_own_messages_are_known() -> None:
    files = [f for package in PACKAGES for f in (ROOT / "reconciler" / package).rglob("*.py")]
    said = {text for file in files for text in literals(ast.parse(file.read_text()))}
    ours = {text for text in said if " " in text}

    lost = {text for text in ours if scrub(text) != text}

    assert len(ours) > 300
    assert {t for t in lost if not any(t.startswith(known) for known in QUOTE_AUTHORS)} == set(), (
        "put the missing words into reconciler/model/vocabulary.py"
    )


def test_the_vocabulary_holds_no_names_but_those_that_are_needed() -> None:
    assert {name for name in COMMON_NAMES if name in WORDS} <= WORDS_THAT_ARE_NAMES
    assert {name.capitalize() for name in COMMON_NAMES} & NAMES == set()
    assert all(word == word.lower() and word.isascii() for word in WORDS)


@pytest.mark.parametrize("name", sorted(WORDS_THAT_ARE_NAMES))
def test_a_name_that_is_a_word_is_withheld_where_it_has_a_capital(name: str) -> None:
    assert name.capitalize() not in scrub(f"the file of {name.capitalize()} is locked")


def test_a_long_text_is_cut_at_a_word_and_may_be_scrubbed_again() -> None:
    said = scrub("no such file; " * 200)

    assert said.startswith("no such file; no")
    assert said.endswith(f" {HOLE}")
    assert len(said) <= LONGEST_REASON
    assert scrub(said) == said
    assert scrub("x" * 5000) == HOLE


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (("alice", "bob"), ("alice", "bob")),
        ((22, 443), (22, 443)),
        (True, True),
        (None, None),
        ("4096 131072 33554432", "4096 131072 33554432"),
        (("aes256-gcm@openssh.com",), ("aes256-gcm@openssh.com",)),
        (("/", "/var/lib"), ("/", "/var/lib")),
        (("/media/Maria Gonzalez", "/mnt"), ("/media/…", "/mnt")),
        (("/Gonzalez",), ("…",)),
        ("-w /srv/Gonzalez.pdf -p wa -k identity", "-w /srv/… -p wa -k identity"),
        (
            ("maria@example.org", "root"),
            ("[withheld: 1 word that may identify a person]", "root"),
        ),
        ("123-45-6789", "[withheld: 1 word that may identify a person]"),
        ("268435456", "268435456"),
        (STORE_PATH, STORE_PATH),
        ((f"{STORE_PATH}/Gonzalez.pdf",), ("/nix/store/…",)),
        ("born 1950-03-04", "[withheld: 2 words that may identify a person]"),
    ],
    ids=repr,
)
def test_what_is_kept_of_a_value(value: Value, kept: Value) -> None:
    assert scrub_value(value) == kept
    assert scrub_value(kept) == kept


def test_a_value_that_the_desired_state_names_is_kept() -> None:
    own = Own(names=frozenset({"/srv/scans-2024", "-w /srv/scans-2024 -p wa"}))

    assert scrub_value(("/srv/scans-2024",), own) == ("/srv/scans-2024",)
    assert scrub_value(("-w /srv/scans-2024 -p wa",), own) == ("-w /srv/scans-2024 -p wa",)
