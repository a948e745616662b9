"""securesystemslib, the reference implementation of DSSE, agrees about our envelopes."""

import json
from pathlib import Path

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from reconciler.evidence import dsse, sshsig
from tests.support.evidence_keys import test_key as key_of
from tests.support.ledger_rig import filled

pytestmark = pytest.mark.conformance

KEY = key_of("alice")
PUBLIC = sshsig.raw_public(KEY)


def their_key(public: bytes) -> SSlibKey:
    return SSlibKey(dsse.key_id(public), "ed25519", "ed25519", {"public": public.hex()})


def test_they_verify_what_we_seal() -> None:
    sealed = dsse.seal(b'{"a":1}', dsse.PAYLOAD_TYPE, KEY)
    envelope = Envelope.from_dict(json.loads(sealed))
    assert set(envelope.verify([their_key(PUBLIC)], 1)) == {dsse.key_id(PUBLIC)}
    assert envelope.payload == b'{"a":1}'
    with pytest.raises(VerificationError):
        envelope.verify([their_key(sshsig.raw_public(key_of("bob")))], 1)


def test_the_encodings_are_the_same_bytes() -> None:
    envelope = Envelope(b"x" * 300, "text/plain", {})
    assert envelope.pae() == dsse.pae(b"x" * 300, "text/plain")


def test_we_open_what_they_sign() -> None:
    signer = CryptoSigner(KEY, their_key(PUBLIC))
    envelope = Envelope(b'{"a":1}', dsse.PAYLOAD_TYPE, {})
    envelope.sign(signer)
    data = json.dumps(envelope.to_dict(), sort_keys=True, separators=(",", ":")).encode()
    assert dsse.open_envelope(data, PUBLIC) == b'{"a":1}'


def test_an_entry_in_a_ledger_verifies_outside_git(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=1)
    files = rig.git("ls-tree", "-r", "--name-only", "smile/desk").stdout.split()
    assert files[0] == "entries/2026/03/01/00000000.dsse.json"
    for file in files:
        data = rig.git("show", f"smile/desk:{file}").stdout
        envelope = Envelope.from_dict(json.loads(data))
        public = sshsig.raw_public(rig.key)
        assert len(envelope.verify([their_key(public)], 1)) == 1
        assert json.loads(envelope.payload)["_type"] == "https://in-toto.io/Statement/v1"
