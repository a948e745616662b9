import json
from base64 import b64encode

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence import dsse
from reconciler.evidence.sshsig import raw_public
from tests.support.evidence_keys import test_key as key_of

KEY, OTHER = key_of("alice"), key_of("bob")
PUBLIC = raw_public(KEY)
PAYLOAD = b'{"a":1}'
SEALED = dsse.seal(PAYLOAD, dsse.PAYLOAD_TYPE, KEY)


def test_pae_is_the_one_of_the_specification() -> None:
    assert dsse.pae(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_the_payload_comes_back_byte_for_byte() -> None:
    for payload in (b"", b"\x00\xff", b"a" * 4095, PAYLOAD):
        sealed = dsse.seal(payload, dsse.PAYLOAD_TYPE, KEY)
        assert dsse.open_envelope(sealed, PUBLIC) == payload


def test_the_envelope_is_plain_json_with_one_signature() -> None:
    value = json.loads(SEALED)
    assert set(value) == {"payload", "payloadType", "signatures"}
    assert value["payloadType"] == "application/vnd.in-toto+json"
    assert [set(signature) for signature in value["signatures"]] == [{"keyid", "sig"}]
    assert value["signatures"][0]["keyid"] == dsse.key_id(PUBLIC)


def test_another_key_is_refused() -> None:
    with pytest.raises(EvidenceError, match="another key"):
        dsse.open_envelope(SEALED, raw_public(OTHER))
    renamed = SEALED.replace(dsse.key_id(PUBLIC).encode(), dsse.key_id(raw_public(OTHER)).encode())
    with pytest.raises(EvidenceError, match="does not fit"):
        dsse.open_envelope(renamed, raw_public(OTHER))


def test_a_payload_under_an_old_signature_is_refused() -> None:
    forged = SEALED.replace(b64encode(PAYLOAD), b64encode(b'{"a":2}'))
    with pytest.raises(EvidenceError, match="does not fit"):
        dsse.open_envelope(forged, PUBLIC)


def test_another_payload_type_is_refused() -> None:
    with pytest.raises(EvidenceError, match="payload type"):
        dsse.open_envelope(dsse.seal(PAYLOAD, "text/plain", KEY), PUBLIC)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data + b"\n",
        lambda data: b" " + data,
        lambda data: data.replace(b":", b": ", 1),
        lambda data: data.replace(b'"payload"', b'"Payload"'),
        lambda data: data[:-1] + b',"extra":1}',
        lambda data: data.replace(b'"signatures":[', b'"signatures":[{},'),
        lambda data: data.replace(b'{"keyid"', b'{"cert":"","keyid"'),
        lambda data: json.dumps({**json.loads(data), "signatures": []}).encode(),
        lambda data: data.replace(b64encode(PAYLOAD), b64encode(PAYLOAD)[:-1]),
        lambda data: data.replace(b64encode(PAYLOAD), b64encode(PAYLOAD) + b"===="),
        # "fQ==" and "fR==" both decode to "}": only the first is canonical.
        lambda data: data.replace(b"fQ==", b"fR=="),
        lambda data: b"",
        lambda data: data * 2,
        lambda data: b"x" * (dsse.MAX_ENVELOPE + 1),
    ],
)
def test_there_is_only_one_envelope(spoil) -> None:
    assert spoil(SEALED) != SEALED
    with pytest.raises(EvidenceError):
        dsse.open_envelope(spoil(SEALED), PUBLIC)


def test_every_single_byte_matters() -> None:
    for at in range(len(SEALED)):
        spoiled = bytearray(SEALED)
        spoiled[at] ^= 0x01
        with pytest.raises(EvidenceError):
            dsse.open_envelope(bytes(spoiled), PUBLIC)
