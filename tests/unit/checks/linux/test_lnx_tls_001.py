from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.hashes import SHA256

from reconciler.checks.linux.lnx_tls_001 import CHECK
from reconciler.checks.parsing.shapes import NOW
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer
from reconciler.model.check import Values
from reconciler.model.probe import Probe, ReadFile, StatPaths
from reconciler.model.values import Value
from tests.support.certificates import Issuer
from tests.support.looking import ok, values

PATHS: dict[str, Value] = {
    "path": "/etc/ssl/clinic/portal.crt",
    "key": "/etc/ssl/clinic/portal.key",
    "authority": "/etc/ssl/clinic/ca.crt",
}
SERVED, AUTHORITY = ReadFile(str(PATHS["path"])), ReadFile(str(PATHS["authority"]), 1024 * 1024)
KEY = StatPaths((str(PATHS["key"]),))
KEY_FACTS = {
    "path": PATHS["key"],
    "type": "file",
    "mode": 0o600,
    "uid": 0,
    "gid": 0,
    "size": 227,
    "mtime": 0,
}


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


ROOT = Issuer.root("Clinic CA", day(1), day(31))
MIDDLE = ROOT.issue("Portal CA", day(1), day(30), authority=True)
LEAF = MIDDLE.issue("portal", day(2), day(25))
STRANGER = Issuer.root("Clinic CA", day(1), day(31))


def answers(served: str, authority: str = ROOT.pem, on: int = 10) -> dict[Probe, Answer]:
    return {
        SERVED: ok(served),
        AUTHORITY: ok(authority),
        KEY: ok([KEY_FACTS]),
        NOW: ok({"unix_s": int(day(on).timestamp())}),
    }


def seen(served: str, authority: str = ROOT.pem, on: int = 10) -> Values:
    return values(CHECK, answers(served, authority, on), **PATHS)


def test_a_good_certificate_is_told_in_full() -> None:
    told = seen(LEAF.pem + MIDDLE.pem)

    assert told == {
        "fingerprint": LEAF.certificate.fingerprint(SHA256()).hex(),
        "days_left": 15,
        "in_force": True,
        "key_algorithm": "ec",
        "key_bits": 256,
        "signature_hash": "sha256",
        "self_issued": False,
        "chain": "complete",
        "key_file": "file",
        "key_mode": "0600",
        "key_uid": 0,
        "taken_over": None,
    }


@pytest.mark.parametrize(
    ("on", "days_left", "in_force"),
    [(1, 24, False), (2, 23, True), (25, 0, False), (26, -1, False)],
)
def test_days_are_whole_and_go_below_zero(on: int, days_left: int, in_force: bool) -> None:
    told = seen(LEAF.pem + MIDDLE.pem, on=on)

    assert (told["days_left"], told["in_force"]) == (days_left, in_force)


@pytest.mark.parametrize(
    ("served", "authority", "chain"),
    [
        (LEAF.pem + MIDDLE.pem, ROOT.pem, "complete"),
        (LEAF.pem, ROOT.pem, "broken"),
        (LEAF.pem, MIDDLE.pem, "complete"),
        (LEAF.pem + MIDDLE.pem, STRANGER.pem, "broken"),
        (LEAF.pem + MIDDLE.pem, STRANGER.pem + ROOT.pem, "complete"),
        (STRANGER.pem, ROOT.pem, "broken"),
    ],
)
def test_a_chain_must_reach_the_authority(served: str, authority: str, chain: str) -> None:
    assert seen(served, authority)["chain"] == chain


def test_a_chain_over_an_expired_authority_is_broken() -> None:
    assert seen(LEAF.pem + MIDDLE.pem, on=31)["chain"] == "broken"


def test_a_self_issued_certificate_says_so() -> None:
    assert seen(STRANGER.pem)["self_issued"] is True


def test_what_was_not_named_is_absent() -> None:
    told = values(CHECK, answers(LEAF.pem), path=PATHS["path"])

    assert (told["chain"], told["key_mode"], told["key_file"]) == (None, None, None)


def test_a_missing_key_is_absent() -> None:
    told = values(CHECK, answers(LEAF.pem) | {KEY: ok([])}, **PATHS)

    assert told["key_file"] is None


@pytest.mark.parametrize(
    "broken",
    [
        {SERVED: Answer("absent")},
        {SERVED: Answer("denied", reason="needs root")},
        {SERVED: ok("garbage")},
        {AUTHORITY: Answer("absent")},
        {KEY: Answer("denied", reason="needs root")},
        {NOW: Answer("error", reason="no clock")},
    ],
)
def test_what_was_not_seen_is_unobservable(broken: dict[Probe, Answer]) -> None:
    with pytest.raises(Unobservable):
        values(CHECK, answers(LEAF.pem + MIDDLE.pem) | broken, **PATHS)
