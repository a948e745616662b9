"""Commits as raw bytes: a strict reader and the matching writer.

``git verify-commit`` strips every ``gpgsig*`` header before it checks the signature, so a second
``gpgsig`` or a ``gpgsig-sha256`` smuggles unsigned content under a good signature (seen in git 2.39
and 2.55; the same class was fixed in sigstore/gitsign). Libraries that parse for us hide them.

Rule 1: ``tree, parent*, author, committer, gpgsig?`` in this order, nothing else, then a message.
Rule 2: What is signed is the commit without its ``gpgsig`` lines: these bytes, never a rewriting.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.errors import EvidenceError
from reconciler.evidence import sshsig

MAX_BYTES = 1024 * 1024

_COMMIT = re.compile(
    rb"(tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*)author ([^\n]+)\ncommitter ([^\n]+)\n)"
    rb"(gpgsig (-----BEGIN SSH SIGNATURE-----\n(?: [A-Za-z0-9+/=]+\n)+"
    rb" -----END SSH SIGNATURE-----)\n)?\n",
)
_PERSON = re.compile(
    rb"([^<>\n\x00]{1,256}) <([^<>\n\x00]{0,256})> (0|[1-9][0-9]{0,10}) ([+-][0-9]{4})"
)
_ONE_PARENT = re.compile(rb"tree [0-9a-f]{40}\nparent ([0-9a-f]{40})\n")
_ORDER = ("tree", "parent", "author", "committer", "gpgsig")
_HINT = "Rewrite nothing: a commit with other headers is refused. Make a new one with plain git."


@dataclass(frozen=True, slots=True)
class Person:
    """An author or committer line.

    Attributes:
        name: As written.
        email: As written, may be empty.
        seconds: Unix time.
        offset: ``+0000`` or another offset from UTC.
    """

    name: str
    email: str
    seconds: int
    offset: str

    @property
    def time(self) -> datetime:
        """The instant, in UTC."""
        return datetime.fromtimestamp(self.seconds, UTC)

    def __str__(self) -> str:
        return f"{self.name} <{self.email}> {self.seconds} {self.offset}"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit, read from its raw bytes.

    Attributes:
        tree: Object id, 40 hex digits.
        parents: Object ids in order.
        author: Who wrote it; not trusted.
        committer: Who committed it and when; covered by the signature.
        armor: The signature without its header name, None if the commit is not signed.
        message: Everything after the first empty line.
        signed: The bytes that the signature covers.
    """

    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    armor: str | None
    message: bytes
    signed: bytes

    def signed_by(self, *, sk: bool = False) -> bytes:
        """The public key that signed this commit. Whether it is trusted is another question.

        Args:
            sk: Whether a hardware key may have signed it: yes in a fleet, where people sign; never
                in a ledger, where a machine does.

        Returns:
            The raw public key, 32 bytes; of a hardware key its whole key blob.

        Raises:
            EvidenceError: Not signed, or the signature does not fit.
        """
        if self.armor is None:
            raise EvidenceError("commit is not signed", hint="Sign it: git commit -S")
        return sshsig.verify(self.armor, self.signed, sshsig.GIT_NAMESPACE, sk=sk)


def parse(raw: bytes, *, max_parents: int = 1, utc_only: bool = True) -> Commit:
    """Read a commit.

    Args:
        raw: The object's content without Git's own ``commit <size>`` prefix.
        max_parents: 1 in a ledger; a fleet repository may allow merges.
        utc_only: Whether offsets other than ``+0000`` are refused.

    Raises:
        EvidenceError: Another header, a repeated one, another order, too many parents, a signature
            that is not SSH armor, a malformed person, or more than 1 MiB.
    """
    match = _COMMIT.match(raw) if len(raw) <= MAX_BYTES else None
    if match is None:
        raise EvidenceError(_difference(raw), hint=_HINT)
    head, tree, parents, author, committer, _, armor = match.groups()
    ids = tuple(line[7:].decode() for line in parents.splitlines())
    if len(ids) > max_parents:
        raise EvidenceError(f"commit has {len(ids)} parents", hint="History must be linear here.")
    # In a ledger they are the same.
    person = _person(author, utc_only)
    return Commit(
        tree=tree.decode(),
        parents=ids,
        author=person,
        committer=person if committer == author else _person(committer, utc_only),
        armor=None if armor is None else armor.replace(b"\n ", b"\n").decode(),
        message=raw[match.end() :],
        signed=head + raw[match.end() - 1 :],
    )


def unsigned(
    tree: str, parents: tuple[str, ...], author: Person, committer: Person, message: bytes
) -> bytes:
    """The raw commit without a signature: the bytes to sign."""
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {author}", f"committer {committer}", "", ""]
    return "\n".join(lines).encode() + message


def with_signature(payload: bytes, armor: str) -> bytes:
    """The raw commit with its ``gpgsig`` header.

    Args:
        payload: What `unsigned` built and what ``armor`` signs.
        armor: As `reconciler.evidence.sshsig.sign` returns it.
    """
    head, _, message = payload.partition(b"\n\n")
    return head + b"\ngpgsig " + armor.replace("\n", "\n ").encode() + b"\n\n" + message


def parents_of(raw: bytes) -> tuple[str, ...]:
    """Parents as Git would follow them, also of a commit that `parse` refuses; trusts nothing."""
    usual = _ONE_PARENT.match(raw)
    if usual is not None and raw.count(b"\nparent ") == 1:
        return (usual[1].decode(),)
    head = raw[:MAX_BYTES].partition(b"\n\n")[0]
    return tuple(id_.decode() for id_ in re.findall(rb"(?m)^parent ([0-9a-f]{40})$", head))


def tree_of(raw: bytes) -> str | None:
    """Tree as Git would read it, also of a commit that `parse` refuses; trusts nothing."""
    match = re.match(rb"tree ([0-9a-f]{40})\n", raw)
    return None if match is None else match[1].decode()


def _person(line: bytes, utc_only: bool) -> Person:
    match = _PERSON.fullmatch(line)
    if match is None:
        raise EvidenceError(f"person {line[:80]!r} is malformed", hint=_HINT)
    try:
        name, email = match[1].decode("utf-8"), match[2].decode("utf-8")
    except UnicodeDecodeError as error:
        raise EvidenceError(f"person {line[:80]!r} is not UTF-8", hint=_HINT) from error
    if utc_only and match[4] != b"+0000":
        raise EvidenceError(f"time offset {match[4].decode()} is not +0000", hint=_HINT)
    return Person(name, email, int(match[3]), match[4].decode())


def _difference(raw: bytes) -> str:
    """Why a commit is refused, for people; the refusal itself does not depend on it."""
    if len(raw) > MAX_BYTES:
        return f"commit of {len(raw)} bytes is too large"
    head = raw.partition(b"\n\n")[0].decode("utf-8", "replace")
    names = [line.split(" ")[0] for line in head.split("\n") if not line.startswith(" ")]
    for name in names:
        if name not in _ORDER:
            return f"commit has a header {name[:40]!r}"
        if name != "parent" and names.count(name) > 1:
            return f"commit has more than one {name!r} header"
    if names != sorted(names, key=_ORDER.index):
        return "commit headers are not in Git's order"
    if "gpgsig" in names and "-----BEGIN SSH SIGNATURE-----" not in head:
        return "commit signature is not an SSH signature"
    return "commit is malformed"
