"""Bundles, ours against those of stock git: each reads the other's, and nothing else is let in."""

import hashlib
import mmap
import subprocess
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError, InputError, MachineError
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.packing.bundle import read_bundle, write_bundle
from reconciler.ledger.packing.form import encode_index
from reconciler.ledger.packing.indexer import Limits, index_pack
from reconciler.ledger.packing.unpack import unpack_bundle
from reconciler.ledger.verify import verify
from tests.support.ledger_rig import filled
from tests.support.long_history import REF, git, lengthen, make_history

pytestmark = [pytest.mark.conformance, pytest.mark.integration]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    path = tmp_path_factory.mktemp("bundles") / "r.git"
    commits = make_history(path, 120, full_every=4)
    return path, commits


def done(path: Path, *arguments: str) -> str:
    result = git(path, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def log(path: Path) -> list[str]:
    return done(path, "rev-list", "--reverse", REF).split()


def sound(path: Path, commits: list[str]) -> None:
    assert log(path) == commits
    done(path, "symbolic-ref", "HEAD", REF)
    checked = git(path, "fsck", "--strict", "--full")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_stock_git_verifies_clones_and_fetches_ours(
    history: tuple[Path, list[str]], tmp_path: Path
) -> None:
    path, commits = history
    full, more = tmp_path / "full.bundle", tmp_path / "more.bundle"
    write_bundle(path, REF, None, commits[69], full)
    write_bundle(path, REF, commits[69], commits[-1], more)
    clone = tmp_path / "clone.git"
    assert "complete history" in done(path, "bundle", "verify", str(full))
    done(tmp_path, "clone", "-q", "--mirror", str(full), str(clone))
    sound(clone, commits[:70])
    assert commits[69] in done(clone, "bundle", "verify", str(more))
    done(clone, "fetch", "-q", str(more), f"{REF}:{REF}")
    sound(clone, commits)
    assert more.stat().st_size < 50_000


def test_a_ledger_that_comes_back_out_of_bundles_verifies(tmp_path: Path) -> None:
    rig = filled(tmp_path, runs=4)
    ref = "refs/heads/smile/desk"
    commits = done(rig.path, "rev-list", "--reverse", ref).split()
    bundles = [tmp_path / "1", tmp_path / "2"]
    write_bundle(rig.path, ref, None, commits[2], bundles[0])
    write_bundle(rig.path, ref, commits[2], commits[-1], bundles[1])
    unpack_bundle(bundles, tmp_path / "out.git")
    found = verify(tmp_path / "out.git", rig.signers)
    assert (found.faults, found.sweep.unreferenced) == ((), 0)
    assert found.branches[0].entries == len(commits)


@pytest.mark.parametrize("packed", [False, True])
def test_a_repository_comes_back_out_of_ours(
    history: tuple[Path, list[str]], tmp_path: Path, packed: bool
) -> None:
    path, commits = history
    if packed:
        done(tmp_path, "clone", "-q", "--mirror", str(path), "packed.git")
        path = tmp_path / "packed.git"
        done(path, "repack", "-q", "-adf")
    parts = [(None, 9), (9, 10), (10, 64), (64, 119)]
    bundles = [tmp_path / f"{new}.bundle" for _, new in parts]
    for (old, new), bundle in zip(parts, bundles, strict=True):
        write_bundle(path, REF, None if old is None else commits[old], commits[new], bundle)
    assert unpack_bundle(bundles, tmp_path / "out.git") == {REF: commits[-1]}
    assert done(tmp_path / "out.git", "symbolic-ref", "HEAD").strip() == REF
    sound(tmp_path / "out.git", commits)


def test_the_same_part_is_the_same_bytes(history: tuple[Path, list[str]], tmp_path: Path) -> None:
    path, commits = history
    done(tmp_path, "clone", "-q", "--mirror", str(path), "other.git")
    done(tmp_path / "other.git", "gc", "-q")
    for place, name in ((path, "a"), (tmp_path / "other.git", "b"), (path, "a")):
        write_bundle(place, REF, commits[20], commits[80], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert {file.name for file in tmp_path.iterdir()} == {"a", "b", "other.git"}


def test_those_of_stock_git_are_read_with_their_deltas_and_thin(
    history: tuple[Path, list[str]], tmp_path: Path
) -> None:
    path, commits = history
    source = tmp_path / "source.git"
    done(tmp_path, "clone", "-q", "--mirror", str(path), str(source))
    done(source, "update-ref", REF, commits[50])
    done(source, "bundle", "create", "-q", str(tmp_path / "1"), REF, "HEAD")
    done(source, "update-ref", REF, commits[90])
    done(source, "bundle", "create", "-q", str(tmp_path / "2"), f"{commits[50]}..{REF}")
    done(source, "update-ref", REF, commits[-1])
    done(source, "bundle", "create", "-q", str(tmp_path / "3"), REF, f"^{commits[90]}")
    assert read_bundle(tmp_path / "2").prerequisites == (commits[50],)
    thin = tmp_path / "2"
    with pytest.raises(EvidenceError, match="not there"):
        index_pack(thin.read_bytes()[read_bundle(thin).pack_at :])
    bundles = [tmp_path / name for name in "123"]
    assert unpack_bundle(bundles, tmp_path / "out.git") == {REF: commits[-1]}
    sound(tmp_path / "out.git", commits)


FORMS = [
    ("--delta-base-offset", "--window=50", "--depth=200"),
    ("--no-reuse-delta", "--window=20"),
    ("--window=0",),
]


@pytest.mark.parametrize("options", FORMS, ids=" ".join)
def test_an_index_is_byte_for_byte_that_of_git(
    history: tuple[Path, list[str]], tmp_path: Path, options: tuple[str, ...]
) -> None:
    path, _ = history
    names = done(path, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    subprocess.run(
        ["git", "-C", str(path), "pack-objects", "-q", *options, str(tmp_path / "p")],
        input=names.encode(),
        check=True,
        capture_output=True,
        timeout=60,
    )
    (pack,) = tmp_path.glob("*.pack")
    with pack.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        indexed = index_pack(data)
    assert len(indexed.places) == len(names.split())
    assert encode_index(indexed.places, indexed.checksum) == pack.with_suffix(".idx").read_bytes()


@pytest.fixture
def bundles(history: tuple[Path, list[str]], tmp_path: Path) -> list[Path]:
    path, commits = history
    parts = [(None, 40), (40, 80), (80, 119)]
    made = [tmp_path / f"{number}.bundle" for number in range(3)]
    for (old, new), bundle in zip(parts, made, strict=True):
        write_bundle(path, REF, None if old is None else commits[old], commits[new], bundle)
    return made


def test_a_missing_or_a_misplaced_part_is_named(bundles: list[Path], tmp_path: Path) -> None:
    one, two, three = bundles
    for number, wrong in enumerate(([two], [one, three], [two, one], [three, two, one])):
        with pytest.raises(EvidenceError, match="no bundle before it holds"):
            unpack_bundle(wrong, tmp_path / f"out{number}")
        assert not (tmp_path / f"out{number}/HEAD").exists()
    with pytest.raises(EvidenceError, match="does not continue"):
        unpack_bundle([one, two, one], tmp_path / "back")
    with pytest.raises(EvidenceError, match="no bundle brings"):
        unpack_bundle([], tmp_path / "none")


def test_two_histories_are_not_one(history: tuple[Path, list[str]], tmp_path: Path) -> None:
    path, commits = history
    done(tmp_path, "clone", "-q", "--mirror", str(path), "fork.git")
    raw = ObjectStore(path).read(commits[60])[1].decode()
    fork = hashlib.sha1(b"").hexdigest()
    forged = tmp_path / "commit"
    forged.write_text(raw.replace("elm-street/front-desk\n\n", "elm-street/other\n\n"))
    fork = done(tmp_path / "fork.git", "hash-object", "-t", "commit", "-w", str(forged)).strip()
    done(tmp_path / "fork.git", "update-ref", REF, fork)
    grown = lengthen(tmp_path / "fork.git", [*commits[:60], fork], 10)
    write_bundle(path, REF, None, commits[-1], tmp_path / "a")
    write_bundle(tmp_path / "fork.git", REF, commits[59], grown[-1], tmp_path / "b")
    with pytest.raises(EvidenceError, match="does not continue"):
        unpack_bundle([tmp_path / "a", tmp_path / "b"], tmp_path / "out")


def test_any_byte_of_a_bundle(
    bundles: list[Path], history: tuple[Path, list[str]], tmp_path: Path
) -> None:
    one, two, _ = bundles
    _, commits = history
    whole = two.read_bytes()
    head = read_bundle(two).pack_at
    for number, at in enumerate([*range(0, head, 3), *range(head, len(whole), len(whole) // 60)]):
        changed = bytearray(whole)
        changed[at] ^= (1, 0x20, 0x80)[number % 3]
        two.write_bytes(changed)
        out = tmp_path / f"out{number}"
        try:
            references = unpack_bundle([one, two], out)
        except EvidenceError as error:
            assert error.hint
            assert not (out / "HEAD").exists()
            continue
        # The name of the branch is not proven by a bundle: that is in every signed entry.
        assert at < head
        assert references[REF] == commits[40]


HOSTILE = [
    (b"", "version 2"),
    (b"# v3 git bundle\n@object-format=sha1\n", "version 2"),
    (b"# v2 git bundle\n\n", "malformed"),
    (b"# v2 git bundle\n" + b"a" * 40 + b" refs/heads/a/b", "malformed"),
    (b"# v2 git bundle\n" + b"A" * 40 + b" refs/heads/a/b\n\n", "malformed"),
    (b"# v2 git bundle\n" + b"a" * 40 + b" refs/heads/../../x\n\n", "brings a reference"),
    (b"# v2 git bundle\n" + b"a" * 40 + b" refs/heads/a/.hidden\n\n", "brings a reference"),
    (b"# v2 git bundle\n" + b"a" * 40 + b" refs/heads/a.lock\n\n", "brings a reference"),
    (b"# v2 git bundle\n" + b"a" * 40 + b" refs/heads/-x\n\n", "brings a reference"),
    (b"# v2 git bundle\n" + b"a" * 40 + b" config\n\n", "brings a reference"),
    (b"# v2 git bundle\n" + (b"a" * 40 + b" refs/heads/x\n") * 2 + b"\n", "twice"),
    (b"# v2 git bundle\n" + b"a" * 40 + b" refs/heads/x\n-" + b"a" * 40 + b"\n\n", "after what"),
    (b"# v2 git bundle\n-" + b"a" * 300_000, "malformed"),
]


@pytest.mark.parametrize(("data", "message"), HOSTILE)
def test_headers_that_git_would_not_write(data: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "x.bundle"
    file.write_bytes(data)
    with pytest.raises(EvidenceError, match=message):
        read_bundle(file)


def test_a_bundle_of_a_lying_pack_costs_no_more_than_its_limits(
    bundles: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(EvidenceError, match="more work than"):
        unpack_bundle(bundles, tmp_path / "out", limits=Limits(work=10_000))
    header = bundles[0].read_bytes()[: read_bundle(bundles[0]).pack_at]
    bundles[0].write_bytes(header)
    with pytest.raises(EvidenceError, match="ends before"):
        unpack_bundle(bundles, tmp_path / "short")


def test_places_that_cannot_be_used(bundles: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not empty"):
        unpack_bundle(bundles, tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        unpack_bundle([tmp_path / "absent"], tmp_path / "out")
    (tmp_path / "file").touch()
    with pytest.raises(MachineError):
        unpack_bundle(bundles, tmp_path / "file/out")


def test_what_cannot_be_bundled(history: tuple[Path, list[str]], tmp_path: Path) -> None:
    path, commits = history
    target = tmp_path / "x.bundle"
    for ref, old, new in (
        ("refs/heads/../x", None, commits[3]),
        (REF, commits[3], commits[3]),
        (REF, "abc", commits[3]),
        (REF, None, "HEAD"),
        (REF, commits[9], commits[3]),
        (REF, None, "0" * 40),
    ):
        with pytest.raises(EvidenceError):
            write_bundle(path, ref, old, new, target)
    with pytest.raises(MachineError):
        write_bundle(path, REF, None, commits[3], tmp_path / "nowhere/x.bundle")
    assert list(tmp_path.iterdir()) == []
