"""Cases about the log of an appliance: what entries claim of it, checkpoints, anchors."""

from base64 import b64encode
from typing import Any

from reconciler.evidence.canonical import digest
from reconciler.evidence.merkle import Frontier, leaf_hash
from reconciler.evidence.statement import Kind
from tests.support.evidence_cases.case import History, at, case, short
from tests.support.evidence_keys import test_key
from tests.support.forge import Forge


@case
def checkpoint() -> History:
    """The root of the log is signed: by an entry without a file, and by one with a file."""
    forge = short(2)
    forge.append_slim(Kind.CHECKPOINT, {"note": forge.note()})
    forge.append()
    forge.append(Kind.CHECKPOINT, {"note": forge.note()})
    return History(forge, runs=2)


@case
def wrong_log_root_fail() -> History:
    """An entry claims a log of the right size with another root."""
    forge = short(2)
    other = Frontier.empty().extend(leaf_hash(bytes([number])) for number in range(2))
    forge.append(log=other)
    return History(forge, faults=(at("log", forge, 2),))


def signed(note: str, forge: Forge) -> History:
    forge.append_slim(Kind.CHECKPOINT, {"note": note})
    return History(forge, faults=(at("checkpoint", forge, 2),))


@case
def checkpoint_of_another_root_fail() -> History:
    """The appliance signs a root that is not that of its log."""
    forge = short(2)
    return signed(forge.note(root=bytes(32)), forge)


@case
def checkpoint_of_a_shorter_log_fail() -> History:
    """A checkpoint entry holds the honest checkpoint of fewer entries than stand before it."""
    forge = short(2)
    return signed(forge.note(size=1), forge)


@case
def checkpoint_of_a_longer_log_fail() -> History:
    """A checkpoint entry signs for entries that were not written yet."""
    forge = short(2)
    return signed(forge.note(size=9), forge)


@case
def checkpoint_by_another_key_fail() -> History:
    """The note in a checkpoint entry is signed by a key that is not the entry's."""
    forge = short(2)
    forge.key = test_key("mallory")
    note = forge.note()
    forge.key = Forge().key
    return signed(note, forge)


@case
def checkpoint_of_another_log_fail() -> History:
    """The note in a checkpoint entry is of the log of another appliance."""
    forge = short(2)
    return signed(forge.note().replace("smile/desk", "smile/xray"), forge)


def anchor(forge: Forge, seq: int, note: str, **changes: Any) -> dict[str, Any]:
    return {
        "authority": "tsa.example",
        "checkpoint": {"seq": seq, "sha256": forge.digests[seq]},
        "method": "rfc3161",
        "note_sha256": digest(note.encode()),
        "proof": b64encode(b"nobody reads this without the authority's certificates").decode(),
        "state": "complete",
        **changes,
    }


def stamped() -> tuple[Forge, str]:
    forge = short(2)
    note = forge.note()
    forge.append_slim(Kind.CHECKPOINT, {"note": note})
    return forge, note


@case
def anchored() -> History:
    """A checkpoint is anchored by an authority of which the auditor brings no certificates.

    That proves no time, and is no fault either: it is said to be not proven.
    """
    forge, note = stamped()
    forge.append(Kind.ANCHOR, anchor(forge, 2, note))
    return History(forge, runs=1)


@case
def anchor_of_no_checkpoint_fail() -> History:
    """An anchor names an entry that is no checkpoint."""
    forge, note = stamped()
    forge.append(Kind.ANCHOR, anchor(forge, 1, note))
    return History(forge, faults=(at("anchor", forge, 3),))


@case
def anchor_of_another_note_fail() -> History:
    """What was stamped is not the note of the checkpoint that the anchor names."""
    forge, note = stamped()
    forge.append(Kind.ANCHOR, anchor(forge, 2, note, note_sha256="0" * 64))
    return History(forge, faults=(at("anchor", forge, 3),))


@case
def anchor_with_more_fail() -> History:
    """An anchor has a member that its form has not."""
    forge, note = stamped()
    forge.append(Kind.ANCHOR, anchor(forge, 2, note, seen="yes"))
    return History(forge, faults=(at("anchor", forge, 3),))
