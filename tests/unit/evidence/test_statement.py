import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical
from reconciler.evidence.entry import Clock
from reconciler.evidence.merkle import Frontier, leaf_hash
from reconciler.evidence.statement import (
    Entry,
    Kind,
    Reference,
    Subject,
    from_payload,
    predicate_type,
    stamp,
    to_payload,
)

ENTRY = Entry(
    kind=Kind.OUTCOME,
    seq=7,
    previous="a" * 64,
    ref="refs/heads/smile/front-desk",
    client="smile",
    host="front-desk",
    recorded_at="2026-03-01T12:00:00.123Z",
    clock=Clock("kernel", True, -12, 86_400, 95),
    base=None,
    boot_id="11111111-2222-3333-4444-555555555555",
    tool={"reconciler": "0.1.0", "python": "3.11.7"},
    subject=Subject("c" * 40, "d" * 64),
    log=Frontier.empty().extend(leaf_hash(bytes([number])) for number in range(7)),
    closes=Reference(5, "e" * 64),
    open=(Reference(6, "f" * 64),),
    body={"result": "healed", "steps": [{"id": 1, "ok": True}]},
)
GENESIS = replace(
    ENTRY,
    kind=Kind.GENESIS,
    seq=0,
    previous=None,
    subject=None,
    log=Frontier.empty(),
    closes=None,
    open=(),
)


@pytest.mark.parametrize("entry", [ENTRY, GENESIS, replace(ENTRY, open=())])
def test_an_entry_survives_its_bytes(entry: Entry) -> None:
    assert from_payload(to_payload(entry)) == entry


def test_it_is_an_in_toto_statement() -> None:
    value = json.loads(to_payload(ENTRY))
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == "urn:reconciler:attestation:outcome:v1"
    assert value["subject"] == [
        {"name": "fleet", "digest": {"gitCommit": "c" * 40, "sha256": "d" * 64}}
    ]
    assert set(value) == {"_type", "subject", "predicateType", "predicate"}


def test_without_desired_state_the_subject_is_the_branch() -> None:
    (subject,) = json.loads(to_payload(GENESIS))["subject"]
    assert subject["name"] == "ledger"
    assert subject["digest"] == {"sha256": canonical.digest(ENTRY.ref.encode())}


def test_every_kind_has_a_predicate_type() -> None:
    types = {predicate_type(kind) for kind in Kind}
    assert len(types) == len(Kind) == 16
    assert "urn:reconciler:attestation:key-change:v1" in types


def test_time_is_utc_with_milliseconds() -> None:
    east = timezone(timedelta(hours=5))
    assert stamp(datetime(2026, 3, 1, 5, 0, 0, 999_999, tzinfo=east)) == "2026-03-01T00:00:00.999Z"
    assert ENTRY.time == datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    with pytest.raises(EvidenceError, match="time zone"):
        stamp(datetime(2026, 3, 1))  # noqa: DTZ001 - this is the point


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": -1},
        {"seq": True},
        {"seq": 100_000_000},
        {"seq": 0},
        {"previous": None},
        {"previous": "A" * 64},
        {"previous": "a" * 63},
        {"kind": Kind.GENESIS},
        {"client": "Smile"},
        {"host": "front desk"},
        {"host": "-x"},
        {"host": "x" * 64},
        {"host": "other"},
        {"client": "../x", "ref": "refs/heads/../x/front-desk"},
        {"ref": "refs/heads/smile/other"},
        {"ref": "smile/front-desk"},
        {"recorded_at": "2026-03-01T12:00:00Z"},
        {"recorded_at": "2026-03-01T12:00:00.123+00:00"},
        {"recorded_at": "2026-02-30T12:00:00.123Z"},
        {"recorded_at": "2026-03-01T12:00:00.123Z\n"},
        {"boot_id": "X"},
        {"boot_id": None},
        {"base": 6},
        {"log": None},
        {"log": Frontier.empty()},
        {"clock": Clock("Kernel", None, None, None, 0)},
        {"clock": Clock("kernel", 1, None, None, 0)},  # type: ignore[arg-type]
        {"clock": Clock("kernel", None, 2**53, None, 0)},
        {"clock": Clock("kernel", None, None, True, 0)},
        {"clock": Clock("kernel", None, None, None, -1)},
        {"tool": {}},
        {"tool": {"Reconciler": "1"}},
        {"tool": {"reconciler": "1 0"}},
        {"tool": {f"t{n}": "1" for n in range(33)}},
        {"subject": Subject("c" * 39, "d" * 64)},
        {"subject": Subject("c" * 40, "d" * 63)},
        {"closes": None},
        {"closes": Reference(5, "E" * 64)},
        {"closes": Reference(-5, "e" * 64)},
        {"kind": Kind.RUN},
        {"open": (Reference(6, "f" * 64), Reference(6, "f" * 64))},
        {"open": (Reference(6, "f" * 64), Reference(4, "f" * 64))},
        {"open": (Reference(7, "f" * 64),)},
        {"open": tuple(Reference(n, "f" * 64) for n in range(257)), "seq": 500},
        {"body": {"load": 0.5}},
        {"body": {"é": 1}},
    ],
    ids=lambda changes: repr(changes)[:50],
)
def test_nothing_out_of_bounds_is_written(changes: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError):
        to_payload(replace(ENTRY, **changes))


def changed(path: str, value: Any) -> bytes:
    whole = json.loads(to_payload(ENTRY))
    *parents, last = path.split("/")
    inner: Any = whole
    for name in parents:
        inner = inner[int(name) if name.isdigit() else name]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return canonical.encode(whole)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("extra", 1),
        ("predicate/extra", 1),
        ("predicate/previous/extra", "x"),
        ("predicate/closes/extra", "x"),
        ("predicate/open/0/extra", "x"),
        ("subject/0/extra", "x"),
        ("subject/0/digest/sha1", "x"),
        ("subject/0/name", "ledger"),
        ("subject/0/name", "other"),
        ("_type", "https://in-toto.io/Statement/v0.1"),
        ("_type", None),
        ("subject", []),
        ("subject", {}),
        ("subject", None),
        ("predicate", []),
        ("predicate", None),
        ("predicate/seq", "7"),
        ("predicate/seq", True),
        ("predicate/seq", None),
        ("predicate/previous", "a" * 64),
        ("predicate/open", {}),
        ("predicate/open", "x"),
        ("predicate/tool", [["reconciler", "1"]]),
        ("predicate/body", []),
        ("predicate/body", None),
        ("predicate/bootId", 5),
        ("predicateType", "urn:reconciler:attestation:outcome:v2"),
        ("predicateType", "urn:reconciler:attestation:other:v1"),
        ("predicateType", "urn:other:attestation:outcome:v1"),
        ("predicateType", "urn:reconciler:attestation:run:v1"),
        ("predicateType", "outcome"),
        ("predicateType", 5),
    ],
)
def test_nothing_unknown_missing_or_mistyped_is_read(path: str, value: Any) -> None:
    with pytest.raises(EvidenceError):
        from_payload(changed(path, value))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"null", b"5", b'"x"', b"{"])
def test_other_documents_are_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError):
        from_payload(data)
