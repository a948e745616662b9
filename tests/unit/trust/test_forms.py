import pytest

from reconciler.errors import EvidenceError, InputError
from reconciler.transport.location import check_branch
from reconciler.trust import envelope, forms

GOOD = ("main", "release/1.0", "_x", "a" * 200, "a.locks", "a.l")
BAD = ("", "/main", "main/", "a//b", "-a", ".a", "a/.b", "a..b", "a.lock", "a.lock/b", "a/b.lock")
ODD = ("a.", "a b", "a\n", "a" * 201, "ä")


@pytest.mark.parametrize("name", (*GOOD, *BAD, *ODD))
def test_a_statement_may_name_the_branches_that_an_appliance_may_follow(name: str) -> None:
    try:
        check_branch(name)
    except InputError:
        with pytest.raises(EvidenceError):
            forms.BRANCH.write(name)
    else:
        assert forms.BRANCH.write(name) == name
        assert name in GOOD


def test_the_bytes_to_sign_give_the_payload_back() -> None:
    for payload in (b"", b"{}", b"a b\nc", b"\xff" * 99):
        assert envelope.payload_of(envelope.to_be_signed(payload)) == payload


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"DSSEv1 28 application/vnd.in-toto+json 3 {}",
        b"DSSEv1 28 application/vnd.in-toto+json 02 {}",
        b"DSSEv1 4 text 2 {}",
        b"DSSEv2 28 application/vnd.in-toto+json 2 {}",
        b"DSSEv1 28 application/vnd.in-toto+json 2 {}\n",
    ],
)
def test_other_bytes_are_nothing_to_sign(data: bytes) -> None:
    with pytest.raises(EvidenceError, match="not the bytes"):
        envelope.payload_of(data)
