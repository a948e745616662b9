"""Any single change, chosen at random: to bytes of the store, to fields of a statement."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import EvidenceError
from reconciler.evidence import canonical, commit, dsse, sshsig, tree
from reconciler.evidence.statement import from_payload, to_payload
from tests.attacks.test_evidence_bytes import byte, files
from tests.support.forge import KEY, honest
from tests.support.ledger_rig import Rig, filled

pytestmark = pytest.mark.integration

FLIPS = st.integers(1, 255)


@pytest.fixture(scope="module")
def rigs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Rig, Rig]:
    loose, packed = (filled(tmp_path_factory.mktemp("rig"), runs=2) for _ in range(2))
    assert packed.git("gc", "-q").returncode == 0
    return loose, packed


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.booleans(), st.integers(0), st.integers(0), FLIPS)
def test_any_byte_of_any_file(
    rigs: tuple[Rig, Rig], packed: bool, which: int, at: int, flip: int
) -> None:
    rig = rigs[packed]
    there = files(rig)
    file = there[which % len(there)]
    name = file.relative_to(rig.path).as_posix()
    with byte(file, at % file.stat().st_size, flip):
        result = rig.verify()
    assert not result.ok
    named = {fault.place.path for fault in result.faults}
    assert named & {name, "HEAD" if name == "packed-refs" else name}


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.integers(0), st.integers(0), FLIPS)
def test_any_byte_of_any_object_in_memory(which: int, at: int, flip: int) -> None:
    forge = honest(4)
    oid = sorted(forge.objects)[which % len(forge.objects)]
    kind, raw = forge.objects[oid]
    changed = bytearray(raw)
    changed[at % len(raw)] ^= flip
    forge.objects[oid] = (kind, bytes(changed))
    assert not forge.audit().ok


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
PAYLOADS = [
    to_payload(entry)
    for entry in (honest(1).last, honest(3).last, honest(4).last, honest(6).last)
    if entry is not None
]


def slots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in inner:
        found.append((*path, key))
        if isinstance(item, dict | list):
            found += slots(item, (*path, key))
    return found


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.sampled_from(PAYLOADS), st.integers(0), JSON)
def test_any_value_in_any_field_of_a_statement(payload: bytes, which: int, value: Any) -> None:
    whole = json.loads(payload)
    there = slots(whole)
    *parents, last = there[which % len(there)]
    inner = whole
    for key in parents:
        inner = inner[key]
    inner[last] = value
    data = canonical.encode(whole)
    try:
        entry = from_payload(data)
    except EvidenceError:
        return
    assert to_payload(entry) == data


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_else_happens(data: bytes) -> None:
    public = sshsig.raw_public(KEY)
    for act in (
        lambda: canonical.decode(data),
        lambda: from_payload(data),
        lambda: dsse.open_envelope(data, public),
        lambda: commit.parse(data).signed_by(),
        lambda: tree.parse(data),
        lambda: sshsig.verify(data.decode("latin-1"), b"", "git"),
    ):
        try:
            act()
        except EvidenceError as error:
            assert error.message


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.integers(0), FLIPS)
def test_any_byte_of_a_signed_commit(at: int, flip: int) -> None:
    forge = honest(2)
    raw = bytearray(forge.read(forge.commits[1])[1])
    raw[at % len(raw)] ^= flip
    with pytest.raises(EvidenceError):
        commit.parse(bytes(raw)).signed_by()
