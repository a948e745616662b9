import json
from base64 import b64decode, b64encode

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import dsse, sshsig
from reconciler.trust import envelope, statements
from tests.support.attested import APPROVAL
from tests.support.evidence_keys import test_key as key_of

KEY, OTHER = key_of("alice"), key_of("bob")
PAYLOAD = statements.write(APPROVAL)
SEALED = envelope.seal(PAYLOAD, KEY)
ARMOR = sshsig.sign(KEY, envelope.to_be_signed(PAYLOAD), envelope.NAMESPACE)


def test_what_was_sealed_is_opened() -> None:
    opened = envelope.open_envelope(SEALED)
    assert opened == envelope.Opened(PAYLOAD, sshsig.raw_public(KEY))
    for payload in (b"", b"\x00\xff", b"a" * 4095):
        assert envelope.open_envelope(envelope.seal(payload, KEY)).payload == payload


def test_the_envelope_is_dsse_with_the_raw_signature() -> None:
    value = json.loads(SEALED)
    assert value["payloadType"] == "application/vnd.in-toto+json"
    assert b64decode(value["payload"]) == PAYLOAD
    assert value["signatures"] == [
        {
            "keyid": sshsig.fingerprint(sshsig.raw_public(KEY)),
            "sig": b64encode(sshsig.blob_of(ARMOR)).decode(),
        }
    ]


def test_what_is_signed_is_the_pre_authentication_encoding() -> None:
    assert envelope.to_be_signed(b"hi") == b"DSSEv1 28 application/vnd.in-toto+json 2 hi"


def test_a_signature_of_ssh_keygen_is_wrapped() -> None:
    assert envelope.wrap(PAYLOAD, ARMOR) == SEALED
    assert envelope.wrap(PAYLOAD, ARMOR + "\n") == SEALED


@pytest.mark.parametrize(
    "armor",
    [
        "",
        ARMOR + "\n\n",
        sshsig.sign(KEY, PAYLOAD, envelope.NAMESPACE),
        sshsig.sign(KEY, envelope.to_be_signed(PAYLOAD), "git"),
        sshsig.sign(KEY, envelope.to_be_signed(PAYLOAD), "file"),
        sshsig.sign(KEY, envelope.to_be_signed(PAYLOAD + b" "), envelope.NAMESPACE),
    ],
)
def test_another_signature_is_not_wrapped(armor: str) -> None:
    with pytest.raises(EvidenceError):
        envelope.wrap(PAYLOAD, armor)


def test_an_envelope_that_nobody_would_read_is_not_made() -> None:
    with pytest.raises(EvidenceError, match="larger than"):
        envelope.seal(b"x" * envelope.MAX_ENVELOPE, KEY)


def signed_over(payload: bytes, namespace: str) -> bytes:
    blob = sshsig.blob_of(sshsig.sign(KEY, envelope.to_be_signed(payload), namespace))
    value = json.loads(SEALED)
    value["signatures"][0]["sig"] = b64encode(blob).decode()
    return json.dumps(value, separators=(",", ":")).encode()


def test_a_signature_for_commits_is_none_for_statements() -> None:
    assert signed_over(PAYLOAD, envelope.NAMESPACE) == SEALED
    with pytest.raises(EvidenceError, match="namespace"):
        envelope.open_envelope(signed_over(PAYLOAD, "git"))


def test_a_payload_under_an_old_signature_is_refused() -> None:
    with pytest.raises(EvidenceError, match="does not fit"):
        envelope.open_envelope(signed_over(PAYLOAD + b" ", envelope.NAMESPACE))


def test_an_envelope_of_the_ledger_is_none_of_ours() -> None:
    with pytest.raises(EvidenceError, match="canonical envelope"):
        envelope.open_envelope(dsse.seal(PAYLOAD, dsse.PAYLOAD_TYPE, KEY))


def test_a_plain_ed25519_signature_is_refused() -> None:
    value = json.loads(SEALED)
    raw = KEY.sign(envelope.to_be_signed(PAYLOAD))
    value["signatures"][0]["sig"] = b64encode(raw).decode()
    with pytest.raises(EvidenceError):
        envelope.open_envelope(json.dumps(value, separators=(",", ":")).encode())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data + b"\n",
        lambda data: b" " + data,
        lambda data: data.replace(b":", b": ", 1),
        lambda data: data[:-1] + b',"extra":1}',
        lambda data: data.replace(b'"signatures":[', b'"signatures":[{},'),
        lambda data: data.replace(b"in-toto", b"other"),
        lambda data: data.replace(
            sshsig.fingerprint(sshsig.raw_public(KEY)).encode(),
            sshsig.fingerprint(sshsig.raw_public(OTHER)).encode(),
        ),
        # "fQ==" and "fR==" both decode to "}": only the first is canonical.
        lambda data: data.replace(b"fQ==", b"fR=="),
        lambda data: b"",
        lambda data: data * 2,
        lambda data: b"x" * (envelope.MAX_ENVELOPE + 1),
    ],
)
def test_there_is_only_one_envelope(spoil) -> None:
    sealed = envelope.seal(b'{"a":1}', KEY)
    assert b"fQ==" in sealed
    assert spoil(sealed) != sealed
    with pytest.raises(EvidenceError):
        envelope.open_envelope(spoil(sealed))


def test_what_is_no_base64_is_no_envelope() -> None:
    for payload in (b"A", b"AAA", b"=", b"A=A="):
        data = SEALED.replace(b64encode(PAYLOAD), payload)
        with pytest.raises(EvidenceError):
            envelope.open_envelope(data)


def test_every_single_byte_matters() -> None:
    for at in range(len(SEALED)):
        spoiled = bytearray(SEALED)
        spoiled[at] ^= 0x01
        with pytest.raises(EvidenceError):
            envelope.open_envelope(bytes(spoiled))
