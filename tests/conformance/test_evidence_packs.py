"""Our pack reader against stock git, object by object, and against packs that were prepared."""

import hashlib
import random
import subprocess
from pathlib import Path

import pytest

from reconciler.errors import EvidenceError
from reconciler.evidence.source import object_id
from reconciler.ledger.objects import ObjectStore
from reconciler.ledger.pack_reader import PackReader
from reconciler.ledger.packs import check_pack
from tests.support.ledger_rig import git

pytestmark = [pytest.mark.conformance, pytest.mark.integration]


def put(repository: Path, data: bytes) -> str:
    return subprocess.run(
        ["git", "-C", str(repository), "hash-object", "-w", "--stdin"],
        input=data,
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout.decode()[:40]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blobs that git stores whole, as long chains of deltas, empty, and larger than 64 KiB."""
    base = tmp_path_factory.mktemp("packs")
    assert git(base, "init", "-q", "--bare", "r.git").returncode == 0
    repository = base / "r.git"
    source = random.Random(1)
    noise = source.randbytes(200_000)
    lines = [f"line {number} {source.random()}\n" for number in range(400)]
    put(repository, b"")
    put(repository, noise)
    put(repository, noise[:100_000] + b"inserted" + noise[100_000:])
    for number in range(120):
        lines[number * 3] = f"changed {number}\n"
        put(repository, "".join(lines).encode())
    return repository


def everything(repository: Path) -> dict[str, tuple[str, int]]:
    shown = git(repository, "cat-file", "--batch-all-objects", "--batch-check").stdout
    lines = (line.split() for line in shown.splitlines())
    return {oid: (kind, int(size)) for oid, kind, size in lines}


def packed(repository: Path, directory: Path, *options: str) -> Path:
    """All objects of a repository in one new pack; its index."""
    directory.mkdir(exist_ok=True)
    prefix = directory / "pack"
    subprocess.run(
        ["git", "-C", str(repository), "pack-objects", "-q", *options, str(prefix)],
        input="\n".join(everything(repository)).encode() + b"\n",
        check=True,
        capture_output=True,
        timeout=60,
    )
    (index,) = directory.glob("*.idx")
    return index


FORMS = [
    ("--delta-base-offset", "--window=50", "--depth=200"),
    ("--no-reuse-delta", "--window=20", "--index-version=2,0x40"),
    ("--window=0",),
]


@pytest.mark.parametrize("options", FORMS, ids=" ".join)
def test_every_object_is_what_git_says(
    repository: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    assert git(tmp_path, "init", "-q", "--bare", "r.git").returncode == 0
    index = packed(repository, tmp_path / "r.git/objects/pack", *options)
    assert len(check_pack(index.with_suffix(".pack"))) == len(everything(repository))
    store, objects = ObjectStore(tmp_path / "r.git"), everything(repository)
    assert len(objects) > 120
    for oid, (kind, size) in objects.items():
        found, raw = store.read(oid)
        assert (found, len(raw), object_id(found, raw)) == (kind, size, oid)
    for absent in ("0" * 40, "f" * 40):
        with pytest.raises(EvidenceError, match="not there"):
            store.read(absent)


def test_the_shortest_pack_there_is(tmp_path: Path) -> None:
    assert git(tmp_path, "init", "-q", "--bare", "r.git").returncode == 0
    empty = put(tmp_path / "r.git", b"")
    index = packed(tmp_path / "r.git", tmp_path / "alone")
    assert PackReader(index).read(bytes.fromhex(empty)) == ("blob", b"")


def resummed(data: bytes) -> bytes:
    return data[:-20] + hashlib.sha1(data[:-20]).digest()


def test_prepared_packs_cost_an_error_and_nothing_else(repository: Path, tmp_path: Path) -> None:
    index = packed(repository, tmp_path / "good", *FORMS[0])
    ids = [bytes.fromhex(oid) for oid in everything(repository)][:40]
    pack = index.with_suffix(".pack")
    source = random.Random(2)
    refused = 0
    for number in range(150):
        target = (pack, index)[number % 2]
        for file in (pack, index):
            (tmp_path / f"p{file.suffix}").write_bytes(file.read_bytes())
        data = bytearray(target.read_bytes())
        # The second half of a pack of noise says little: aim at its beginning as well.
        end = len(data) - 20 if number % 3 else min(20_000, len(data) - 20)
        for _ in range(1 + number % 4):
            data[source.randrange(12, end)] = source.randrange(256)
        (tmp_path / f"p{target.suffix}").write_bytes(resummed(bytes(data)))
        try:
            reader = PackReader(tmp_path / "p.idx")
        except EvidenceError as error:
            assert "p " in error.message
            refused += 1
            continue
        for oid in ids:
            try:
                found = reader.read(oid)
            except EvidenceError as error:
                assert "p " in error.message
                refused += 1
                continue
            refused += found is None or object_id(*found) != oid.hex()
    assert refused > 50
