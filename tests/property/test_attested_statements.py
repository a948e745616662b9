"""Statements and envelopes: what is written is read, and any change of a byte is refused."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import EvidenceError
from reconciler.evidence import sshsig
from reconciler.model.system import Closure, ClosureDiff, VersionChange
from reconciler.trust import envelope, statements
from reconciler.trust.statements import Approval, Heartbeat, Recovery, Release, System
from tests.support.evidence_keys import test_key as key_of

KEY = key_of("alice")


def hexes(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef", min_size=length, max_size=length)


COMMITS, DIGESTS = hexes(40), hexes(64)
BRANCHES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,8}(/[A-Za-z0-9_]{1,8})?", fullmatch=True)
PRINCIPALS = st.from_regex(r"[A-Za-z0-9@._+/-]{1,128}", fullmatch=True)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
STORE = st.from_regex(r"/nix/store/[0-9abcdf]{32}-[0-9A-Za-z+._?=-]{1,20}", fullmatch=True)
PACKAGES = st.from_regex(r"[0-9A-Za-z+._?=-]{1,8}", fullmatch=True)
VERSIONS = st.sets(st.from_regex(r"[0-9A-Za-z.]{0,4}", fullmatch=True), max_size=3).map(
    lambda found: tuple(sorted(found))
)
COUNTS = st.integers(1, 2**53 - 1)
CHANGES = st.builds(VersionChange, PACKAGES, VERSIONS, VERSIONS)
DIFFS = st.builds(
    ClosureDiff,
    st.none() | STORE,
    st.lists(CHANGES, max_size=3, unique_by=lambda change: change.name).map(
        lambda found: tuple(sorted(found, key=lambda change: change.name))
    ),
    st.integers(0, 2**53 - 1),
)
PLAIN = st.builds(System, STORE.map("{}.drv".format), STORE, DIGESTS)
CLOSURES = st.builds(Closure, COUNTS, COUNTS, DIGESTS)
SYSTEMS = PLAIN | st.builds(System, STORE.map("{}.drv".format), STORE, DIGESTS, CLOSURES, DIFFS)
STATEMENTS = st.one_of(
    st.builds(
        Approval,
        BRANCHES,
        st.none() | COMMITS,
        COMMITS,
        st.none() | DIGESTS,
        PRINCIPALS,
        TIMES,
        st.none() | TIMES,
    ),
    st.builds(Heartbeat, BRANCHES, COMMITS, DIGESTS, st.integers(1, 2**53 - 1), TIMES),
    st.builds(
        Release,
        BRANCHES,
        COMMITS,
        DIGESTS,
        COMMITS,
        DIGESTS,
        TIMES,
        st.dictionaries(st.tuples(NAMES, NAMES).map("/".join), SYSTEMS, max_size=3),
    ),
    st.builds(
        Recovery,
        BRANCHES,
        st.lists(COMMITS, min_size=1, max_size=4, unique=True).map(tuple),
        COMMITS,
        DIGESTS,
        COMMITS,
        TIMES,
        st.sampled_from(statements.RECOVERY_REASONS),
    ),
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(STATEMENTS)
def test_what_is_written_is_read(statement: statements.Statement) -> None:
    payload = statements.write(statement)
    assert statements.read(payload) == statement
    opened = envelope.open_envelope(envelope.seal(payload, KEY))
    assert opened == envelope.Opened(payload, sshsig.raw_public(KEY))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(STATEMENTS, st.integers(0), st.integers(1, 255))
def test_any_byte_of_an_envelope(statement: statements.Statement, at: int, flip: int) -> None:
    sealed = bytearray(envelope.seal(statements.write(statement), KEY))
    sealed[at % len(sealed)] ^= flip
    with pytest.raises(EvidenceError):
        envelope.open_envelope(bytes(sealed))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(STATEMENTS, st.integers(0), st.integers(1, 255))
def test_any_byte_of_a_payload_says_something_else(
    statement: statements.Statement, at: int, flip: int
) -> None:
    payload = bytearray(statements.write(statement))
    payload[at % len(payload)] ^= flip
    try:
        other = statements.read(bytes(payload))
    except EvidenceError:
        return
    assert other != statement
    assert statements.write(other) == bytes(payload)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_by_name(data: bytes) -> None:
    for read in (statements.read, envelope.open_envelope):
        with pytest.raises(EvidenceError):
            read(data)
