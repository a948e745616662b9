"""Write ``tests/vectors/trust/envelopes``: statements that people and CI sign, good and bad.

``python -m tests.support.make_trust_vectors``. A case is a folder: ``envelope.dsse.json`` and
``expected.json``. A case whose name ends in ``_fail`` must be refused; the others say which key
signed and what the statement says. They need nothing of ours: any verifier can be held to them.
"""

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from pathlib import Path

from reconciler.evidence import canonical, dsse, sshsig
from reconciler.trust import envelope, statements
from tests.support.attested import APPROVAL, HEARTBEAT, NEWER, RECOVERY, RELEASE
from tests.support.authenticator import VERIFIED, Authenticator
from tests.support.evidence_keys import test_key

FOLDER = Path(__file__).parent.parent / "vectors" / "trust" / "envelopes"
KEY, OTHER = test_key("alice"), test_key("bob")
YUBIKEY = Authenticator("bob-yubikey")
PAYLOAD = statements.write(APPROVAL)
SEALED = envelope.seal(PAYLOAD, KEY)


def good() -> dict[str, bytes]:
    """Envelopes that hold."""
    first = replace(APPROVAL, base=None, plan=None, expires=APPROVAL.issued)
    return {
        "approval": SEALED,
        "approval_without_base_or_plan": envelope.seal(statements.write(first), KEY),
        "heartbeat": envelope.seal(statements.write(HEARTBEAT), test_key("ci")),
        "release": envelope.seal(statements.write(RELEASE), test_key("ci")),
        "release_that_says_what_changed": envelope.seal(statements.write(NEWER), test_key("ci")),
        "release_without_systems": envelope.seal(
            statements.write(replace(RELEASE, systems={})), test_key("ci")
        ),
        "recovery": envelope.seal(statements.write(RECOVERY), KEY),
        "hardware_key": _by(YUBIKEY),
        "hardware_key_that_asked_for_a_pin": _by(YUBIKEY.but(flags=VERIFIED)),
        "hardware_key_of_another_application": _by(YUBIKEY.but(application=b"ssh:fleet")),
    }


def bad() -> dict[str, bytes]:
    """Envelopes that are refused, each for one thing."""
    mark = sshsig.fingerprint(sshsig.raw_public(KEY)).encode()
    other = sshsig.fingerprint(sshsig.raw_public(OTHER)).encode()
    return {
        "another_payload": _payload(statements.write(replace(APPROVAL, branch="other"))),
        "another_key_id": _swapped(mark, other),
        "another_namespace": _signature(sshsig.sign(KEY, envelope.to_be_signed(PAYLOAD), "git")),
        "not_the_encoding": _signature(sshsig.sign(KEY, PAYLOAD, envelope.NAMESPACE)),
        "plain_ed25519": dsse.seal(PAYLOAD, dsse.PAYLOAD_TYPE, KEY),
        "another_type": _swapped(b"vnd.in-toto+json", b"json"),
        "spare_field": _swapped(b'"payloadType"', b'"extra":1,"payloadType"'),
        "space": _swapped(b":", b": "),
        "newline_at_the_end": SEALED + b"\n",
        "not_touched": _forced(YUBIKEY.but(flags=0x00)),
        "pin_without_touch": _forced(YUBIKEY.but(flags=0x04)),
        "flags_of_the_future": _forced(YUBIKEY.but(flags=0x81)),
        "hardware_key_of_a_web_site": _forced(YUBIKEY.but(application=b"msp.example")),
        "payload_with_a_spare_field": _statement(lambda v: v["predicate"].update(extra=1)),
        "payload_without_a_field": _statement(lambda v: v["predicate"].pop("plan")),
        "payload_of_another_version": _statement(
            lambda v: v.update(predicateType="urn:reconciler:attestation:fleet-approval:v2")
        ),
        "subject_is_another_tree": _statement(
            lambda v: v["subject"][0]["digest"].update(gitTree="0" * 40)
        ),
        "time_with_an_offset": _statement(
            lambda v: v["predicate"].update(issued="2026-03-02T08:00:00+00:00")
        ),
        "release_with_a_closure_and_no_diff": _newer(lambda one: one.pop("diff")),
        "release_with_null_for_a_diff": _newer(lambda one: one.update(diff=None)),
        "release_with_a_spare_field_of_a_closure": _newer(lambda one: one["closure"].update(x=1)),
        "release_with_changes_out_of_order": _newer(lambda one: one["diff"]["changes"].reverse()),
        "release_that_left_out_less_than_none": _newer(lambda one: one["diff"].update(left_out=-1)),
        "payload_is_not_canonical": envelope.seal(PAYLOAD.replace(b":", b": ", 1), KEY),
    }


def write(folder: Path = FOLDER) -> None:
    """Write every case."""
    for name, data in good().items():
        opened = envelope.open_envelope(data)
        said = {"key": sshsig.public_text(opened.public), "statement": json.loads(opened.payload)}
        _write(folder / name, data, said)
    for name, data in bad().items():
        _write(folder / f"{name}_fail", data, {"refused": True})


def _write(case: Path, data: bytes, expected: object) -> None:
    case.mkdir(parents=True, exist_ok=True)
    (case / "envelope.dsse.json").write_bytes(data)
    (case / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


def _by(key: Authenticator) -> bytes:
    return envelope.wrap(
        PAYLOAD, key.but(counter=6).sign(envelope.to_be_signed(PAYLOAD), envelope.NAMESPACE)
    )


def _forced(key: Authenticator) -> bytes:
    """An envelope that we would not wrap."""
    armor = key.but(counter=6).sign(envelope.to_be_signed(PAYLOAD), envelope.NAMESPACE)
    mark = sshsig.fingerprint(sshsig.raw_public(KEY)).encode()
    data = _signature(armor)
    return data.replace(mark, sshsig.fingerprint(key.public).encode())


def _signature(armor: str) -> bytes:
    return _put(("signatures", 0, "sig"), b64encode(sshsig.blob_of(armor)).decode())


def _payload(payload: bytes) -> bytes:
    return _put(("payload",), b64encode(payload).decode())


def _put(path: tuple[str | int, ...], value: str) -> bytes:
    whole = json.loads(SEALED)
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return canonical.encode(whole)


def _statement(change) -> bytes:  # type: ignore[no-untyped-def]
    value = json.loads(PAYLOAD)
    change(value)
    return envelope.seal(canonical.encode(value), KEY)


def _newer(change) -> bytes:  # type: ignore[no-untyped-def]
    value = json.loads(statements.write(NEWER))
    change(value["predicate"]["systems"]["elm-street/desk-1"])
    return envelope.seal(canonical.encode(value), test_key("ci"))


def _swapped(old: bytes, new: bytes) -> bytes:
    assert old in SEALED
    return SEALED.replace(old, new, 1)


if __name__ == "__main__":
    assert b64decode(json.loads(SEALED)["payload"]) == PAYLOAD
    write()
