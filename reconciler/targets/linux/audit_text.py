"""Audit rules as text: ``struct audit_rule_data`` to what ``auditctl -l`` prints.

Source: <linux/audit.h>, auditctl(8). One spelling for each rule, so that texts can be compared:
user and group ids are numbers with ``-1`` for "unset", keys are ``-k`` on watches and ``-F key=``
elsewhere, as auditctl does.
"""

import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.targets.linux.audit_syscalls import AARCH64, I386, X86_64, names
from reconciler.targets.linux.no_answer import NoAnswer

_WORDS = struct.Struct("=260I")
_MASK_WORDS = 64
_MAX_FIELDS = 64

_ARCH, _MESSAGE, _INODE, _EXIT, _WATCH, _PERM = 11, 12, 102, 103, 105, 106
_DIR, _COMPARE, _EXE, _KEY = 107, 111, 112, 210
_FROM_0 = (
    "pid uid euid suid fsuid gid egid sgid fsgid auid pers arch msgtype subj_user subj_role"
    " subj_type subj_sen subj_clr ppid obj_user obj_role obj_type obj_lev_low obj_lev_high"
    " loginuid_set sessionid fstype"
)
_FROM_100 = (
    "devmajor devminor inode exit success path perm dir filetype obj_uid obj_gid field_compare exe"
    " saddr_fam"
)
_FIELDS = {
    **dict(enumerate(_FROM_0.split())),
    **dict(enumerate(_FROM_100.split(), start=100)),
    200: "a0",
    201: "a1",
    202: "a2",
    203: "a3",
    _KEY: "key",
}
_WITH_TEXT = frozenset({*range(13, 18), *range(19, 24), _WATCH, _DIR, _EXE, _KEY})
_HEX = frozenset({200, 201, 202, 203})
_OPERATORS = {
    0x08000000: "&", 0x10000000: "<", 0x20000000: ">", 0x30000000: "!=", 0x40000000: "=",
    0x48000000: "&=", 0x50000000: "<=", 0x60000000: ">=",
}  # fmt: skip
_OPERATOR_MASK = 0x78000000
_PAIRS = (
    "uid/obj_uid gid/obj_gid euid/obj_uid egid/obj_gid auid/obj_uid suid/obj_uid sgid/obj_gid"
    " fsuid/obj_uid fsgid/obj_gid uid/auid uid/euid uid/fsuid uid/suid auid/fsuid auid/suid"
    " auid/euid euid/suid euid/fsuid suid/fsuid gid/egid gid/fsgid gid/sgid egid/fsgid"
    " egid/sgid sgid/fsgid"
)
_COMPARED = dict(enumerate(_PAIRS.split(), start=1))
_LISTS = {0: "user", 1: "task", 2: "entry", 3: "watch", 4: "exit", 5: "exclude", 6: "filesystem",
          7: "io_uring"}  # fmt: skip
_WITHOUT_CALLS = frozenset({0, 1, 5})
_ACTIONS = {0: "never", 1: "possible", 2: "always"}
# What people leave out of the log; any other type is printed as its number.
_MESSAGES = {
    1302: "PATH", 1305: "CONFIG_CHANGE", 1306: "SOCKADDR", 1307: "CWD", 1309: "EXECVE",
    1320: "EOE", 1327: "PROCTITLE", 1400: "AVC", 2404: "CRYPTO_KEY_USER", 2407: "CRYPTO_SESSION",
}  # fmt: skip
_NATIVE = {"x86_64": X86_64, "aarch64": AARCH64}.get(os.uname().machine, 0)
_ARCHES = {X86_64: "b64", I386: "b32", AARCH64: "b64"}


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    operator: str
    value: int
    text: str


def rule_text(data: bytes) -> str:
    """The rule as auditctl(8) would list it.

    Args:
        data: ``struct audit_rule_data``, native byte order.

    Raises:
        NoAnswer: It is cut short, or its texts do not fit.
    """
    if len(data) < _WORDS.size:
        raise NoAnswer("error", "malformed audit rule")
    words = _WORDS.unpack_from(data)
    fields = list(_fields(words, data[_WORDS.size :]))
    listed, mask = words[0] & 0x0F, words[3 : 3 + _MASK_WORDS]
    everything = all(word == 0xFFFFFFFF for word in mask[:-1])
    if _is_watch(fields, everything=everything or listed in _WITHOUT_CALLS):
        return " ".join(part for field in fields for part in _watch_part(field))
    action = f"{_ACTIONS.get(words[1], words[1])},{_LISTS.get(listed, listed)}"
    arch = next((field for field in fields if field.number == _ARCH), None)
    parts = [f"-a {action}"]
    if arch is not None:
        parts.append(f"-F arch{arch.operator}{_ARCHES.get(arch.value, hex(arch.value))}")
    if listed not in _WITHOUT_CALLS and any(mask):
        parts.append(f"-S {'all' if everything else _calls(mask, arch)}")
    return " ".join([*parts, *(p for f in fields if f.number != _ARCH for p in _rule_part(f))])


def _fields(words: tuple[int, ...], texts: bytes) -> Iterator[_Field]:
    if words[2] > _MAX_FIELDS or words[259] > len(texts):
        raise NoAnswer("error", "malformed audit rule")
    at = 0
    for index in range(words[2]):
        number, value = words[67 + index], words[131 + index]
        operator = _OPERATORS.get(words[195 + index] & _OPERATOR_MASK, "?")
        text = ""
        if number in _WITH_TEXT:
            text = texts[at : at + value].decode("utf-8", "replace")
            at += value
        if at > words[259]:
            raise NoAnswer("error", "malformed audit rule")
        yield _Field(number, operator, value, text)


def _is_watch(fields: list[_Field], *, everything: bool) -> bool:
    numbers = {field.number for field in fields}
    return everything and _PERM in numbers and numbers <= {_PERM, _KEY, _DIR, _WATCH}


def _watch_part(field: _Field) -> list[str]:
    if field.number == _PERM:
        return [f"-p {_accesses(field.value)}"]
    if field.number == _KEY:
        return [f"-k {key}" for key in field.text.split("\x01")]
    return [f"-w {field.text}"]


def _rule_part(field: _Field) -> list[str]:
    name = _FIELDS.get(field.number, f"f{field.number}")
    if field.number == _KEY:
        return [f"-F key={key}" for key in field.text.split("\x01")]
    if field.number == _COMPARE and field.value in _COMPARED:
        return [f"-C {_COMPARED[field.value].replace('/', field.operator)}"]
    return [f"-F {name}{field.operator}{_value(field)}"]


def _value(field: _Field) -> str:
    if field.number in _WITH_TEXT:
        return field.text
    if field.number == _PERM:
        return _accesses(field.value)
    if field.number == _MESSAGE:
        return _MESSAGES.get(field.value, str(field.value))
    if field.number in _HEX:
        return f"0x{field.value:X}"
    signed = (
        field.value - (1 << 32) if field.value >> 31 and field.number != _INODE else field.value
    )
    if field.number == _EXIT and -signed in errno.errorcode:
        return f"-{errno.errorcode[-signed]}"
    return str(signed)


def _accesses(bits: int) -> str:
    return "".join(letter for letter, bit in (("r", 4), ("w", 2), ("x", 1), ("a", 8)) if bits & bit)


def _calls(mask: tuple[int, ...], arch: _Field | None) -> str:
    known = names(arch.value if arch is not None else _NATIVE)
    numbers = (
        word * 32 + bit for word, bits in enumerate(mask) for bit in range(32) if bits >> bit & 1
    )
    return ",".join(known.get(number, str(number)) for number in numbers)
