"""Signed fleet commits whose files mean one thing to a reviewer and another to a machine."""

import pytest

from reconciler.desired.limits import MIB, ReadLimits
from reconciler.desired.source import FleetSource
from reconciler.errors import IntentRefused
from tests.support.fleet_git import SIGNERS, FleetRepo, allowed, at

FILE, TREE, LINK, MODULE = b"100644", b"40000", b"120000", b"160000"


@pytest.fixture
def fleet(tmp_path):
    return FleetRepo(tmp_path)


def refusal(fleet, accepted, head, **options):
    with pytest.raises(IntentRefused) as caught:
        fleet.verify(accepted, head, **options)
    return caught.value


def policies(fleet):
    """The usual ``policies`` entry of a top folder, with the signers file below it."""
    return (TREE, b"policies", fleet.git("rev-parse", "HEAD:policies").strip())


def with_hosts(fleet, root, *nodes):
    """A signed commit whose ``hosts`` folder holds exactly these nodes."""
    raw = b"".join(b"%b %b\x00%b" % (m, n, bytes.fromhex(o)) for m, n, o in nodes)
    hosts = (TREE, b"hosts", fleet.store("tree", raw))
    return fleet.with_tree("alice", [hosts, policies(fleet)], root)


def test_symbolic_link_made_by_git(fleet):
    root = fleet.root()
    (fleet.work / "hosts/evil.yaml").symlink_to("/etc/shadow")
    tip = fleet.commit("alice")
    error = refusal(fleet, root, tip)
    assert (error.reason, error.commit) == ("tree-refused", tip)
    assert "hosts/evil.yaml is a symbolic link" in error.message


def test_link_outside_the_four_roots_is_nobodys_business(fleet):
    root = fleet.root()
    (fleet.work / "README").symlink_to("README.md")
    tip = fleet.commit("alice")
    assert fleet.verify(root, tip).commit == tip


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (LINK, "a symbolic link"),
        (MODULE, "a submodule"),
        (b"100664", "an odd mode"),
        (b"100600", "an odd mode"),
        (b"040000", "an odd mode"),
        (b"104755", "an odd mode"),
    ],
)
def test_mode_that_is_no_plain_file(fleet, mode, words):
    root = fleet.root()
    blob = fleet.store("blob", b"id: x\n")
    error = refusal(fleet, root, with_hosts(fleet, root, (mode, b"x.yaml", blob)))
    assert error.reason == "tree-refused"
    assert words in error.message


def test_root_that_is_a_link_to_another_folder(fleet):
    root = fleet.root()
    nodes = [(LINK, b"hosts", fleet.store("blob", b"policies")), policies(fleet)]
    assert refusal(fleet, root, fleet.with_tree("alice", nodes, root)).reason == "tree-refused"


NAMES = {
    "dot": b".",
    "dot dot": b"..",
    "git": b".git",
    "GIT": b".GIT",
    "git short name": b"GIT~1",
    "git with a trailing dot": b".git.",
    "git with a trailing space": b".git ",
    "git stream": b".git::$INDEX_ALLOCATION",
    "git with a zero width joiner": ".g\u200dit".encode(),
    "backslash": b"a\\b.yaml",
    "newline": b"a\nb.yaml",
    "escape": b"\x1b[2Ja.yaml",
    "delete": b"a\x7f.yaml",
    "right to left": "a\u202elmay.b".encode(),
    "zero width space": "a\u200b.yaml".encode(),
    "soft hyphen": "a\u00ad.yaml".encode(),
    "not UTF-8": b"a\xff.yaml",
    "overlong slash": b"a\xc0\xafb.yaml",
    "surrogate": b"a\xed\xa0\x80.yaml",
    "decomposed": "cafe\u0301.yaml".encode(),
    "trailing space": b"a.yaml ",
    "leading space": b" a.yaml",
    "trailing dot": b"a.yaml.",
    "colon": b"a:b",
    "device": b"NUL.yaml",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
def test_name_that_somebody_reads_differently(fleet, name):
    root = fleet.root()
    blob = fleet.store("blob", b"id: x\n")
    error = refusal(fleet, root, with_hosts(fleet, root, (FILE, name, blob)))
    assert error.reason == "tree-refused"
    assert error.message.isascii()
    assert error.message.isprintable()


@pytest.mark.parametrize("slash", [b"a/b.yaml", b"../../etc/passwd", b"/etc/passwd"])
def test_name_with_a_slash(fleet, slash):
    root = fleet.root()
    blob = fleet.store("blob", b"id: x\n")
    error = refusal(fleet, root, with_hosts(fleet, root, (FILE, slash, blob)))
    assert error.reason == "tree-refused"


@pytest.mark.parametrize(
    ("one", "two"),
    [("Ward.yaml", "ward.yaml"), ("STRASSE", "stra\u00dfe"), ("\ufb01le", "file")],
)
def test_names_that_differ_only_in_case_or_form(fleet, one, two):
    root = fleet.root()
    blob = fleet.store("blob", b"id: x\n")
    nodes = sorted((FILE, name.encode(), blob) for name in (one, two))
    error = refusal(fleet, root, with_hosts(fleet, root, *nodes))
    assert error.reason == "tree-refused"
    assert "only in case or form" in error.message


@pytest.mark.parametrize("name", ["Hosts", "HOSTS", "ho\u200dsts", "hosts.", "Policies"])
def test_second_root_on_a_case_blind_disk(fleet, name):
    root = fleet.root()
    raw = name.encode()
    nodes = sorted([(TREE, raw, policies(fleet)[2]), policies(fleet)], key=lambda node: node[1])
    assert refusal(fleet, root, fleet.with_tree("alice", nodes, root)).reason == "tree-refused"


def test_same_name_twice_where_readers_take_different_ones(fleet):
    root = fleet.root()
    good, evil = fleet.store("blob", b"id: good\n"), fleet.store("blob", b"id: evil\n")
    nodes = [(FILE, b"x.yaml", good), (FILE, b"x.yaml", evil)]
    assert refusal(fleet, root, with_hosts(fleet, root, *nodes)).reason == "tree-refused"


def test_second_policies_folder_with_another_signers_file(fleet):
    root = fleet.root()
    nodes = [policies(fleet), policies(fleet)]
    assert refusal(fleet, root, fleet.with_tree("alice", nodes, root)).reason == "tree-refused"


def test_root_that_is_a_file_and_a_folder(fleet):
    root = fleet.root()
    blob = fleet.store("blob", b"id: x\n")
    hosts = fleet.git("rev-parse", "HEAD:hosts").strip()
    nodes = [(FILE, b"hosts", blob), (TREE, b"hosts", hosts), policies(fleet)]
    assert refusal(fleet, root, fleet.with_tree("alice", nodes, root)).reason == "tree-refused"


def test_unsorted_tree_where_a_binary_search_misses(fleet):
    root = fleet.root()
    blob = fleet.store("blob", b"id: x\n")
    nodes = [(FILE, b"b.yaml", blob), (FILE, b"a.yaml", blob)]
    assert refusal(fleet, root, with_hosts(fleet, root, *nodes)).reason == "tree-refused"


def test_folder_that_is_a_file_object(fleet):
    root = fleet.root()
    blob = fleet.store("blob", b"id: x\n")
    assert (
        refusal(fleet, root, with_hosts(fleet, root, (TREE, b"x", blob))).reason == "tree-refused"
    )


def test_deep_folders(fleet):
    root = fleet.root()
    tip = fleet.commit("alice", {"hosts/" + "a/" * 20 + "x.yaml": "id: x\n"})
    error = refusal(fleet, root, tip)
    assert (error.reason, "too deep" in error.message) == ("tree-refused", True)


def test_too_many_files(fleet):
    root = fleet.root()
    tip = fleet.commit("alice", {f"hosts/{n}.yaml": "id: x\n" for n in range(20)})
    assert refusal(fleet, root, tip, limits=ReadLimits(files=10)).reason == "too-large"


def test_huge_file_that_compresses_to_nothing(fleet, tmp_path):
    root = fleet.root()
    tip = fleet.commit("alice", {"policies/rules/huge.yaml": b"\0" * (50 * MIB)})
    mirrored = FleetSource(tmp_path / "state/fleet.git", str(fleet.work), "main")
    head = mirrored.fetch()
    assert head == tip
    with pytest.raises(IntentRefused) as caught:
        mirrored.verify_new(accepted=root, head=head, pinned=allowed("alice"), now=at(60))
    assert (caught.value.reason, caught.value.commit) == ("too-large", tip)
    assert "policies/rules/huge.yaml" in caught.value.message
    with pytest.raises(IntentRefused, match="too large"):
        mirrored.read_files(tip)


def test_huge_signers_file(fleet):
    root = fleet.root()
    tip = fleet.commit("alice", {SIGNERS: b"#" * (2 * MIB)})
    assert refusal(fleet, root, tip).reason == "too-large"


def test_many_files_that_are_too_much_together(fleet):
    root = fleet.root()
    tip = fleet.commit("alice", {f"hosts/{n}.yaml": f"{n}" * 1000 for n in range(10)})
    assert refusal(fleet, root, tip, limits=ReadLimits(total_bytes=5000)).reason == "too-large"
