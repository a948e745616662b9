"""Pushes to the fleet repository that are not signed as they must be."""

import pygit2
import pytest

from reconciler.desired.objects import MirrorDamaged
from reconciler.errors import IntentRefused
from reconciler.evidence import sshsig
from tests.support.evidence_keys import test_key
from tests.support.fleet_git import SIGNERS, FleetRepo, allowed, signer_line


@pytest.fixture
def fleet(tmp_path):
    return FleetRepo(tmp_path)


def refusal(fleet, accepted, head, **options):
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(accepted, head, **options)
    assert caught.value.hint
    return caught.value


def test_commits_of_an_allowed_signer_made_by_stock_git_are_accepted(fleet):
    root = fleet.root()
    first, second = fleet.commit("alice"), fleet.commit("alice")

    acceptance = fleet.verify(root, second)

    assert [one.commit for one in acceptance.commits] == [first, second]
    assert {one.signer for one in acceptance.commits} == {"alice@msp.example"}
    assert acceptance.previous == root
    assert acceptance.tree == fleet.git("rev-parse", "HEAD^{tree}").strip()


def test_nothing_new_is_accepted_with_no_commits(fleet):
    root = fleet.root()
    assert fleet.verify(root, root).commits == ()


def test_unsigned_tip(fleet):
    root, tip = fleet.root(), fleet.commit(None)
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("unsigned", tip)
    assert tip[:12] in error.message


def test_unsigned_commit_below_a_signed_tip(fleet):
    root, hidden, tip = fleet.root(), fleet.commit(None), fleet.commit("alice")
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("unsigned", hidden)


def test_unsigned_ancestor_under_a_signed_merge(fleet):
    root = fleet.root()
    fleet.branch("side", root)
    hidden = fleet.commit(None)
    fleet.commit("alice")
    fleet.checkout("main")
    fleet.commit("alice")
    tip = fleet.merge("alice", "side")
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("unsigned", hidden)


def test_unknown_key(fleet):
    root, tip = fleet.root(), fleet.commit("mallory")
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("unknown-signer", tip)
    assert sshsig.fingerprint(sshsig.raw_public(test_key("mallory"))) in error.message


def test_key_of_another_namespace(fleet):
    line = signer_line("bob").replace('namespaces="git"', 'namespaces="file"')
    root = fleet.commit("alice", {SIGNERS: signer_line("alice") + "\n" + line + "\n"})
    assert refusal(fleet, root, fleet.commit("bob")).reason == "unknown-signer"


@pytest.mark.parametrize(
    ("window", "reason"),
    [
        ({"before": "20260301Z"}, "signer-expired"),
        ({"after": "20260401Z"}, "signer-not-yet-valid"),
    ],
)
def test_key_outside_its_window_at_commit_time(fleet, window, reason):
    lines = signer_line("alice") + "\n" + signer_line("bob", **window) + "\n"
    root = fleet.commit("alice", {SIGNERS: lines})
    tip = fleet.commit("bob")
    assert refusal(fleet, root, tip).reason == reason


def test_key_that_expired_after_it_signed_is_accepted(fleet):
    lines = signer_line("alice") + "\n" + signer_line("bob", before="20260310Z") + "\n"
    root = fleet.commit("alice", {SIGNERS: lines})
    tip = fleet.commit("bob")
    assert fleet.verify(root, tip).commits[-1].signer == "bob@msp.example"


def test_one_changed_byte_under_the_signature(fleet):
    root = fleet.root()
    fleet.commit("alice")
    tip = fleet.raw_commit(fleet.raw_head().replace(b"A <a@msp", b"B <a@msp", 1))
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("bad-signature", tip)


def test_signature_made_for_another_namespace(fleet):
    root = fleet.root()
    tip = fleet.raw_commit(fleet.signed("alice", fleet.payload([root]), namespace="file"))
    assert refusal(fleet, root, tip).reason == "bad-signature"


def test_signature_moved_over_from_another_commit(fleet):
    root = fleet.root()
    signed = fleet.signed("alice", fleet.payload([root]))
    armor = signed[signed.index(b"gpgsig ") + 7 : signed.index(b"\n\n")].replace(b"\n ", b"\n")
    other = fleet.payload([root])
    head, _, message = other.partition(b"\n\n")
    raw = head + b"\ngpgsig " + armor.replace(b"\n", b"\n ") + b"\n\n" + message
    assert refusal(fleet, root, fleet.raw_commit(raw)).reason == "bad-signature"


def _insert(raw, header):
    """A header behind the last one, where git ignores it when it checks the signature."""
    head, _, message = raw.partition(b"\n\n")
    return head + b"\n" + header + b"\n\n" + message


@pytest.mark.parametrize(
    ("smuggle", "reason"),
    [
        (b"gpgsig -----BEGIN SSH SIGNATURE-----\n smuggled", "malformed-commit"),
        (b"gpgsig-sha256 smuggled", "malformed-commit"),
        (b"encoding UTF-7", "malformed-commit"),
        (b"mergetag object 0000", "malformed-commit"),
        (b"x-note smuggled", "malformed-commit"),
    ],
)
def test_header_behind_a_good_signature(fleet, smuggle, reason):
    root = fleet.root()
    fleet.commit("alice")
    tip = fleet.raw_commit(_insert(fleet.raw_head(), smuggle))
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == (reason, tip)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"\nauthor ", b"\ngpgsig-sha256 smuggled\nauthor ", "malformed-commit"),
        (b"SSH SIGNATURE", b"PGP SIGNATURE", "malformed-commit"),
        (b"\ngpgsig ", b"\n\ngpgsig ", "unsigned"),
        (b"\n\nm\n", b"\n\nanother message\n", "bad-signature"),
        (b"END SSH SIGNATURE-----", b"END SSH SIGNATURE-----\n ", "malformed-commit"),
    ],
)
def test_good_commit_that_was_edited(fleet, old, new, reason):
    root = fleet.root()
    fleet.commit("alice")
    tip = fleet.raw_commit(fleet.raw_head().replace(old, new))
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == (reason, tip)


def test_second_parent_slipped_into_a_signed_commit(fleet):
    root = fleet.root()
    fleet.git("checkout", "-q", "--orphan", "other")
    unsigned = fleet.commit(None, {"hosts/evil.yaml": "id: evil\n"})
    fleet.checkout("main")
    fleet.commit("alice")
    slipped = b"\nparent " + unsigned.encode() + b"\nauthor "
    tip = fleet.raw_commit(fleet.raw_head().replace(b"\nauthor ", slipped, 1))
    assert refusal(fleet, root, tip).reason == "unsigned"


def test_git_itself_accepts_the_second_signature_that_is_refused_here(fleet):
    root = fleet.root()
    fleet.commit("alice")
    tip = fleet.raw_commit(_insert(fleet.raw_head(), b"gpgsig-sha256 smuggled"))
    trusted = f"gpg.ssh.allowedSignersFile={fleet.work / SIGNERS}"
    fleet.git("-c", "gpg.format=ssh", "-c", trusted, "verify-commit", tip)
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("malformed-commit", tip)


def test_no_message_repeats_what_an_author_wrote(fleet):
    root = fleet.root()
    payload = fleet.payload([root]).replace(b"author A ", b"author Jane Patient ")
    tip = fleet.raw_commit(_insert(fleet.signed("alice", payload), b"patient-name Jane"))
    error = refusal(fleet, root, tip)
    assert "Jane" not in error.message + error.hint


def test_pinned_signers_alone_do_not_sign_later_commits(fleet):
    root, tip = fleet.root(), fleet.commit("bob")
    assert refusal(fleet, root, tip, pinned=allowed("alice", "bob")).reason == "unknown-signer"


def test_any_changed_byte_of_a_commit_is_refused(fleet):
    root = fleet.root()
    fleet.commit("alice")
    repository, raw = pygit2.Repository(str(fleet.work)), fleet.raw_head()
    accepted = []
    for position in range(len(raw)):
        changed = raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1 :]
        tip = str(repository.write(pygit2.enums.ObjectType.COMMIT, changed))
        try:
            fleet.verify(root, tip)
        except (IntentRefused, MirrorDamaged):
            continue
        accepted.append((position, raw[position]))
    assert accepted == []
