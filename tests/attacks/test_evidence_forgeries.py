"""Every forgery of a history that we know of, each of which must be found at its place."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.evidence import canonical, commit, dsse, layout, sshsig, statement
from reconciler.evidence.fault import Code
from reconciler.evidence.statement import Kind, Reference
from reconciler.evidence.tree import DIRECTORY, FILE, encode, parse
from tests.support.evidence_keys import test_key as key_of
from tests.support.forge import HONEST, KEY, Forge, Parts, allowed, honest, signer_line

ROGUE = key_of("mallory")
OLD = key_of("smile/desk 2025")


def codes(forge: Forge, who=HONEST) -> set[Code]:
    report = forge.audit(who)
    assert not report.ok
    return {fault.code for fault in report.faults}


def found(forge: Forge, code: Code, oid: str, who=HONEST) -> bool:
    return any(f.code is code and f.place.commit == oid for f in forge.audit(who).faults)


def rebuilt(forge: Forge, oid: str, change, key=None) -> str:
    """A copy of a commit with changed fields, signed again if a key is given."""
    old = commit.parse(forge.read(oid)[1])
    new = replace(old, **change)
    payload = commit.unsigned(new.tree, new.parents, new.author, new.committer, new.message)
    armor = sshsig.sign(key, payload, "git") if key else old.armor or ""
    return forge.put("commit", commit.with_signature(payload, armor))


def tip_to(forge: Forge, oid: str) -> Forge:
    forge.names[forge.branch] = oid
    return forge


def test_an_honest_history_passes() -> None:
    report = honest(8).audit()
    assert report.faults == ()
    assert report.ok
    assert report.entries == 8
    assert report.open_intents == ()
    assert report.counts == {Kind.GENESIS: 1, Kind.RUN: 5, Kind.INTENT: 1, Kind.OUTCOME: 1}


# Order and completeness


def test_dropped_from_the_middle() -> None:
    forge = honest()
    unsigned = rebuilt(forge, forge.commits[4], {"parents": (forge.commits[2],)})
    assert found(tip_to(forge, unsigned), Code.COMMIT_SIGNATURE, unsigned)


def test_dropped_from_the_middle_by_the_owner_of_the_key() -> None:
    forge = honest()
    oid = rebuilt(forge, forge.commits[5], {"parents": (forge.commits[3],)}, KEY)
    report = tip_to(forge, oid).audit()
    assert {fault.code for fault in report.faults} >= {Code.NOT_APPEND_ONLY}


def dropped(parts: Parts, forge: Forge, keep: int) -> None:
    """Write on top of an older commit as if what lies between had never been."""
    parts.parents = (forge.commits[keep],)
    parts.base = commit.tree_of(forge.read(forge.commits[keep])[1])


def test_dropped_and_replanted_by_the_owner_of_the_key() -> None:
    forge = honest()
    oid = forge.append(spoil=lambda parts: dropped(parts, forge, 3))
    assert found(forge, Code.SEQUENCE, oid)
    assert found(forge, Code.CHAIN, oid)


def test_truncated_at_the_beginning() -> None:
    forge = honest()
    oid = rebuilt(forge, forge.commits[4], {"parents": ()}, KEY)
    forge = tip_to(forge, oid)
    assert found(forge, Code.GENESIS, oid)


def test_an_object_in_the_middle_is_gone() -> None:
    forge = honest()
    del forge.objects[forge.commits[2]]
    assert found(forge, Code.OBJECT, forge.commits[2])


def test_an_entry_in_the_middle_is_gone() -> None:
    forge = honest()
    tree = commit.parse(forge.read(forge.commits[1])[1]).tree
    for _ in range(4):
        ((_, oid), *_rest) = parse(forge.read(tree)[1]).values()
        tree = oid.hex()
    blob = parse(forge.read(tree)[1])[b"00000001.dsse.json"][1].hex()
    del forge.objects[blob]
    report = forge.audit()
    (fault,) = report.faults
    assert (fault.code, fault.place.commit) == (Code.OBJECT, forge.commits[1])
    assert fault.place.path == "entries/2026/03/01/00000001.dsse.json"


def test_reordered() -> None:
    forge = honest(4)
    five = forge.next_entry(Kind.RUN, {"pass": 1}, seq=5, previous="a" * 64)
    forge.append(seq=five.seq, previous=five.previous)
    oid = forge.append(seq=4, previous=forge.digests[3])
    assert found(forge, Code.SEQUENCE, oid)
    assert found(forge, Code.CHAIN, oid)


def test_duplicated() -> None:
    forge = honest(4)
    last = forge.last
    assert last is not None

    def again(parts: Parts) -> None:
        parts.entry = last
        parts.path = layout.entry_path(last)
        parts.message = layout.commit_message(last)

    oid = forge.append(spoil=again)
    assert found(forge, Code.NOT_APPEND_ONLY, oid)


def test_a_second_genesis() -> None:
    forge = honest(4)
    oid = forge.append(Kind.GENESIS, seq=0, previous=None, open=())
    assert found(forge, Code.GENESIS, oid)


def test_genesis_is_not_first() -> None:
    forge = Forge()
    oid = forge.append(Kind.RUN, seq=1, previous="a" * 64)
    assert found(forge, Code.GENESIS, oid)


def test_rewritten_in_the_middle_breaks_the_chain_after_it() -> None:
    forge, other = honest(4), honest(4)
    other.objects |= forge.objects
    third = other.append(body={"pass": 31, "fail": 0})
    rewritten = other.digests[-1]
    forge.append(body={"pass": 1, "fail": 30})
    forge.objects |= other.objects
    tip_to(forge, third)
    oid = forge.append()
    assert forge.last is not None
    assert forge.last.previous != rewritten
    assert found(forge, Code.CHAIN, oid)


# Keys and time


def test_rogue_key() -> None:
    forge = honest(4)
    forge.key = ROGUE
    oid = forge.append()
    assert found(forge, Code.KEY, oid)
    assert "unknown-key" in str(forge.audit().faults[0])


def test_unsigned() -> None:
    forge = honest(4)
    start, end = b"\ngpgsig ", b"-----END SSH SIGNATURE-----"

    def strip(raw: bytes) -> bytes:
        return raw[: raw.index(start)] + raw[raw.index(end) + len(end) :]

    oid = forge.append(spoil=lambda parts: setattr(parts, "raw", strip))
    assert found(forge, Code.COMMIT_SIGNATURE, oid)


TWO_KEYS = allowed(
    signer_line("smile/desk", OLD, 'valid-before="20260301233000Z"'),
    signer_line("smile/desk", KEY, 'valid-after="20260301233000Z"'),
)


def rotated() -> Forge:
    """The old key signs at 23:00 and announces the new one at 23:20, which signs from 23:40 on."""
    forge = Forge(key=OLD)
    forge.append(Kind.GENESIS)
    forge.rotate(KEY)
    forge.append()
    forge.append()
    return forge


def test_an_honest_rotation_passes() -> None:
    report = rotated().audit(TWO_KEYS)
    assert report.faults == ()
    assert report.keys == tuple(sshsig.fingerprint(sshsig.raw_public(key)) for key in (OLD, KEY))


def test_expired_key() -> None:
    forge = rotated()
    forge.key = OLD
    oid = forge.append()
    assert found(forge, Code.KEY, oid, TWO_KEYS)
    assert any("expired" in fault.message for fault in forge.audit(TWO_KEYS).faults)


def test_key_before_its_time() -> None:
    forge = Forge()
    oid = forge.append(Kind.GENESIS)
    assert found(forge, Code.KEY, oid, TWO_KEYS)


def test_expired_key_with_a_back_dated_committer() -> None:
    forge = rotated()
    forge.key = OLD

    def back(parts: Parts) -> None:
        parts.person = replace(parts.person, seconds=parts.person.seconds - 7200)

    oid = forge.append(spoil=back)
    assert found(forge, Code.COMMIT_CONTENT, oid, TWO_KEYS)


def test_expired_key_with_everything_back_dated() -> None:
    forge = rotated()
    forge.key = OLD
    oid = forge.append(recorded_at="2026-03-01T23:21:00.000Z")
    assert found(forge, Code.TIME, oid, TWO_KEYS)


def test_a_replaced_key_signs_again_although_both_are_valid() -> None:
    forge = rotated()
    forge.key = OLD
    oid = forge.append()
    both = allowed(signer_line("smile/desk", OLD), signer_line("smile/desk", KEY))
    report = forge.audit(both)
    assert [(fault.code, fault.place.commit) for fault in report.faults] == [
        (Code.RETIRED_KEY, oid)
    ]


def test_time_goes_backwards() -> None:
    forge = honest(4)
    assert forge.last is not None
    earlier = forge.last.time - timedelta(seconds=1)
    oid = forge.append(recorded_at=statement.stamp(earlier))
    assert found(forge, Code.TIME, oid)


# Other branches and repositories


def test_spliced_from_another_host() -> None:
    key = key_of("smile/xray")
    both = allowed(signer_line("smile/desk", KEY), signer_line("smile/xray", key))
    forge, other = honest(4), honest(5, host="xray", key=key)
    forge.objects |= other.objects
    tip_to(forge, other.commits[-1])
    assert codes(forge, both) == {Code.PRINCIPAL, Code.BRANCH}
    assert forge.audit(both).faults[0].place.commit == other.commits[-1]


def test_own_entries_for_another_host() -> None:
    forge = honest(4)
    oid = forge.append(ref="refs/heads/smile/xray", host="xray")
    assert found(forge, Code.BRANCH, oid)


def test_another_principals_key() -> None:
    key = key_of("bright/desk")
    both = allowed(signer_line("smile/desk", KEY), signer_line("bright/desk", key))
    forge = honest(4)
    forge.key = key
    oid = forge.append()
    assert found(forge, Code.PRINCIPAL, oid, both)


@pytest.mark.parametrize(
    "name",
    ["refs/heads/main", "refs/tags/v1", "refs/replace/" + "a" * 40, "refs/notes/commits"],
)
def test_another_reference(name: str) -> None:
    forge = honest(3)
    forge.names[name] = forge.commits[-1]
    (fault,) = forge.audit().faults
    assert (fault.code, fault.place.path) == (Code.UNKNOWN_REF, name)
    assert forge.audit(other_refs={name}).ok


def test_a_remote_tracking_reference_may_only_be_a_copy() -> None:
    forge = honest(3)
    name = "refs/remotes/origin/smile/desk"
    forge.names[name] = forge.commits[-1]
    assert forge.audit().ok
    forge.names[name] = forge.commits[-2]
    assert codes(forge) == {Code.UNKNOWN_REF}


def test_no_branch_at_all() -> None:
    assert codes(Forge()) == {Code.NO_LEDGER}


# The commit


SMUGGLED = b"gpgsig-sha256 -----BEGIN SSH SIGNATURE-----\n anything\n -----END SSH SIGNATURE-----"


@pytest.mark.parametrize(
    "smuggle",
    [
        lambda raw: raw.replace(b"\ngpgsig ", b"\n" + SMUGGLED + b"\ngpgsig ", 1),
        lambda raw: raw.replace(b"SIGNATURE-----\n\n", b"SIGNATURE-----\n" + SMUGGLED + b"\n\n", 1),
        lambda raw: raw.replace(b"SIGNATURE-----\n\n", b"SIGNATURE-----\ngpgsig smuggled\n\n", 1),
        lambda raw: raw.replace(b"\ngpgsig ", b"\ngpgsig smuggled\n content\ngpgsig ", 1),
        lambda raw: raw.replace(b"\n -----END", b"\n \n -----END", 1),
        lambda raw: raw.replace(b"\ngpgsig ", b"\nencoding UTF-8\ngpgsig ", 1),
    ],
)
def test_smuggled_headers(smuggle) -> None:
    forge = honest(4)
    oid = forge.append(spoil=lambda parts: setattr(parts, "raw", smuggle))
    assert found(forge, Code.COMMIT_FORM, oid)


def test_the_walk_goes_on_behind_a_refused_commit() -> None:
    forge = honest(4)
    forge.append(
        spoil=lambda parts: setattr(
            parts, "raw", lambda raw: raw.replace(b"\ngpgsig ", b"\ngpgsig-sha256 x\ngpgsig ", 1)
        )
    )
    forge.append()
    report = forge.audit()
    assert report.entries == 5
    assert [fault.code for fault in report.faults] == [Code.COMMIT_FORM]


def test_merge() -> None:
    forge = honest(4)

    def merge(parts: Parts) -> None:
        parts.parents = (*parts.parents, forge.commits[1])

    oid = forge.append(spoil=merge)
    assert found(forge, Code.COMMIT_FORM, oid)


@pytest.mark.parametrize(
    "message",
    [
        b"run 9 on smile/desk\n\nEvidence-Seq: 9\nEvidence-Kind: run\n",
        b"run 4 on smile/desk\n\nEvidence-Seq: 4\nEvidence-Kind: outcome\n",
        b"run 4 on smile/desk\n\nEvidence-Seq: 4\nEvidence-Kind: run\n\nand patient names\n",
        b"",
    ],
)
def test_a_message_that_says_something_else(message: bytes) -> None:
    forge = honest(4)
    oid = forge.append(spoil=lambda parts: setattr(parts, "message", message))
    assert found(forge, Code.COMMIT_CONTENT, oid)


def test_a_committer_who_is_somebody_else() -> None:
    forge = honest(4)

    def rename(parts: Parts) -> None:
        parts.person = replace(parts.person, name="Alice")

    oid = forge.append(spoil=rename)
    assert found(forge, Code.COMMIT_CONTENT, oid)


# The tree


def regrown(forge: Forge, change):
    """Change the root tree of a commit before it is signed."""

    def root(oid: str) -> str:
        nodes = dict(parse(forge.read(oid)[1]))
        return forge.put("tree", change(forge, nodes))

    return lambda parts: setattr(parts, "root", root)


def extra(forge: Forge, nodes) -> bytes:
    blob = bytes.fromhex(forge.put("blob", b"extra"))
    return encode({**nodes, b"zz": (FILE, blob)})


def executable(forge: Forge, nodes) -> bytes:
    blob = bytes.fromhex(forge.put("blob", b"extra"))
    return encode(nodes) + b"100755 zz\0" + blob


def link(forge: Forge, nodes) -> bytes:
    blob = bytes.fromhex(forge.put("blob", b"/etc/passwd"))
    return encode(nodes) + b"120000 zz\0" + blob


def submodule(_forge: Forge, nodes) -> bytes:
    return encode(nodes) + b"160000 zz\0" + b"x" * 20


def dot_git(forge: Forge, nodes) -> bytes:
    blob = bytes.fromhex(forge.put("blob", b"hook"))
    return b"100644 .git\0" + blob + encode(nodes)


def twice(_forge: Forge, nodes) -> bytes:
    return encode(nodes) * 2


def emptied(_forge: Forge, _nodes) -> bytes:
    return b""


def empty_directory(forge: Forge, nodes) -> bytes:
    return encode({**nodes, b"zz": (DIRECTORY, bytes.fromhex(forge.put("tree", b"")))})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (extra, Code.NOT_APPEND_ONLY),
        (executable, Code.TREE),
        (link, Code.TREE),
        (submodule, Code.TREE),
        (dot_git, Code.TREE),
        (twice, Code.TREE),
        (emptied, Code.TREE),
        (empty_directory, Code.TREE),
    ],
)
def test_tricks_in_a_tree(change, code: Code) -> None:
    forge = honest(4)
    oid = forge.append(spoil=regrown(forge, change))
    assert found(forge, code, oid)


@pytest.mark.parametrize("mode", [b"100755", b"120000", b"160000"])
def test_the_entry_itself_with_another_mode(mode: bytes) -> None:
    forge = honest(4)

    def remoded(oid: str, depth: int = 0) -> str:
        nodes = dict(parse(forge.read(oid)[1]))
        name = max(nodes)
        if depth == 4:
            raw = encode(nodes)
            place = raw.rindex(b"100644 " + name)
            return forge.put("tree", raw[:place] + mode + raw[place + 6 :])
        deeper = remoded(nodes[name][1].hex(), depth + 1)
        return forge.put("tree", encode({**nodes, name: (DIRECTORY, bytes.fromhex(deeper))}))

    oid = forge.append(spoil=lambda parts: setattr(parts, "root", remoded))
    assert found(forge, Code.TREE, oid)


def test_modified_file() -> None:
    forge = honest(4)
    first = "entries/2026/03/01/00000000.dsse.json"
    oid = forge.append(spoil=lambda parts: setattr(parts, "path", first))
    report = forge.audit()
    fault = next(fault for fault in report.faults if fault.place.path == first)
    assert (fault.code, fault.place.commit) == (Code.NOT_APPEND_ONLY, oid)


def test_removed_files() -> None:
    forge = honest(4)
    oid = forge.append(spoil=lambda parts: setattr(parts, "base", None))
    report = forge.audit()
    assert found(forge, Code.NOT_APPEND_ONLY, oid)
    removed = [f.place.path for f in report.faults if "removed" in f.message]
    assert sorted(filter(None, removed)) == [
        "entries/2026/03/01",
        "entries/2026/03/02/00000003.dsse.json",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "entries/2026/03/02/00000005.dsse.json",
        "entries/2026/03/01/00000004.dsse.json",
        "entries/2026/03/02/4.dsse.json",
        "entries/00000004.dsse.json",
        "other/2026/03/02/00000004.dsse.json",
    ],
)
def test_an_entry_in_another_place(path: str) -> None:
    forge = honest(4)
    oid = forge.append(spoil=lambda parts: setattr(parts, "path", path))
    assert any(f.code is Code.PATH and f.place.path == path for f in forge.audit().faults)
    assert found(forge, Code.PATH, oid)


def test_genesis_with_something_beside_it() -> None:
    forge = Forge()
    oid = forge.append(Kind.GENESIS, spoil=regrown(forge, extra))
    assert found(forge, Code.NOT_APPEND_ONLY, oid)


# The entry


def test_relabelled_and_wrapped_again_without_a_signature() -> None:
    forge = honest(4)

    def relabel(envelope: bytes) -> bytes:
        payload = dsse.open_envelope(envelope, sshsig.raw_public(KEY))
        forged = payload.replace(b'"fail":30,"pass":0', b'"fail":0,"pass":30')
        resealed = dsse.seal(forged, dsse.PAYLOAD_TYPE, KEY)
        keep, old = b'"sig":"', envelope[envelope.index(b'"sig":"') :]
        return resealed[: resealed.index(keep)] + old

    oid = forge.append(
        body={"fail": 30, "pass": 0}, spoil=lambda parts: setattr(parts, "envelope", relabel)
    )
    assert found(forge, Code.ENVELOPE, oid)


def test_commit_by_the_right_key_and_entry_by_another() -> None:
    forge = honest(4)
    oid = forge.append(spoil=lambda parts: setattr(parts, "dsse_key", ROGUE))
    assert found(forge, Code.ENVELOPE, oid)


def test_entry_by_the_right_key_and_commit_by_another() -> None:
    forge = honest(4)
    oid = forge.append(spoil=lambda parts: setattr(parts, "commit_key", ROGUE))
    assert found(forge, Code.KEY, oid)
    assert found(forge, Code.ENVELOPE, oid)


def test_an_entry_by_a_replaced_key_in_a_commit_by_the_new_one() -> None:
    forge = rotated()
    oid = forge.append(spoil=lambda parts: setattr(parts, "dsse_key", OLD))
    assert found(forge, Code.ENVELOPE, oid, TWO_KEYS)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda payload: payload.replace(b'{"_type"', b'{"__":1,"_type"'),
        lambda payload: payload.replace(b":", b": ", 1),
        lambda payload: payload.replace(b'"seq":4', b'"seq":4.0'),
        lambda payload: payload.replace(b'"seq":4', b'"seq":4,"seq":4'),
        lambda payload: payload.replace(b"attestation:run:v1", b"attestation:run:v2"),
        lambda payload: b"not json",
    ],
)
def test_a_signed_statement_that_is_not_strict(spoil) -> None:
    forge = honest(4)
    oid = forge.append(spoil=lambda parts: setattr(parts, "payload", spoil))
    assert found(forge, Code.STATEMENT, oid)


# Intents


def test_an_intent_is_reported_while_it_is_open() -> None:
    forge = honest(3)
    report = forge.audit()
    assert report.ok
    assert report.open_intents == (Reference(2, forge.digests[2]),)
    assert "1 open intent" in report.sentence


def test_an_intent_stays_open_over_other_entries() -> None:
    forge = honest(3)
    forge.append()
    forge.append(Kind.INTENT)
    assert [intent.seq for intent in forge.audit().open_intents] == [2, 4]
    forge.append(Kind.OUTCOME, closes=Reference(2, forge.digests[2]))
    report = forge.audit()
    assert report.ok
    assert [intent.seq for intent in report.open_intents] == [4]


@pytest.mark.parametrize("reference", [Reference(1, "a" * 64), Reference(2, "a" * 64)])
def test_an_outcome_of_no_intent(reference: Reference) -> None:
    forge = honest(3)
    oid = forge.append(Kind.OUTCOME, closes=reference)
    assert found(forge, Code.INTENT, oid)


def test_an_outcome_of_an_entry_that_is_no_intent() -> None:
    forge = honest(3)
    oid = forge.append(Kind.OUTCOME, closes=Reference(1, forge.digests[1]))
    assert found(forge, Code.INTENT, oid)


def test_two_outcomes_of_one_intent() -> None:
    forge = honest(4)
    oid = forge.append(Kind.OUTCOME, closes=Reference(2, forge.digests[2]))
    assert found(forge, Code.INTENT, oid)


def test_an_open_intent_that_is_forgotten() -> None:
    forge = honest(3)
    oid = forge.append(open=())
    assert found(forge, Code.INTENT, oid)


def test_an_open_intent_that_never_was() -> None:
    forge = honest(2)
    oid = forge.append(open=(Reference(1, forge.digests[1]),))
    assert found(forge, Code.INTENT, oid)


# Reports


def test_several_faults_are_all_reported() -> None:
    forge = honest(4)
    first = forge.append(spoil=lambda parts: setattr(parts, "message", b"x"))
    forge.append()
    second = forge.append(spoil=lambda parts: setattr(parts, "dsse_key", ROGUE))
    report = forge.audit()
    assert {fault.place.commit for fault in report.faults} == {first, second}
    assert "does NOT verify: 2 faults" in report.sentence
    assert first in report.sentence


def test_a_flood_of_faults_ends() -> None:
    forge = Forge(key=ROGUE)
    forge.append(Kind.GENESIS)
    for _ in range(1010):
        forge.append()
    report = forge.audit()
    assert len(report.faults) == 1001
    assert report.faults[-1].code is Code.TOO_MANY


def test_what_hashes_to_something_else_is_found() -> None:
    forge = honest(4)
    oid = forge.commits[1]
    kind, raw = forge.objects[oid]
    forge.objects[oid] = (kind, raw + b" ")
    assert found(forge, Code.OBJECT, oid)


def test_statement_digests_chain_with_sha256() -> None:
    forge = honest(3)
    assert forge.last is not None
    assert forge.last.previous == forge.digests[1]
    assert canonical.digest(statement.to_payload(forge.last)) == forge.digests[2]
