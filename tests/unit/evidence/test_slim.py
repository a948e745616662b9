import json
from dataclasses import replace
from typing import Any

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical
from reconciler.evidence.entry import SLIM_KINDS, UNKNOWN_CLOCK, Clock, Entry, Kind
from reconciler.evidence.merkle import Frontier
from reconciler.evidence.slim import MAX_BYTES, from_line, to_line
from reconciler.evidence.statement import Reference, Subject

ENTRY = Entry(
    kind=Kind.RUN,
    seq=42,
    previous="a" * 64,
    ref="refs/heads/smile/front-desk",
    client="smile",
    host="front-desk",
    recorded_at="2026-03-01T12:00:00.123Z",
    clock=Clock("kernel", True, -12, 86_400, 95),
    base=41,
    boot_id=None,
    tool={},
    subject=None,
    log=None,
    closes=None,
    open=(),
    body={"like": 41, "reached": True, "took_ms": 900},
)
LINE = to_line(ENTRY)
NAMES = ("at", "base", "body", "clock", "kind", "previous", "ref", "seq")


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY,
        replace(ENTRY, clock=UNKNOWN_CLOCK, body={}),
        replace(ENTRY, base=0, seq=1),
        replace(ENTRY, seq=99_999_999, base=99_999_998),
        *(replace(ENTRY, kind=kind) for kind in SLIM_KINDS),
    ],
)
def test_an_entry_survives_its_line(entry: Entry) -> None:
    assert from_line(to_line(entry)) == entry
    assert from_line(to_line(entry)).slim


def test_it_is_one_line_with_these_members() -> None:
    assert b"\n" not in LINE
    assert json.loads(LINE) == {
        "at": "2026-03-01T12:00:00.123Z",
        "base": 41,
        "body": {"like": 41, "reached": True, "took_ms": 900},
        "clock": {
            "ageMs": 95,
            "offsetUs": -12,
            "source": "kernel",
            "synchronised": True,
            "uptimeS": 86_400,
        },
        "kind": "run",
        "previous": "a" * 64,
        "ref": "refs/heads/smile/front-desk",
        "seq": 42,
    }
    assert tuple(json.loads(LINE)) == NAMES


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 0, "base": 0},
        {"seq": 0, "previous": None, "kind": Kind.GENESIS, "base": 0},
        {"seq": True},
        {"seq": 100_000_000},
        {"base": 42},
        {"base": 43},
        {"base": -1},
        {"base": True},
        {"base": None},
        {"previous": None},
        {"previous": "A" * 64},
        *({"kind": kind} for kind in sorted(set(Kind) - SLIM_KINDS)),
        {"client": "other"},
        {"host": "Front"},
        {"ref": "refs/heads/smile/other"},
        {"recorded_at": "2026-03-01T12:00:00Z"},
        {"recorded_at": "2026-02-30T12:00:00.000Z"},
        {"clock": Clock("Kernel", None, None, None, 0)},
        {"clock": Clock("kernel", None, None, None, -1)},
        {"clock": Clock("kernel", None, 2**53, None, 0)},
        {"clock": Clock("kernel", None, None, True, 0)},
        {"boot_id": "11111111-2222-3333-4444-555555555555"},
        {"tool": {"reconciler": "1"}},
        {"subject": Subject("c" * 40, "d" * 64)},
        {"log": Frontier.empty()},
        {"closes": Reference(1, "e" * 64)},
        {"open": (Reference(1, "e" * 64),)},
        {"body": {"load": 0.5}},
        {"body": {"é": 1}},
    ],
    ids=lambda changes: repr(changes)[:60],
)
def test_nothing_out_of_bounds_is_written(changes: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError):
        to_line(replace(ENTRY, **changes))


def changed(**members: Any) -> bytes:
    return canonical.encode({**json.loads(LINE), **members})


@pytest.mark.parametrize(
    "members",
    [
        *({name: None} for name in NAMES),
        *({name: []} for name in NAMES),
        *({name: {}} for name in NAMES if name != "body"),
        *({name: True} for name in NAMES),
        {"seq": "42"},
        {"seq": 41},
        {"seq": 0},
        {"base": "41"},
        {"base": 42},
        {"kind": "gap"},
        {"kind": "other"},
        {"previous": {"sha256": "a" * 64}},
        {"ref": "refs/heads/smile"},
        {"ref": "refs/heads/smile/front-desk/x"},
        {"ref": "refs/heads/Smile/desk"},
        {"ref": "smile/front-desk"},
        {"at": "2026-03-01T12:00:00.123Z\n"},
        {"body": [["like", 41]]},
        {"extra": 1},
        {"bootId": None},
        {"open": []},
    ],
    ids=repr,
)
def test_nothing_unknown_or_mistyped_is_read(members: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError):
        from_line(changed(**members))


@pytest.mark.parametrize("name", NAMES)
def test_no_member_may_be_missing(name: str) -> None:
    value = json.loads(LINE)
    del value[name]
    with pytest.raises(EvidenceError, match="members"):
        from_line(canonical.encode(value))


@pytest.mark.parametrize("name", ["ageMs", "offsetUs", "source", "synchronised", "uptimeS"])
def test_no_member_of_the_clock_may_be_missing_mistyped_or_more(name: str) -> None:
    clock = json.loads(LINE)["clock"]
    without = {key: value for key, value in clock.items() if key != name}
    for other in (without, {**clock, name: "x y"}, {**clock, name: []}, {**clock, "zz": 1}):
        with pytest.raises(EvidenceError):
            from_line(changed(clock=other))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"42",
        b'"run"',
        LINE + b"\n",
        b" " + LINE,
        LINE.replace(b":41,", b": 41,", 1),
        LINE.replace(b'"seq":42', b'"seq":42,"seq":42'),
        LINE.replace(b'"seq":42', b'"seq":42.0'),
        LINE.replace(b'"seq":42', b'"seq":4.2e1'),
        LINE.replace(b"smile", b"s\\u006dile"),
        LINE.replace(b'{"at"', b'{"zz":1,"at"'),
        LINE[:-1],
        b"\xff" + LINE,
    ],
    ids=lambda line: repr(line[:20]),
)
def test_what_is_not_canonical_is_refused(line: bytes) -> None:
    with pytest.raises(EvidenceError):
        from_line(line)


def test_a_line_may_be_so_long_and_no_longer() -> None:
    room = MAX_BYTES - len(to_line(replace(ENTRY, body={"note": ""})))
    longest = replace(ENTRY, body={"note": "x" * room})
    assert len(to_line(longest)) == MAX_BYTES
    assert from_line(to_line(longest)) == longest
    with pytest.raises(EvidenceError, match="too many"):
        to_line(replace(ENTRY, body={"note": "x" * (room + 1)}))
    with pytest.raises(EvidenceError, match="larger"):
        from_line(to_line(longest).replace(b"xx", b"xxx", 1))


def test_an_hour_of_runs_fits() -> None:
    body = {"like": 41, "reached": True, "ticks": [60_000] * 60, "took_ms": 54_321}
    assert len(to_line(replace(ENTRY, body=body))) < 1024
