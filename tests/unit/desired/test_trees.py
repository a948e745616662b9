import pytest
from pygit2.enums import ObjectType

from reconciler.desired.limits import ReadLimits
from reconciler.desired.objects import Objects
from reconciler.desired.trees import Trees, shown
from reconciler.errors import IntentRefused
from tests.support.trust_objects import RawRepository

ASKING = "c" * 40


@pytest.fixture
def fleet(tmp_path):
    return RawRepository(tmp_path / "fleet.git")


def tree(fleet, files):
    return fleet.write_tree(fleet.changed({}, files))


def changes(fleet, old, new, **limits):
    bounds = ReadLimits(**limits)
    return Trees(Objects(fleet.repository, bounds), bounds).changes(old, new, ASKING)


def test_every_kind_of_change_is_named(fleet):
    old = tree(fleet, {"a/same": "1", "a/edited": "1", "gone": "1", "swap/x": "1", "turn": "1"})
    new = tree(fleet, {"a/same": "1", "a/edited": "2", "new": "1", "swap": "1", "turn/x": "1"})
    found = changes(fleet, old, new)
    assert set(found) == {"a/edited", "gone", "new", "swap/x", "swap", "turn", "turn/x"}
    assert found["new"][0] is None
    assert found["gone"][1] is None


def test_another_mode_is_a_change(fleet):
    blob = str(fleet.repository.create_blob(b"x"))
    old = fleet.write_tree({"run": ("100644", blob)})
    new = fleet.write_tree({"run": ("100755", blob)})
    assert changes(fleet, old, new) == {"run": ((b"100644", blob), (b"100755", blob))}


def test_link_that_becomes_a_submodule_is_a_change(fleet):
    blob = str(fleet.repository.create_blob(b"x"))
    old = fleet.write_tree({"lib": ("120000", blob)})
    new = fleet.write_tree({"lib": ("160000", "d" * 40)})
    assert changes(fleet, old, new)["lib"] == ((b"120000", blob), (b"160000", "d" * 40))


def test_nothing_before_means_everything_is_new(fleet):
    assert set(changes(fleet, None, tree(fleet, {"a/b": "1", "c": "2"}))) == {"a/b", "c"}


def test_same_tree_has_no_changes(fleet):
    same = tree(fleet, {"a": "1"})
    assert changes(fleet, same, same) == {}


def test_name_that_is_not_utf8_is_compared_as_it_is(fleet):
    blob = bytes.fromhex(str(fleet.repository.create_blob(b"x")))
    new = fleet.store(b"100644 \xff\xfe\x00" + blob, ObjectType.TREE)
    (path,) = changes(fleet, tree(fleet, {}), new)
    assert path.encode("utf-8", "surrogateescape") == b"\xff\xfe"
    assert shown(path).isascii()


def test_small_repository_with_a_million_paths_is_refused(fleet):
    oid = tree(fleet, {f"f{i}": "x" for i in range(10)})
    for _ in range(8):
        nodes = b"".join(b"40000 d%d\x00%b" % (i, bytes.fromhex(oid)) for i in range(10))
        oid = fleet.store(nodes, ObjectType.TREE)
    with pytest.raises(IntentRefused) as caught:
        changes(fleet, None, oid)
    assert (caught.value.reason, caught.value.commit) == ("too-large", ASKING)


@pytest.mark.parametrize("limits", [{"levels": 3}, {"visits": 4}, {"changes": 0}])
def test_limits_of_a_comparison(fleet, limits):
    deep = tree(fleet, {"a/b/c/d/e/f": "x"})
    assert len(changes(fleet, None, deep)) == 1
    with pytest.raises(IntentRefused) as caught:
        changes(fleet, None, deep, **limits)
    assert caught.value.reason == "too-large"


@pytest.mark.parametrize("names", [(b"a", b"a"), (b"b", b"a"), (b"",)])
def test_folder_that_is_not_well_formed_is_refused_wherever_it_is(fleet, names):
    blob = bytes.fromhex(str(fleet.repository.create_blob(b"x")))
    odd = fleet.store(b"".join(b"100644 %b\x00%b" % (n, blob) for n in names), ObjectType.TREE)
    top = fleet.store(b"40000 docs\x00" + bytes.fromhex(odd), ObjectType.TREE)
    with pytest.raises(IntentRefused) as caught:
        changes(fleet, None, top)
    assert caught.value.reason == "tree-refused"


def test_file_and_folder_of_one_name_are_refused(fleet):
    blob = bytes.fromhex(str(fleet.repository.create_blob(b"x")))
    empty = bytes.fromhex(tree(fleet, {}))
    top = fleet.store(b"100644 a\x00" + blob + b"40000 a\x00" + empty, ObjectType.TREE)
    with pytest.raises(IntentRefused) as caught:
        changes(fleet, None, top)
    assert caught.value.reason == "tree-refused"


def test_leaf_and_folder_at_a_path(fleet):
    top = tree(fleet, {"a/b": "1"})
    trees = Trees(Objects(fleet.repository, ReadLimits()), ReadLimits())
    assert trees.leaf(top, "a/b", ASKING)[0] == b"100644"
    assert trees.leaf(top, "a", ASKING) is None
    assert trees.leaf(top, "a/b/c", ASKING) is None
    assert trees.leaf(top, "x/y", ASKING) is None
    assert trees.folder(top, "a", ASKING) is not None
    assert trees.folder(top, "a/b", ASKING) is None
