"""Cases about the form of commits, trees, envelopes and references."""

from collections.abc import Callable

from reconciler.evidence import canonical
from reconciler.evidence.commit import Person
from reconciler.evidence.tree import FILE, encode, parse
from tests.support.evidence_cases.case import (
    History,
    at,
    case,
    file_of,
    in_commit,
    in_file,
    short,
)
from tests.support.evidence_keys import test_key
from tests.support.forge import Forge, Parts

SMUGGLED = b"-----BEGIN SSH SIGNATURE-----\n anything\n -----END SSH SIGNATURE-----"
THIRD = file_of("01", 2)
Spoil = Callable[[Parts], None]


def raw(change: Callable[[bytes], bytes]) -> Spoil:
    return lambda parts: setattr(parts, "raw", change)


def spoiled(spoil: Spoil, code: str, path: str | None = None) -> History:
    """Two honest entries and a spoiled one, refused as a whole."""
    forge = short(2)
    forge.append(spoil=spoil)
    return History(forge, faults=(in_commit(code, forge, 2, path),))


# Commits


@case
def second_gpgsig_fail() -> History:
    """A second gpgsig header carries unsigned content; git verify-commit accepts it."""
    second = b"SIGNATURE-----\ngpgsig smuggled\n\n"
    return spoiled(raw(lambda old: old.replace(b"SIGNATURE-----\n\n", second, 1)), "commit-form")


@case
def gpgsig_sha256_fail() -> History:
    """A header that git strips before it checks carries unsigned content; git accepts it."""
    headers = b"\ngpgsig-sha256 " + SMUGGLED + b"\ngpgsig "
    return spoiled(raw(lambda old: old.replace(b"\ngpgsig ", headers, 1)), "commit-form")


@case
def encoding_header_fail() -> History:
    """A header that git knows and a ledger does not use."""
    headers = b"\nencoding UTF-8\ngpgsig "
    return spoiled(raw(lambda old: old.replace(b"\ngpgsig ", headers, 1)), "commit-form")


@case
def unsigned_fail() -> History:
    """A commit without any signature."""

    def strip(old: bytes) -> bytes:
        start, end = old.index(b"\ngpgsig "), old.index(b" -----END SSH SIGNATURE-----\n")
        return old[:start] + old[end + len(b" -----END SSH SIGNATURE-----") :]

    return spoiled(raw(strip), "commit-signature")


@case
def merge_commit_fail() -> History:
    """A commit with two parents: another history could hang on the second."""
    forge = short(2)

    def merge(parts: Parts) -> None:
        parts.parents = (*parts.parents, forge.commits[0])

    forge.append(spoil=merge)
    return History(forge, faults=(in_commit("commit-form", forge, 2),))


@case
def other_time_zone_fail() -> History:
    """Author and committer give an offset from UTC."""

    def east(parts: Parts) -> None:
        person = parts.person
        parts.person = Person(person.name, person.email, person.seconds, "+0500")

    return spoiled(east, "commit-form")


@case
def message_with_more_fail() -> History:
    """The commit message says more than the entry."""
    forge = short(2)
    forge.append(spoil=lambda parts: setattr(parts, "message", parts.message + b"\nand more\n"))
    return History(forge, faults=(at("commit-content", forge, 2),))


@case
def committer_somebody_else_fail() -> History:
    """The committer is not the appliance."""
    forge = short(2)

    def rename(parts: Parts) -> None:
        parts.person = Person("Alice", parts.person.email, parts.person.seconds, "+0000")

    forge.append(spoil=rename)
    return History(forge, faults=(at("commit-content", forge, 2),))


# Envelopes and statements


@case
def entry_by_another_key_fail() -> History:
    """The commit is signed by the right key, the envelope in it by another."""
    other = test_key("mallory")
    return spoiled(lambda parts: setattr(parts, "dsse_key", other), "envelope", THIRD)


@case
def relabelled_fail() -> History:
    """Failures became passes under the old envelope signature; the commit is signed well."""

    def relabel(envelope: bytes) -> bytes:
        at_ = envelope.index(b'"payload":"') + 600
        other = b"A" if envelope[at_ : at_ + 1] != b"A" else b"B"
        return envelope[:at_] + other + envelope[at_ + 1 :]

    return spoiled(lambda parts: setattr(parts, "envelope", relabel), "envelope", THIRD)


@case
def envelope_with_a_space_fail() -> History:
    """The envelope means the same and has another byte form."""

    def spaced(envelope: bytes) -> bytes:
        return envelope.replace(b'","payloadType"', b'", "payloadType"')

    return spoiled(lambda parts: setattr(parts, "envelope", spaced), "envelope", THIRD)


@case
def statement_with_more_fail() -> History:
    """A statement has a member that no auditor would look at; all signatures fit."""

    def more(payload: bytes) -> bytes:
        return canonical.encode(canonical.decode(payload) | {"zz": "unread"})

    return spoiled(lambda parts: setattr(parts, "payload", more), "statement", THIRD)


# Trees


@case
def modified_fail() -> History:
    """The first entry is overwritten instead of a new one being added."""
    first = file_of("01", 0)
    forge = short(2)
    forge.append(spoil=lambda parts: setattr(parts, "path", first))
    faults = (
        in_commit("not-append-only", forge, 2, first),
        in_commit("not-append-only", forge, 2),
    )
    return History(forge, faults=faults)


@case
def wrong_path_fail() -> History:
    """An entry lies in the directory of another day."""
    forge, path = short(2), file_of("03", 2)
    forge.append(spoil=lambda parts: setattr(parts, "path", path))
    return History(forge, faults=(in_file("path", forge, 2, path),))


def regrown(change: Callable[[Forge, dict[bytes, tuple[bytes, bytes]]], bytes]) -> Forge:
    """Two honest entries and one whose root tree was changed before it was signed."""
    forge = short(2)

    def root(oid: str) -> str:
        return forge.put("tree", change(forge, dict(parse(forge.read(oid)[1]))))

    forge.append(spoil=lambda parts: setattr(parts, "root", root))
    return forge


def with_node(mode: bytes, name: bytes) -> History:
    def change(forge: Forge, nodes: dict[bytes, tuple[bytes, bytes]]) -> bytes:
        blob = bytes.fromhex(forge.put("blob", b"/etc/passwd"))
        return encode({**nodes, name: (mode, blob)})

    forge = regrown(change)
    return History(forge, faults=(in_commit("tree", forge, 2),))


@case
def second_file_fail() -> History:
    """A plain file beside the entry."""

    def change(forge: Forge, nodes: dict[bytes, tuple[bytes, bytes]]) -> bytes:
        return encode({**nodes, b"zz": (FILE, bytes.fromhex(forge.put("blob", b"extra")))})

    forge = regrown(change)
    return History(forge, faults=(in_commit("not-append-only", forge, 2, "zz"),))


@case
def executable_file_fail() -> History:
    """An executable file beside the entry."""
    return with_node(b"100755", b"zz")


@case
def symbolic_link_fail() -> History:
    """A symbolic link beside the entry."""
    return with_node(b"120000", b"zz")


@case
def submodule_fail() -> History:
    """A commit of another repository beside the entry."""
    return with_node(b"160000", b"zz")


@case
def dot_git_fail() -> History:
    """A file whose name would be taken for a repository in a work tree."""
    return with_node(FILE, b".git")


@case
def old_mode_fail() -> History:
    """A mode of early git, which git today reads as that of a plain file."""
    return with_node(b"100664", b"zz")


@case
def name_twice_fail() -> History:
    """One name twice in a tree: which one is read depends on the reader."""
    forge = regrown(lambda _forge, nodes: encode(nodes) * 2)
    return History(forge, faults=(in_commit("tree", forge, 2),))


@case
def object_missing_fail() -> History:
    """The file of an entry is not in the repository."""
    forge = short(2)
    before = set(forge.objects)
    forge.append()
    (blob,) = (oid for oid in set(forge.objects) - before if forge.objects[oid][0] == "blob")
    del forge.objects[blob]
    return History(forge, faults=(in_commit("object", forge, 2, THIRD),))


# References


@case
def cloned() -> History:
    """What a plain git clone leaves: a remote-tracking copy of the tip."""
    forge = short(2)
    forge.names["refs/remotes/origin/smile/desk"] = forge.commits[1]
    return History(forge, runs=1)


@case
def clone_behind_fail() -> History:
    """A remote-tracking reference that points to another commit than the tip."""
    return referenced("refs/remotes/origin/smile/desk", 0)


@case
def unknown_reference_fail() -> History:
    """A reference beside the branch that nobody audits."""
    return referenced("refs/heads/other")


@case
def replace_reference_fail() -> History:
    """A reference that has git show another commit in the place of one."""
    forge = short(2)
    return referenced(f"refs/replace/{forge.commits[0]}")


def referenced(name: str, number: int = 1) -> History:
    forge = short(2)
    forge.names[name] = forge.commits[number]
    fault = {"code": "unknown-ref", "commit": forge.commits[number], "seq": None, "path": name}
    return History(forge, faults=(fault,))
