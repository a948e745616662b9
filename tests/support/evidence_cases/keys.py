"""Cases about keys: rotation, replacement, positions, and keys that may not sign."""

from dataclasses import replace

from reconciler.evidence import sshsig
from reconciler.evidence.key_change import RECOVERY_NAMESPACE, Action, prove
from reconciler.evidence.statement import Kind
from tests.support.evidence_cases.case import LINES, History, at, case, in_commit, short
from tests.support.evidence_keys import test_key
from tests.support.forge import KEY, Forge, signer_line

OLD, ROGUE, PERSON = (
    test_key(name) for name in ("smile/desk 2025", "mallory", "owner@msp.example")
)
BOTH = signer_line("smile/desk", OLD) + LINES


def bound(first: str, second: str) -> str:
    """The old and the new key, each bound to entries."""
    old, new = (signer_line("smile/desk", key).rstrip() for key in (OLD, KEY))
    return f"{old} {first} the desk until 2026\n{new} {second}\n"


def recovery(namespaces: str = RECOVERY_NAMESPACE) -> str:
    key = sshsig.public_text(sshsig.raw_public(PERSON))
    return f'owner@msp.example namespaces="{namespaces}" {key}\n'


def started() -> Forge:
    """Genesis and a run by the old key."""
    forge = Forge(key=OLD)
    forge.append(Kind.GENESIS)
    forge.append()
    return forge


@case
def rotated_key() -> History:
    """The old key announces the new one in entry 2; each is listed for its own entries."""
    forge = started()
    forge.rotate(KEY)
    forge.append()
    forge.append_slim(body={"like": 3, "reached": True, "took_ms": 900})
    return History(forge, bound("ledger:0-2", "ledger:3-"), runs=3)


@case
def replaced_key() -> History:
    """The old key is lost; the new one signs its own entry, and a recovery signer authorizes it."""
    forge = started()
    forge.replace_key(KEY, PERSON)
    forge.append()
    return History(forge, bound("ledger:0-1", "ledger:2-") + recovery(), runs=2)


@case
def gap_ended_by_key_change() -> History:
    """A machine is replaced after a promise was broken; the new key can sign nothing earlier."""
    forge = Forge(key=OLD)
    forge.append(Kind.GENESIS)
    body = {"fail": 0, "pass": 30, "promise_s": 300}
    forge.append(body=body, recorded_at="2026-03-01T23:05:00.000Z")
    forge.replace_key(KEY, PERSON)
    gap = {"seq": 2, "from": "2026-03-01T23:05:00.000Z", "until": "2026-03-01T23:25:00.000Z"}
    gap |= {"promise_s": 300, "declared": True}
    return History(forge, BOTH + recovery(), runs=1, gaps=(gap,))


@case
def position_exceeded_fail() -> History:
    """A key signs an entry past those that it is listed for."""
    forge = short(2)
    line = signer_line("smile/desk", KEY).rstrip()
    return History(forge, f"{line} ledger:0-0\n", faults=(in_commit("key", forge, 1),))


@case
def rogue_key_fail() -> History:
    """The newest entry is signed by a key that nobody listed."""
    forge = short(2)
    forge.key = ROGUE
    forge.append()
    return History(forge, faults=(in_commit("key", forge, 2), at("key", forge, 2)))


@case
def namespace_of_another_use_fail() -> History:
    """The key of the branch is listed for signing files, not commits."""
    forge = short(1)
    lines = signer_line("smile/desk", KEY).replace('"git"', '"file"')
    return History(forge, lines, faults=(in_commit("key", forge, 0),))


@case
def key_of_another_appliance_fail() -> History:
    """The newest entry is signed by the key of another appliance of the same clinic."""
    other = test_key("smile/xray")
    forge = short(2)
    forge.key = other
    forge.append()
    lines = LINES + signer_line("smile/xray", other)
    return History(forge, lines, faults=(in_commit("principal", forge, 2), at("key", forge, 2)))


@case
def genesis_names_another_key_fail() -> History:
    """The first entry names another key than the one that signs it."""
    forge = Forge()
    key = sshsig.public_text(sshsig.raw_public(OLD))
    forge.append(Kind.GENESIS, {"key": key, "memory": {}})
    return History(forge, BOTH, faults=(at("key", forge, 0),))


@case
def rotation_without_announcement_fail() -> History:
    """Another listed key goes on with the branch, and no entry announced it."""
    forge = started()
    forge.key = KEY
    forge.append()
    return History(forge, BOTH, faults=(at("key", forge, 2),))


@case
def retired_key_returns_fail() -> History:
    """A replaced key signs once more, while both are listed."""
    forge = started()
    forge.rotate(KEY)
    forge.append()
    forge.key = OLD
    forge.append()
    return History(forge, BOTH, faults=(at("retired-key", forge, 4),))


@case
def retired_key_goes_on_fail() -> History:
    """The old key announces another one and goes on signing itself, while both are listed."""
    forge = started()
    forge.rotate(KEY)
    forge.key = OLD
    forge.append()
    return History(forge, BOTH, faults=(at("retired-key", forge, 3),))


@case
def retired_key_announced_again_fail() -> History:
    """A key that was replaced is announced once more: whoever took it could have waited."""
    forge = started()
    forge.rotate(KEY)
    forge.append()
    forge.rotate(OLD)
    return History(forge, BOTH, faults=(at("retired-key", forge, 4),))


@case
def expired_key_back_dated_fail() -> History:
    """A replaced key signs again, with every time set back into its window."""
    forge = started()
    forge.rotate(KEY)
    forge.append()
    forge.key = OLD
    forge.append(recorded_at="2026-03-01T23:25:00.000Z")
    lines = signer_line("smile/desk", OLD, 'valid-before="20260301235000Z"') + LINES
    return History(
        forge, lines, faults=(at("time-backwards", forge, 4), at("retired-key", forge, 4))
    )


@case
def rotation_proof_moved_fail() -> History:
    """The proof of the new key was made for another entry of the same branch."""
    forge = started()
    moved = replace(forge.announcement(KEY, Action.ROTATE), seq=7)
    forge.rotate(KEY, prove(moved, KEY))
    return History(forge, BOTH, faults=(at("key-change", forge, 2),))


@case
def rotation_proof_by_the_old_key_fail() -> History:
    """A key is announced that nobody proves to hold."""
    forge = started()
    forge.rotate(KEY, prove(forge.announcement(KEY, Action.ROTATE), OLD))
    return History(forge, BOTH, faults=(at("key-change", forge, 2),))


@case
def replaced_without_recovery_fail() -> History:
    """The replacement of a key is authorized by a person who is listed for other things."""
    forge = started()
    forge.replace_key(KEY, PERSON)
    return History(forge, BOTH + recovery("git"), faults=(at("key-change", forge, 2),))


@case
def replaced_by_itself_fail() -> History:
    """The new key authorizes its own replacement of the old one."""
    forge = started()
    forge.replace_key(KEY, KEY)
    return History(forge, BOTH + recovery(), faults=(at("key-change", forge, 2),))
