import hashlib
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical
from reconciler.model.system import Closure, VersionChange
from reconciler.trust import statements
from tests.support.attested import (
    APPROVAL,
    AT,
    COMMIT,
    DIFF,
    DIGEST,
    HEARTBEAT,
    NEWER,
    OTHER,
    RECOVERY,
    RELEASE,
    STATEMENTS,
    SYSTEMS,
    TREE,
)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda s: type(s).__name__)
def test_what_was_written_is_read(statement) -> None:
    payload = statements.write(statement)
    assert statements.read(payload) == statement
    assert payload == canonical.encode(json.loads(payload))


def test_an_approval_is_an_in_toto_statement_about_a_tree() -> None:
    assert json.loads(statements.write(APPROVAL)) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "tree", "digest": {"gitTree": TREE}}],
        "predicateType": "urn:reconciler:attestation:fleet-approval:v1",
        "predicate": {
            "branch": "main",
            "base": OTHER,
            "tree": TREE,
            "plan": DIGEST,
            "approver": "alice@msp.example",
            "issued": "2026-03-02T08:00:00Z",
            "expires": None,
        },
    }


def test_the_others_are_about_a_commit() -> None:
    for statement, fields in (
        (HEARTBEAT, {"branch", "commit", "counter", "time"}),
        (RELEASE, {"branch", "commit", "tree", "files_sha256", "time", "systems"}),
        (RECOVERY, {"branch", "replaces", "to", "tree", "issued", "reason"}),
    ):
        value = json.loads(statements.write(statement))
        assert value["subject"] == [{"name": "commit", "digest": {"sha256": DIGEST}}]
        assert set(value["predicate"]) == fields


def test_times_are_written_in_utc() -> None:
    vienna = timezone(timedelta(hours=1))
    moved = replace(HEARTBEAT, time=AT.astimezone(vienna))
    assert statements.write(moved) == statements.write(HEARTBEAT)


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        (APPROVAL, {"branch": ""}),
        (APPROVAL, {"branch": "main\n"}),
        (APPROVAL, {"branch": "../main"}),
        (APPROVAL, {"branch": "a..b"}),
        (APPROVAL, {"branch": "main.lock"}),
        (APPROVAL, {"branch": "a.lock/b"}),
        (APPROVAL, {"branch": "main."}),
        (APPROVAL, {"branch": "m" * 201}),
        (APPROVAL, {"branch": "-main"}),
        (APPROVAL, {"base": "1" * 39}),
        (APPROVAL, {"tree": None}),
        (APPROVAL, {"tree": "A" * 40}),
        (APPROVAL, {"plan": "1" * 40}),
        (APPROVAL, {"approver": "alice and bob"}),
        (APPROVAL, {"approver": "*@msp.example"}),
        (APPROVAL, {"issued": AT.replace(tzinfo=None)}),
        (APPROVAL, {"issued": AT.replace(microsecond=1)}),
        (APPROVAL, {"expires": datetime(1969, 1, 1, tzinfo=UTC)}),
        (HEARTBEAT, {"counter": 0}),
        (HEARTBEAT, {"counter": 2**53}),
        (HEARTBEAT, {"counter": True}),
        (HEARTBEAT, {"commit_sha256": COMMIT}),
        (RELEASE, {"files_sha256": ""}),
        (RELEASE, {"systems": {"desk-1": SYSTEMS["elm-street/desk-1"]}}),
        (RELEASE, {"systems": {"a/b": replace(SYSTEMS["elm-street/desk-1"], drv="/nix/store/x")}}),
        (RELEASE, {"systems": {"a/b": replace(SYSTEMS["elm-street/desk-1"], path="/etc")}}),
        (RECOVERY, {"replaces": ()}),
        (RECOVERY, {"replaces": (COMMIT, COMMIT)}),
        (RECOVERY, {"replaces": tuple(f"{n:040x}" for n in range(1025))}),
        (RECOVERY, {"reason": "because"}),
        (RECOVERY, {"reason": "re-root\n"}),
    ],
)
def test_what_is_out_of_its_form_is_not_written(statement, wrong: dict) -> None:
    with pytest.raises(EvidenceError):
        statements.write(replace(statement, **wrong))


def test_a_system_with_a_closure_says_all_of_it() -> None:
    written = json.loads(statements.write(NEWER))["predicate"]["systems"]
    assert set(written["elm-street/desk-2"]) == {"drv", "path", "nar_sha256"}
    newer = written["elm-street/desk-1"]
    assert newer["closure"] == {"paths": 1512, "nar_bytes": 4_000_000_000, "sha256": "7" * 64}
    assert newer["diff"] == DIFF.to_body()
    assert newer["diff"]["changes"][0] == {
        "name": "glibc",
        "before": ["2.42"],
        "after": ["2.42", "2.43"],
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"closure": None},
        {"diff": None},
        {"closure": Closure(0, 1, DIGEST)},
        {"closure": Closure(1, 0, DIGEST)},
        {"closure": Closure(1, 1, "A" * 64)},
        {"diff": replace(DIFF, since="/etc")},
        {"diff": replace(DIFF, left_out=-1)},
        {"diff": replace(DIFF, left_out=True)},
        {"diff": replace(DIFF, changes=DIFF.changes[::-1])},
        {"diff": replace(DIFF, changes=DIFF.changes[:1] * 2)},
        {"diff": replace(DIFF, changes=(VersionChange("", (), ()),))},
        {"diff": replace(DIFF, changes=(VersionChange("a b", (), ()),))},
        {"diff": replace(DIFF, changes=(VersionChange("a", ("2", "1"), ()),))},
        {"diff": replace(DIFF, changes=(VersionChange("a", ("x y",), ()),))},
        {
            "diff": replace(
                DIFF, changes=tuple(VersionChange(f"p{n:03}", (), ()) for n in range(65))
            )
        },
        {
            "diff": replace(
                DIFF, changes=(VersionChange("a", tuple(f"{n:02}" for n in range(17)), ()),)
            )
        },
    ],
)
def test_a_closure_out_of_its_form_is_not_written(wrong: dict) -> None:
    system = replace(NEWER.systems["elm-street/desk-1"], **wrong)
    with pytest.raises(EvidenceError):
        statements.write(replace(NEWER, systems={"elm-street/desk-1": system}))


def test_the_revision_goes_by_the_paths_of_all_systems() -> None:
    systems = dict(NEWER.systems)
    same = {host: replace(one, closure=None, diff=None) for host, one in systems.items()}
    assert statements.revision_of(systems) == statements.revision_of(same)
    expected = canonical.encode({host: one.path for host, one in systems.items()})
    assert statements.revision_of(systems) == hashlib.sha256(expected).hexdigest()
    del same["elm-street/desk-2"]
    assert statements.revision_of(systems) != statements.revision_of(same)


def test_a_release_of_too_many_systems_is_not_written() -> None:
    many = {f"c/h{n}": SYSTEMS["elm-street/desk-1"] for n in range(1000)}
    with pytest.raises(EvidenceError, match="larger than"):
        statements.write(replace(RELEASE, systems=many))


def altered(statement, change) -> bytes:
    value = json.loads(statements.write(statement))
    change(value)
    return canonical.encode(value)


@pytest.mark.parametrize(
    ("statement", "change"),
    [
        (APPROVAL, lambda v: v.update(predicateType="urn:reconciler:attestation:run:v1")),
        (APPROVAL, lambda v: v.update(predicateType=[])),
        (APPROVAL, lambda v: v.update(predicateType=v["predicateType"].replace("v1", "v2"))),
        (APPROVAL, lambda v: v.update(_type="https://in-toto.io/Statement/v0.1")),
        (APPROVAL, lambda v: v.update(extra=1)),
        (APPROVAL, lambda v: v["predicate"].update(extra=1)),
        (APPROVAL, lambda v: v["predicate"].pop("expires")),
        (APPROVAL, lambda v: v["predicate"].update(base=1)),
        (APPROVAL, lambda v: v["predicate"].update(issued="2026-03-02T08:00:00+00:00")),
        (APPROVAL, lambda v: v["predicate"].update(issued="2026-3-02T08:00:00Z")),
        (APPROVAL, lambda v: v["predicate"].update(issued="2026-02-30T08:00:00Z")),
        (APPROVAL, lambda v: v["predicate"].update(issued=1)),
        (APPROVAL, lambda v: v["subject"][0]["digest"].update(gitTree=OTHER)),
        (APPROVAL, lambda v: v["subject"].append(v["subject"][0])),
        (APPROVAL, lambda v: v.update(subject=[])),
        (APPROVAL, lambda v: v.update(predicate=[])),
        (APPROVAL, lambda v: v.update(predicate="branch")),
        (HEARTBEAT, lambda v: v.update(subject=[])),
        (HEARTBEAT, lambda v: v["subject"][0].update(name="tree")),
        (HEARTBEAT, lambda v: v["subject"][0]["digest"].update(sha512="00")),
        (HEARTBEAT, lambda v: v["predicate"].update(counter="7")),
        (RELEASE, lambda v: v["predicate"].update(systems=[])),
        (RELEASE, lambda v: v["predicate"].update(systems=[["a/b", {}]])),
        (RELEASE, lambda v: v["predicate"]["systems"]["elm-street/desk-1"].update(more=1)),
        (RELEASE, lambda v: v["predicate"]["systems"]["elm-street/desk-1"].pop("drv")),
        (RECOVERY, lambda v: v["predicate"].update(replaces="1" * 40)),
        (RECOVERY, lambda v: v["predicate"].update(replaces=[1])),
    ],
)
def test_a_statement_of_another_shape_is_not_read(statement, change) -> None:
    with pytest.raises(EvidenceError):
        statements.read(altered(statement, change))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"urn"',
        b"{}",
        statements.write(APPROVAL) + b"\n",
        statements.write(APPROVAL).replace(b":", b": ", 1),
        b"[" * 100_000,
        b" " * (statements.MAX_PAYLOAD + 1),
    ],
)
def test_there_is_one_payload_for_one_statement(payload: bytes) -> None:
    with pytest.raises(EvidenceError):
        statements.read(payload)


def test_a_release_can_be_read_where_every_field_is_hashed() -> None:
    assert len({*STATEMENTS, statements.read(statements.write(RELEASE))}) == len(STATEMENTS)


def test_the_digest_of_files_is_what_sha256sum_prints(tmp_path: Path) -> None:
    files = {"hosts/b.yaml": b"b\n", "hosts/a-b/x": b"", "hosts/a/x": b"\xff", "policies/é": b"1"}
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    command = "find hosts policies -type f | LC_ALL=C sort | xargs sha256sum"
    said = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=True)
    assert statements.files_digest(files) == hashlib.sha256(said.stdout).hexdigest()


def test_a_commit_is_named_by_its_raw_bytes() -> None:
    assert statements.commit_digest(b"tree 1\n") == hashlib.sha256(b"tree 1\n").hexdigest()
