"""Cases about witnesses: what they vouched for, held against what is shown."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.evidence.note import cosign, read_checkpoint
from reconciler.evidence.statement import Kind
from tests.support.evidence_cases.case import LINES, History, at, case, short
from tests.support.evidence_keys import test_key
from tests.support.forge import Forge, signer_line

HUB = test_key("witness/hub")
LISTED = LINES + signer_line("witness/hub", HUB)
AT = 1_772_413_200
"""2026-03-02T01:00:00Z"""
VOUCHED = {"witness": "witness/hub", "size": 2, "time": AT}


def witness_of(forge: Forge, note: str, **changes: Any) -> Forge:
    """A witness's branch beside an appliance's, with one cosignature."""
    witness = Forge("witness", "hub", HUB, forge.objects, forge.names)
    witness.append(Kind.GENESIS)
    claimed = read_checkpoint(note)
    body = {
        "note": note,
        "origin": claimed.origin,
        "root": claimed.root.hex(),
        "size": claimed.size,
        "time": AT,
        **changes,
    }
    witness.append(Kind.COSIGNATURE, body)
    return witness


def vouched(note: str, key: Ed25519PrivateKey = HUB, name: str = "witness/hub") -> str:
    return cosign(note, name, key, AT)


def checkpointed() -> tuple[Forge, str]:
    """Two entries, and a checkpoint of them as the third."""
    forge = short(2)
    note = forge.note()
    forge.append_slim(Kind.CHECKPOINT, {"note": note})
    return forge, note


@case
def cosigned() -> History:
    """A witness vouches for the first two entries; the log has grown since."""
    forge, note = checkpointed()
    forge.append()
    witness = witness_of(forge, vouched(note))
    return History(forge, LISTED, more=(witness,), runs=2, cosigned=(VOUCHED,))


@case
def cosigned_but_shorter_fail() -> History:
    """The newest entries are cut off, and a witness vouched for more than is left."""
    forge, note = checkpointed()
    witness = witness_of(forge, vouched(note))
    forge.names[forge.branch] = forge.commits[0]
    faults = (at("shorter-than-witnessed", witness, 1),)
    return History(forge, LISTED, faults=faults, more=(witness,))


@case
def cosigned_but_gone_fail() -> History:
    """A whole branch is gone that a witness vouched for; another one of the clinic is there."""
    forge, note = checkpointed()
    witness = witness_of(forge, vouched(note))
    other = Forge(host="xray", objects=forge.objects, names=forge.names)
    other.append(Kind.GENESIS)
    del forge.names[forge.branch]
    lines = LISTED.replace("smile/desk", "smile/xray")
    faults = (at("shorter-than-witnessed", witness, 1),)
    return History(other, lines, faults=faults, more=(witness,))


@case
def equivocation_fail() -> History:
    """The owner of the key shows another history than the one that a witness vouched for."""
    forge, _ = checkpointed()
    other = short(1)
    other.append(body={"fail": 30, "pass": 0})
    witness = witness_of(forge, vouched(other.note()))
    faults = (at("equivocation", witness, 1),)
    return History(forge, LISTED, faults=faults, more=(witness,))


@case
def forged_cosignature_fail() -> History:
    """The cosignature in a witness's entry was made at another time than it says."""
    forge, note = checkpointed()
    words = vouched(note)
    later = cosign(note, "witness/hub", HUB, AT + 1)
    # The time of one and the signature of the other.
    line, other = (text.rstrip("\n").rsplit(" ", 1)[1] for text in (words, later))
    witness = witness_of(forge, words.replace(line, line[:16] + other[16:]))
    faults = (at("cosignature", witness, 1),)
    return History(forge, LISTED, faults=faults, more=(witness,))


@case
def cosignature_of_a_stranger_fail() -> History:
    """The cosignature in a witness's entry is by a key that is not the witness's."""
    forge, note = checkpointed()
    witness = witness_of(forge, vouched(note, test_key("mallory")))
    faults = (at("cosignature", witness, 1),)
    return History(forge, LISTED, faults=faults, more=(witness,))


@case
def cosignature_entry_says_otherwise_fail() -> History:
    """A cosignature entry names another size than the note that it holds."""
    forge, note = checkpointed()
    witness = witness_of(forge, vouched(note), size=3)
    faults = (at("cosignature", witness, 1),)
    return History(forge, LISTED, faults=faults, more=(witness,))


@case
def cosigned_note_of_no_log_fail() -> History:
    """A witness vouches for a note that the log's own key did not sign."""
    forge, _ = checkpointed()
    forge.key, own = test_key("mallory"), forge.key
    note = vouched(forge.note(2))
    forge.key = own
    witness = witness_of(forge, note)
    faults = (at("cosignature", witness, 1),)
    return History(forge, LISTED, faults=faults, more=(witness,))
