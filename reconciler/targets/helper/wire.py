"""An operation as bytes, and its result: canonical JSON, one form for each.

Rule 1: The set is the union of `reconciler.model.operation`: what is no operation cannot be written
        and is not read. What is read back is the operation that was written, and nothing else.
Rule 2: Every member is there, none is extra, each has exactly its type: 1 is not true.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from reconciler.errors import EvidenceError, InputError
from reconciler.evidence import canonical
from reconciler.model.operation import Operation, OperationResult

FORMAT = "reconciler-helper/1"
MAX_REQUEST = 1024 * 1024
MAX_RESULT = 16 * 1024
MAX_REASON = 2000

_HINT = "Both sides must be of one version: restart reconciler and reconciler-helper."


def encode(operation: Operation) -> bytes:
    """What the helper is asked.

    Raises:
        InputError: It has no such form: too large, or text that is no text.
    """
    return _encode({"format": FORMAT, "operation": _pack(operation)}, MAX_REQUEST)


def decode(data: bytes) -> Operation:
    """The operation that somebody asks for.

    Raises:
        InputError: It is not exactly what `encode` writes.
    """
    said = _decode(data, MAX_REQUEST)
    if not isinstance(said, dict) or said.keys() != {"format", "operation"}:
        raise _refusal("has other members than a request")
    if said["format"] != FORMAT:
        raise _refusal(f"is not of the form {FORMAT}")
    operation: Operation = _unpack(Operation, said["operation"])
    return operation


def encode_result(result: OperationResult) -> bytes:
    """What the helper answers; a reason that is longer than any of ours is cut."""
    reason = result.reason.encode("utf-8", "replace").decode()[:MAX_REASON]
    said = {"format": FORMAT, "ok": result.ok, "reason": reason, "ms": result.ms}
    return _encode(said, MAX_RESULT)


def decode_result(data: bytes) -> OperationResult:
    """What became of an operation.

    Raises:
        InputError: It is not exactly what `encode_result` writes.
    """
    said = _decode(data, MAX_RESULT)
    if not isinstance(said, dict) or said.keys() != {"format", "ok", "reason", "ms"}:
        raise _refusal("has other members than a result")
    ok, reason, ms = said["ok"], said["reason"], said["ms"]
    if said["format"] != FORMAT or type(ok) is not bool or type(reason) is not str:
        raise _refusal("is no result")
    if type(ms) is not int or ms < 0 or ok == bool(reason):
        raise _refusal("contradicts itself")
    return OperationResult(ok=ok, reason=reason, ms=ms)


def _encode(said: Mapping[str, Any], limit: int) -> bytes:
    try:
        data = canonical.encode(dict(said))
    except EvidenceError as error:
        raise _refusal(f"cannot be written: {error.message}") from error
    if len(data) > limit:
        raise _refusal(f"is larger than {limit} bytes")
    return data


def _decode(data: bytes, limit: int) -> Any:
    try:
        return canonical.decode(data, limit)
    except EvidenceError as error:
        raise _refusal(f"cannot be read: {error.message}") from error


def _pack(value: Any) -> Any:
    if is_dataclass(value):
        packed = {field.name: _pack(getattr(value, field.name)) for field in fields(value)}
        return {"kind": type(value).__name__, **packed}
    if isinstance(value, tuple):
        return [_pack(item) for item in value]
    return b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def _unpack(hint: Any, raw: Any) -> Any:
    """A value of a type; refused when it is of another."""
    origin = get_origin(hint)
    if origin is Literal:
        found = [each for each in get_args(hint) if type(each) is type(raw) and each == raw]
        if found:
            return found[0]
    elif origin in {Union, UnionType}:
        return _one_of(get_args(hint), raw)
    elif origin is tuple:
        return _tuple(get_args(hint), raw)
    elif is_dataclass(hint):
        return _record(hint, raw)
    elif hint is bytes and type(raw) is str:
        return _bytes(raw)
    elif type(raw) is hint:
        return raw
    raise _refusal("holds a value of another type")


def _one_of(hints: tuple[Any, ...], raw: Any) -> Any:
    """A value of one of several types; records are told apart by their kind."""
    if isinstance(raw, dict):
        named = [hint for hint in hints if is_dataclass(hint) and _name(hint) == raw.get("kind")]
        if named:
            return _record(named[0], raw)
        raise _refusal("is of an unknown kind")
    if raw is None and type(None) in hints:
        return None
    for hint in hints:
        if hint is bytes or (hint is not type(None) and not is_dataclass(hint)):
            try:
                return _unpack(hint, raw)
            except InputError:
                continue
    raise _refusal("holds a value of another type")


def _tuple(hints: tuple[Any, ...], raw: Any) -> tuple[Any, ...]:
    if not isinstance(raw, list):
        raise _refusal("holds a value of another type")
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(_unpack(hints[0], item) for item in raw)
    if len(hints) != len(raw):
        raise _refusal("holds a list of another length")
    return tuple(_unpack(hint, item) for hint, item in zip(hints, raw, strict=True))


def _record(hint: Any, raw: Any) -> Any:
    known = _members(hint)
    if not isinstance(raw, dict) or raw.keys() != {"kind", *known} or raw["kind"] != _name(hint):
        raise _refusal(f"has other members than a {_name(hint)}")
    return hint(**{name: _unpack(each, raw[name]) for name, each in known.items()})


def _bytes(raw: str) -> bytes:
    try:
        data = b64decode(raw, validate=True)
    except ValueError as error:
        raise _refusal("holds bytes that are no base64") from error
    if b64encode(data).decode("ascii") != raw:
        raise _refusal("holds base64 that is not canonical")
    return data


@cache
def _members(hint: Any) -> Mapping[str, Any]:
    known = get_type_hints(hint)
    return {field.name: known[field.name] for field in fields(hint)}


def _name(hint: Any) -> str:
    return str(hint.__name__)


def _refusal(what: str) -> InputError:
    return InputError(f"the message {what}", hint=_HINT)
