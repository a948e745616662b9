"""Where an entry lives: its branch, its file, its commit message. One entry, one answer."""

from reconciler.evidence.commit import Person
from reconciler.evidence.entry import Entry

ROOT = "entries"
SUFFIX = ".dsse.json"


def ref_name(client: str, host: str) -> str:
    """The branch of an appliance: ``refs/heads/<client>/<host>``."""
    return f"refs/heads/{client}/{host}"


def principal(client: str, host: str) -> str:
    """Whom the key of an appliance speaks for in ``allowed_signers``: ``<client>/<host>``."""
    return f"{client}/{host}"


def origin(client: str, host: str) -> str:
    """The name of an appliance's log in checkpoints: ``reconciler/<client>/<host>``."""
    return f"reconciler/{client}/{host}"


def entry_path(entry: Entry) -> str:
    """The file of an entry: ``entries/2026/03/01/00000042.dsse.json``."""
    year, month, day = entry.recorded_at[:10].split("-")
    return f"{ROOT}/{year}/{month}/{day}/{entry.seq:08d}{SUFFIX}"


def commit_message(entry: Entry, line: bytes = b"") -> bytes:
    """The whole message of the commit of an entry: it says nothing the entry does not.

    Args:
        entry: The entry.
        line: For a slim entry, its statement.
    """
    first = f"{entry.kind.value} {entry.seq} on {entry.client}/{entry.host}\n\n".encode()
    if entry.slim:
        return first + line + b"\n"
    return first + f"Evidence-Seq: {entry.seq}\nEvidence-Kind: {entry.kind.value}\n".encode()


def slim_line(message: bytes) -> bytes:
    """The statement in the message of a slim entry, if it is one; nothing about it is proven."""
    return message.partition(b"\n\n")[2].removesuffix(b"\n")


def committer(entry: Entry) -> Person:
    """Author and committer of that commit, at the entry's time in whole seconds."""
    seconds = int(entry.time.timestamp())
    email = f"reconciler@{entry.host}.{entry.client}.invalid"
    return Person(f"{entry.client}/{entry.host}", email, seconds, "+0000")
