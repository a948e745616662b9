"""An operation as bytes: what is read back is what was written, and nothing else is read."""

import json
from dataclasses import fields, is_dataclass, replace
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import InputError
from reconciler.evidence import canonical
from reconciler.model.operation import Operation, OperationResult, UnitJob, WriteFile
from reconciler.model.system_operation import Reapply
from reconciler.targets.helper import wire

KINDS = get_args(Operation)
JOB = UnitJob("restart", "chrony.service")


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type, as an operation may hold it."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(inside)
    if origin in {Union, UnionType}:
        return st.one_of(*map(values, inside))
    if origin is tuple and inside[1] is Ellipsis:
        return st.lists(values(inside[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, inside))
    if is_dataclass(hint):
        known = get_type_hints(hint)
        return st.builds(hint, **{field.name: values(known[field.name]) for field in fields(hint)})
    plain: dict[Any, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        bytes: st.binary(max_size=64),
        int: st.integers(-(2**53) + 1, 2**53 - 1),
        str: st.text(max_size=20),
        type(None): st.none(),
    }
    return plain[hint]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_operation_is_read_back_as_it_was(kind: type) -> None:
    @given(values(kind))
    def holds(operation: Operation) -> None:
        data = wire.encode(operation)
        found = wire.decode(data)
        assert found == operation
        assert type(found) is kind
        assert wire.encode(found) == data

    holds()


def changed(**more: Any) -> bytes:
    said = json.loads(wire.encode(JOB))
    said["operation"] |= more
    return canonical.encode(said)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b"\xff\xfe",
        b'{"format":"reconciler-helper/1","operation":null}',
        wire.encode(JOB) + b"\n",
        wire.encode(JOB).replace(b"helper/1", b"helper/2"),
        changed(kind="Shell"),
        changed(kind="WriteFile"),
        changed(kind=["UnitJob"]),
        changed(verb="isolate"),
        changed(verb=None),
        changed(unit=7),
        changed(timeout_s=True),
        changed(timeout_s="90"),
        changed(timeout_s=None),
        changed(sudo=True),
        changed(unit=["chrony.service"]),
        json.dumps(json.loads(wire.encode(JOB))).encode(),
        b"[" * 100_000,
        b" " * (wire.MAX_REQUEST + 1),
    ],
)
def test_what_is_not_exactly_an_operation_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        wire.decode(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_an_operation_that_is_written_so_or_refused(data: bytes) -> None:
    try:
        found = wire.decode(data)
    except InputError:
        return
    assert wire.encode(found) == data


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_one_other_byte_is_another_operation_or_refused(place: int, byte: int) -> None:
    data = bytearray(wire.encode(Reapply("/nix/store/x", ("a.service",), 7)))
    data[place % len(data)] = byte
    try:
        found = wire.decode(bytes(data))
    except InputError:
        return
    assert wire.encode(found) == bytes(data)


@pytest.mark.parametrize(
    "operation",
    [
        WriteFile("/x", b"a" * wire.MAX_REQUEST),
        replace(JOB, unit="\ud800.service"),
        replace(JOB, timeout_s=2**60),
    ],
)
def test_what_has_no_form_is_not_sent(operation: Operation) -> None:
    with pytest.raises(InputError):
        wire.encode(operation)


@pytest.mark.parametrize(
    "content", [{"content": "YQ"}, {"content": "YQ==\n"}, {"content": "YR=="}, {"content": 7}]
)
def test_bytes_have_one_form(content: dict[str, Any]) -> None:
    said = json.loads(wire.encode(WriteFile("/x", b"a")))
    said["operation"] |= content
    with pytest.raises(InputError):
        wire.decode(canonical.encode(said))


@pytest.mark.parametrize(
    "result", [OperationResult(True, "", 12), OperationResult(False, "\ud800 no\x00", 0)]
)
def test_a_result_is_read_back(result: OperationResult) -> None:
    found = wire.decode_result(wire.encode_result(result))
    assert (found.ok, found.ms, bool(found.reason)) == (result.ok, result.ms, bool(result.reason))


def test_a_reason_of_any_length_fits() -> None:
    long = OperationResult(False, "\x01" * 100_000, 1)
    assert len(wire.decode_result(wire.encode_result(long)).reason) == wire.MAX_REASON


@pytest.mark.parametrize(
    "change",
    [{"ok": 1}, {"ok": True, "reason": "no"}, {"reason": ""}, {"ms": -1}, {"ms": True}, {"x": 1}],
)
def test_a_result_that_contradicts_itself_is_none(change: dict[str, Any]) -> None:
    said = json.loads(wire.encode_result(OperationResult(False, "no", 1)))
    with pytest.raises(InputError):
        wire.decode_result(canonical.encode(said | change))
