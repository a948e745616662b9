"""A verification as SARIF 2.1.0, for tools that collect findings of many programs.

Source: OASIS SARIF 2.1.0. A fault is a result of level ``error``; a claim that is not proven is one
of level ``note``, so that its absence is read; a claim that is false is an ``error``, too.

Rule 1: The same verification gives the same bytes: no clock, no paths of this machine.
Rule 2: Places are logical (branch, commit, entry, path): there is no line to point to.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from reconciler.evidence.canonical import digest, encode
from reconciler.evidence.claims import Claim, State
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.report import words
from reconciler.report.fault_help import MEANING

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION = "2.1.0"
FINGERPRINT = "reconcilerFinding/v1"
CLAIM_RULE = "not-proven"

Json = dict[str, Any]


class Verified(Protocol):
    """What was proven about a repository."""

    @property
    def ok(self) -> bool:
        """Whether everything verifies."""
        ...

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that is wrong."""
        ...

    @property
    def unproven(self) -> tuple[Claim, ...]:
        """Claims that are not proven, or false."""
        ...


def sarif(result: Verified, version: str) -> bytes:
    """The whole log, as canonical JSON: one run.

    Args:
        result: The outcome of a verification.
        version: Of this program.
    """
    driver = {
        "name": "reconciler verify",
        "version": version,
        "semanticVersion": version,
        "rules": [*(_rule(code) for code in Code), _claim_rule()],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "exitCode": 0 if result.ok else 6}],
        "results": [*_faults(result.faults), *_claims(result.unproven)],
    }
    return encode({"$schema": SCHEMA, "version": VERSION, "runs": [run]})


def _rule(code: Code) -> Json:
    meaning, advice = MEANING[code]
    return {
        "id": code.value,
        "name": code.name.title().replace("_", ""),
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": meaning},
        "help": {"text": advice},
        "defaultConfiguration": {"level": "error"},
    }


def _claim_rule() -> Json:
    meaning = "Something that could be proven about a ledger is not."
    return {
        "id": CLAIM_RULE,
        "name": "NotProven",
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": meaning},
        "help": {"text": "See docs/auditing.md: what each claim means, and what proves it."},
        "defaultConfiguration": {"level": "note"},
    }


def _faults(faults: Iterable[Fault]) -> Iterable[Json]:
    for fault in faults:
        number = list(Code).index(fault.code)
        yield _result(fault.code.value, number, "error", fault.message, _places(fault.place))


def _claims(unproven: Iterable[Claim]) -> Iterable[Json]:
    for claim in unproven:
        level = "error" if claim.state is State.FALSE else "note"
        place = _place(claim.ref, claim.subject, "namespace")
        text = f"{claim.subject}: {claim.sentence}"
        yield _result(CLAIM_RULE, len(Code), level, text, [place])


def _result(rule: str, number: int, level: str, text: str, places: list[Json]) -> Json:
    said = words.clip(text, 2000) or rule
    names = [place["fullyQualifiedName"] for place in places]
    return {
        "ruleId": rule,
        "ruleIndex": number,
        "level": level,
        "message": {"text": said},
        "locations": [{"logicalLocations": places}],
        "partialFingerprints": {FINGERPRINT: digest(encode([rule, said, names]))},
    }


def _places(place: Place) -> list[Json]:
    """Whatever is known of a place; the repository itself if nothing is."""
    found = []
    if place.seq is not None:
        found.append(_place(f"entry/{place.seq}", str(place.seq), "member"))
    if place.commit is not None:
        found.append(_place(f"commit/{place.commit}", place.commit, "object"))
    if place.path is not None:
        found.append(_place(f"path/{place.path}", place.path, "resource"))
    return found or [_place("repository", "repository", "module")]


def _place(full: str, name: str, kind: str) -> Json:
    return {
        "name": words.clip(name),
        "fullyQualifiedName": words.clip(full, 1000),
        "kind": kind,
    }
