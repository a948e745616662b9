from datetime import UTC, datetime

import pytest

from reconciler.checks.parsing.certificate import read
from reconciler.errors import Unobservable
from tests.support.certificates import Issuer

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 12, 31, tzinfo=UTC)


def test_dates_strength_and_fingerprint_are_read() -> None:
    (seen,) = read(Issuer.root("Clinic CA", START, END).pem, "certificate")

    assert (seen.not_before_s, seen.not_after_s) == (1_767_225_600, 1_798_675_200)
    assert (seen.key_algorithm, seen.key_bits, seen.signature_hash) == ("ec", 256, "sha256")
    assert len(seen.fingerprint) == 64


def test_a_chain_is_followed_by_signature_and_not_by_name() -> None:
    root = Issuer.root("Clinic CA", START, END)
    impostor = Issuer.root("Clinic CA", START, END)
    (leaf,), (real,), (fake,) = (
        read(pem, "certificate")
        for pem in (root.issue("portal", START, END).pem, root.pem, impostor.pem)
    )

    assert leaf.signed_by(real)
    assert not leaf.signed_by(fake)
    assert real.signed_by(real)
    assert not leaf.signed_by(leaf)


def test_a_leaf_cannot_act_as_an_authority() -> None:
    root = Issuer.root("Clinic CA", START, END)
    thief = root.issue("portal", START, END)
    (forged,), (stolen,) = read(thief.issue("bank", START, END).pem, "x"), read(thief.pem, "x")

    assert not forged.signed_by(stolen)


def test_validity_ends_at_its_last_second() -> None:
    (seen,) = read(Issuer.root("Clinic CA", START, END).pem, "certificate")

    assert seen.valid_at(seen.not_before_s)
    assert not seen.valid_at(seen.not_after_s)
    assert not seen.valid_at(seen.not_before_s - 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n" * 513,
        "\udcff\udcfe",
    ],
)
def test_anything_else_is_unobservable(text: str) -> None:
    with pytest.raises(Unobservable, match="certificate"):
        read(text, "certificate")
