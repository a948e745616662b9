"""Changing the key of an appliance's ledger: rotation, replacement, and going on after a crash.

The order is what makes a crash harmless:

1. The new key is complete and on the disk, beside the old one (``FILE.next``).
2. The ``key-change`` entry is appended. From here on the new key signs, and only it.
3. The local file of evidence signers names both keys, each with its positions.
4. The new key takes the place of the old one, which goes aside (``FILE.until-SEQ``).

Before 2 the waiting key is worth nothing and is made anew; after 2 the ledger itself says which key
is the right one, and `finish` does what is left.
"""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reconciler.errors import ClockWrong
from reconciler.evidence import key_change, signer_lines, statement
from reconciler.evidence.entry import UNKNOWN_CLOCK, Clock, Kind
from reconciler.evidence.key_change import Action, Announcement, KeyChange, Reason
from reconciler.evidence.key_life import next_key
from reconciler.ledger import keys, sealed_keys
from reconciler.ledger.compose import following
from reconciler.ledger.head import Head
from reconciler.ledger.key_site import (
    Changed,
    Site,
    announced,
    require_current,
    require_writable,
    waiting,
)
from reconciler.ledger.key_swap import discard, rewrite, swap
from reconciler.ledger.sealed_keys import Protection
from reconciler.ledger.writer import Writer


def rotate(
    site: Site,
    protection: Protection,
    reason: Reason,
    *,
    at: datetime,
    clock: Clock = UNKNOWN_CLOCK,
) -> Changed:
    """Make a new key, announce it by the old one, and put it in its place.

    The caller holds the host's lock. If an earlier change was interrupted after its announcement,
    that one is finished, and no second one is made.

    Args:
        site: Whose key.
        protection: How the new key is kept.
        reason: Why.
        at: Wall time, not before the newest entry.
        clock: What the machine knows of its time.

    Raises:
        KeyMissing: The old key is not here, or is not the ledger's.
        LedgerDamaged: The newest entries do not verify.
        ClockWrong: The clock went back.
        MachineError: Disk full, read-only, no permission, or nothing to seal with.
    """
    finished = finish(site)
    if finished is not None:
        return finished
    old = sealed_keys.load(site.place, site.sealer)
    head = site.head(site.allowed())
    require_current(head.tip, old)
    require_writable(site)
    discard(site.coming)
    new = sealed_keys.make(site.coming, site.principal, protection, site.sealer)
    announcement = _next(head, new, Action.ROTATE)
    proof = key_change.prove(announcement, new)
    change = KeyChange(Action.ROTATE, announcement.public, proof, None, reason)
    _append(site, head, old, change, at, clock)
    return _finished(site, keys.public(new))


def request(site: Site, protection: Protection) -> Announcement:
    """Begin to replace a key that is gone: make the new one, and say what must be authorized.

    Asked again before the ledger grew, the answer is the same. Call `finish` first: a replacement
    that was interrupted needs no second one.

    Args:
        site: Whose key; its ledger was restored from the remote.
        protection: How the new key is kept.

    Raises:
        LedgerMissing: The ledger is not restored yet.
        LedgerDamaged: The newest entries do not verify.
        MachineError: Disk full, read-only, no permission, or nothing to seal with.
    """
    head = site.head(site.allowed())
    require_writable(site)
    if not (site.coming.exists() and site.coming.public.exists()):
        discard(site.coming)
        sealed_keys.make(site.coming, site.principal, protection, site.sealer)
    new = sealed_keys.load(site.coming, site.sealer)
    return _next(head, new, Action.REPLACE)


def replace(
    site: Site,
    authorization: str,
    reason: Reason,
    *,
    at: datetime,
    clock: Clock = UNKNOWN_CLOCK,
) -> Changed:
    """Append the replacement, signed by the new key, and put that key in its place.

    The caller holds the host's lock.

    Args:
        site: Whose key; `request` was called before.
        authorization: SSHSIG armor by a recovery signer over what `request` returned.
        reason: Why.
        at: Wall time, not before the newest entry.
        clock: What the machine knows of its time.

    Raises:
        KeyMissing: `request` was not called, or its key cannot be used.
        EvidenceError: The authorization is not good for this key at this place.
        ClockWrong: The clock went back.
        MachineError: Disk full, read-only, no permission.
    """
    finished = finish(site)
    if finished is not None:
        return finished
    new = sealed_keys.load(site.coming, site.sealer)
    allowed = site.allowed()
    head = site.head(allowed)
    announcement = _next(head, new, Action.REPLACE)
    key_change.check_authorization(authorization, announcement, allowed, at)
    proof = key_change.prove(announcement, new)
    change = KeyChange(Action.REPLACE, announcement.public, proof, authorization, reason)
    _append(site, head, new, change, at, clock)
    return _finished(site, keys.public(new))


def finish(site: Site) -> Changed | None:
    """Do what is left of a change that was announced and then interrupted.

    Costs one look into a directory if there is none.

    Returns:
        The change, None if there is nothing to finish.

    Raises:
        KeyMissing: The waiting key cannot be used.
        LedgerDamaged: The newest entries do not verify.
        MachineError: Disk full, read-only, no permission.
    """
    new = waiting(site)
    if new is None or next_key(site.head(site.allowed_with(new)).tip) != new:
        return None
    return _finished(site, new)


def _finished(site: Site, new: bytes) -> Changed:
    """Steps 3 and 4."""
    changed = announced(site, new)
    name, before = str(site.signers_file), site.signers_data()
    ended = signer_lines.closed(before, name, changed.old, changed.last)
    line = signer_lines.appliance_line(site.principal, new, changed.last + 1)
    after = signer_lines.added(ended, name, line)
    if after != before:
        rewrite(site.signers_file, after)
    swap(site.place, site.coming, changed.aside)
    return changed


def _append(
    site: Site,
    head: Head,
    key: Ed25519PrivateKey,
    change: KeyChange,
    at: datetime,
    clock: Clock,
) -> None:
    """Step 2."""
    newest = head.tip.entry.recorded_at
    if statement.stamp(at) < newest:
        message = f"the clock says {statement.stamp(at)}, but the newest entry is of {newest}"
        hint = "Set the clock right (timedatectl); evidence never goes back in time."
        raise ClockWrong(message, hint=hint)
    entry = following(
        head,
        Kind.KEY_CHANGE,
        change.to_body(),
        at=at,
        clock=clock,
        subject=head.base.subject,
        closes=None,
        boot_id=None,
    )
    writer = Writer(site.repository, key)
    try:
        writer.write(entry, statement.to_payload(entry), head.tip.commit)
    finally:
        writer.close()


def _next(head: Head, new: Ed25519PrivateKey, action: Action) -> Announcement:
    tip = head.tip
    return Announcement(tip.entry.ref, tip.entry.seq + 1, tip.digest, keys.public(new), action)
