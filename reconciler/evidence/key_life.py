"""The life of a branch's key: which key may sign the next entry, and how it came to that.

Rule 1: Genesis names the first key. From then on exactly one key may sign, and it changes only by
        a ``key-change`` entry. To be listed among the allowed signers is needed too, never enough.
Rule 2: The clock has no say. A key that was replaced never signs again, at whatever time.
Rule 3: A key that was replaced never comes back: who took it could have waited for that.

All but the last rule is about two neighbours (`succession`). So the fold may leave out entries
between the first and the last of an unbroken use of one key, as long as it sees every key change.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from reconciler.errors import EvidenceError
from reconciler.evidence.entry import Kind
from reconciler.evidence.fault import Code, Fault
from reconciler.evidence.key_change import (
    Action,
    KeyChange,
    announcement_of,
    check_authorization,
    check_proof,
    public_of,
)
from reconciler.evidence.record import Record
from reconciler.evidence.signers import AllowedSigners
from reconciler.evidence.sshsig import fingerprint


def next_key(record: Record) -> bytes:
    """The one key that may sign the entry after a proven one, unless that is a replacement.

    Args:
        record: Proven, and signed by the key that was allowed to.
    """
    change = change_of(record)
    return change.public if change is not None and change.action is Action.ROTATE else record.public


def change_of(record: Record) -> KeyChange | None:
    """The key change that an entry is, None for any other entry and for a malformed one."""
    if record.entry.kind is not Kind.KEY_CHANGE:
        return None
    try:
        return KeyChange.from_body(record.entry.body)
    except EvidenceError:
        return None


def succession(child: Record, parent: Record) -> list[Fault]:
    """What is wrong with who signed an entry, by the one before it alone."""
    kinds = (child.entry.kind, parent.entry.kind)
    if child.public == parent.public and Kind.KEY_CHANGE not in kinds:
        return []
    change, wanted = change_of(child), next_key(parent)
    if change is not None and change.action is Action.REPLACE:
        wanted = change.public
    if child.public == wanted:
        return []
    code = Code.RETIRED_KEY if child.public == parent.public else Code.KEY
    message = (
        f"signed by key {fingerprint(child.public)}; the branch's key is {fingerprint(wanted)}"
    )
    return [Fault(code, child.place, message)]


def vouched(record: Record, signers: AllowedSigners) -> list[Fault]:
    """What is wrong with a key-change entry itself: its form, proof and authorization.

    Args:
        record: A proven ``key-change`` entry.
        signers: Who may authorize replacements, among others.
    """
    try:
        change = KeyChange.from_body(record.entry.body)
        announcement = announcement_of(record.entry, change)
        check_proof(change, announcement)
        if change.authorization is not None:
            at = record.entry.time
            check_authorization(change.authorization, announcement, signers, at)
    except EvidenceError as error:
        return [Fault(Code.KEY_CHANGE, record.place, error.message)]
    return []


@dataclass(slots=True)
class KeyUse:
    """One key of a branch, from its first entry to its last.

    Attributes:
        public: The key, 32 bytes.
        by: What made it the branch's key: ``genesis``, ``rotate`` or ``replace``.
        reason: Why it took over, None for genesis.
        first: The first entry it signed; None while it has signed none.
        last: The last one so far.
        until: Number of the entry that ended it; None while it may sign.
    """

    public: bytes
    by: str
    reason: str | None
    first: Record | None = None
    last: Record | None = None
    until: int | None = None


@dataclass(slots=True)
class KeyLife:
    """The keys of a branch up to an entry; fed oldest entry first.

    Attributes:
        signers: Who may authorize replacements, among others.
        uses: Every key that ever held the branch, in order.
    """

    signers: AllowedSigners
    uses: list[KeyUse] = field(default_factory=list)

    @property
    def current(self) -> bytes:
        """The one key that may sign the next entry."""
        return self.uses[-1].public

    def start(self, genesis: Record) -> list[Fault]:
        """Begin with the first entry.

        Returns:
            What is wrong with it.
        """
        self.uses = [KeyUse(genesis.public, Kind.GENESIS.value, None, genesis, genesis)]
        try:
            named = public_of(genesis.entry.body.get("key"))
        except EvidenceError:
            return [Fault(Code.GENESIS, genesis.place, "does not name the first key")]
        if named != genesis.public:
            message = f"names {fingerprint(named)}, but {fingerprint(genesis.public)} signed it"
            return [Fault(Code.KEY, genesis.place, message)]
        return []

    def follow(self, record: Record) -> list[Fault]:
        """Go on with a later entry.

        Args:
            record: Proven on its own; entries between two of one unbroken use may be left out.

        Returns:
            What is wrong with who signed it, or with the change that it is.
        """
        if record.entry.kind is Kind.KEY_CHANGE:
            return self._change(record)
        if record.public == self.current:
            self._used(record)
            return []
        return [self._stranger(record)]

    def _change(self, record: Record) -> list[Fault]:
        faults = vouched(record, self.signers)
        change = change_of(record)
        replaces = change is not None and change.action is Action.REPLACE
        if record.public != (change.public if change and replaces else self.current):
            faults.append(self._stranger(record))
        elif not replaces:
            self._used(record)
        if change is not None and change.public in (use.public for use in self.uses):
            message = f"brings back key {fingerprint(change.public)}"
            faults.append(Fault(Code.RETIRED_KEY, record.place, message))
        if change is not None and not faults:
            self._hand_over(record, change)
        return faults

    def _hand_over(self, record: Record, change: KeyChange) -> None:
        # The old key signs its own rotation; of its replacement it signs nothing any more.
        self.uses[-1].until = record.entry.seq
        self.uses.append(KeyUse(change.public, change.action.value, change.reason.value))
        if change.action is Action.REPLACE:
            self._used(record)

    def _used(self, record: Record) -> None:
        use = self.uses[-1]
        use.first = use.first or record
        use.last = record

    def _stranger(self, record: Record) -> Fault:
        name, current = fingerprint(record.public), fingerprint(self.current)
        if record.public in (use.public for use in self.uses):
            message = f"key {name} signs after it was replaced by {current}"
            return Fault(Code.RETIRED_KEY, record.place, message)
        return Fault(Code.KEY, record.place, f"key {name} signs, but the branch's key is {current}")


def key_life(
    records: Iterable[Record], signers: AllowedSigners
) -> tuple[KeyLife | None, list[Fault]]:
    """Fold the keys of a whole branch.

    Args:
        records: Genesis first; see `KeyLife.follow` for what may be left out.
        signers: Who may authorize replacements, among others.

    Returns:
        The life of its keys, None without any record, and everything that is wrong.
    """
    life: KeyLife | None = None
    faults: list[Fault] = []
    for record in records:
        if life is None:
            life = KeyLife(signers)
            faults += life.start(record)
        else:
            faults += life.follow(record)
    return life, faults
