"""The expectations document: read whole, or refused with the place that is wrong."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from reconciler.errors import InputError, Unobservable
from reconciler.model import expected
from reconciler.model.expected import FORMAT, MAX_BYTES, parse
from reconciler.model.scrub import scrub
from tests.support.vectors import ROOT

RECORDED = json.loads((ROOT / "LNX-EXP-001" / "good" / "raw.json").read_text())
DOCUMENT: Mapping[str, Any] = RECORDED["answers"][0]["data"]["document"]
SECTIONS = [one for one in vars(expected).values() if isinstance(one, expected.Section)]


def raw(**changes: Any) -> bytes:
    return json.dumps({**DOCUMENT, **changes}).encode()


def refused(data: bytes) -> str:
    with pytest.raises(InputError) as problem:
        parse(data)
    assert problem.value.hint
    return problem.value.message


def test_a_document_is_given_back_as_it_is() -> None:
    assert parse(raw()) == DOCUMENT


def test_every_member_that_is_judged_can_be_read_by_itself() -> None:
    assert {section.name for section in SECTIONS} >= set(DOCUMENT) - {
        "format", "system", "host", "release", "revision",
    }  # fmt: skip
    for section in SECTIONS:
        assert section.read(DOCUMENT) is not None


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
@pytest.mark.parametrize("damage", [None, 1, "x", [1], {"/": 1}, "\udcff", 2**70], ids=repr)
def test_a_damaged_member_is_unobservable(section: expected.Section[Any], damage: Any) -> None:
    with pytest.raises(Unobservable, match=f"expectations: {section.name}"):
        section.read({section.name: damage})


def test_a_document_of_a_later_version_is_refused_by_its_name() -> None:
    said = refused(raw(format="reconciler-expectations/2"))
    assert said.endswith(f"is not of the format {FORMAT} but of reconciler-expectations/2")
    assert scrub(said) == said


@pytest.mark.parametrize("form", ["reconciler-expectations/x y", "", None, 1])
def test_another_format_is_refused(form: Any) -> None:
    assert refused(raw(format=form)) == f"expectations document is not of the format {FORMAT}"


@pytest.mark.parametrize("member", sorted(set(DOCUMENT) - {"format"}))
def test_a_member_that_is_missing_is_refused(member: str) -> None:
    rest = {name: value for name, value in DOCUMENT.items() if name != member}
    said = refused(json.dumps(rest).encode())
    assert said == f"expectations document has a wrong member: {member} is missing"


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("surprise",), 1, "surprise is not a known member"),
        (("users", 0, "password"), "x", "users.0.password is not a known member"),
        (("users", 0, "uid"), "0", "users.0.uid is not a whole number"),
        (("users", 0, "uid"), True, "users.0.uid is not a whole number"),
        (("users", 0, "uid"), -1, "users.0.uid is not as the format says"),
        (("sysctl", "net.ipv4.tcp_syncookies"), 1, "is not text"),
        (("sysctl", "../../etc/passwd"), "1", "is not as the format says"),
        (("etc", "/passwd"), "link", "is not as the format says"),
        (("etc", "passwd"), "socket", "etc.passwd is not as the format says"),
        (("etc", "localtime"), "-> zoneinfo/UTC", "etc.localtime is not as the format says"),
        (("units", "run", 0), "sshd", "units.run.0 is not as the format says"),
        (("system",), "/nix/store/x", "system is not as the format says"),
        (("mutable_users",), 0, "mutable_users is not true or false"),
        (("firewall", "open", 0), "icmp/1", "firewall.open.0 is not as the format says"),
    ],
)
def test_what_has_no_place_or_another_form_is_refused(
    place: tuple[Any, ...], value: Any, said: str
) -> None:
    document: Any = deepcopy(DOCUMENT)
    inner = document
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    assert said in refused(json.dumps(document).encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"1",
        b'{"format": 1.5}',
        b'{"format": NaN}',
        b'{"format": "a", "format": "b"}',
        b'{"a": {"b": 1, "b": 1}}',
        b"[" * 100_000,
        b'{"format": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda data: repr(data[:40]),
)
def test_what_is_no_document_is_refused(data: bytes) -> None:
    assert refused(data).startswith("expectations document is not")


def test_what_is_too_large_is_not_even_read() -> None:
    assert (
        refused(b" " * (MAX_BYTES + 1)) == f"expectations document is larger than {MAX_BYTES} bytes"
    )
