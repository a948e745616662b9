"""What is believed of the database of Nix, and what is refused."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.errors import MachineError
from reconciler.nix import database, snapshot
from reconciler.nix.database import PathInfo, open_database
from tests.support.nix_database import Row, make_database, nar_hash, store_path, system_rows

TOP, LIB, ALONE = store_path("top-1.0"), store_path("lib-2.0"), store_path("alone-3")


def closure(root: Path, path: object = TOP) -> list[PathInfo]:
    with open_database(str(root)) as opened:
        return list(opened.closure(str(path)))


def test_a_closure_is_all_that_a_path_needs_in_byte_order(tmp_path: Path) -> None:
    rows = system_rows(60)
    make_database(tmp_path, [*rows, Row(path=ALONE)])

    infos = closure(tmp_path, rows[0].path)

    assert [info.path for info in infos] == sorted(str(row.path) for row in rows)
    by_path = {info.path: info for info in infos}
    for row in rows:
        info = by_path[str(row.path)]
        assert info.nar_sha256 == nar_hash(row.path).removeprefix("sha256:")
        assert (info.nar_bytes, info.registered_at) == (row.size, row.time)
        assert info.references == tuple(sorted(row.refs))
        assert info.deriver == row.deriver
        assert info.signatures == ((row.sigs,) if row.sigs else ())
    with open_database(str(tmp_path)) as opened:
        assert list(opened.paths(str(rows[0].path))) == [info.path for info in infos]


def test_a_path_alone(tmp_path: Path) -> None:
    make_database(tmp_path, [Row(path=TOP, sigs="a-1:AA== b-1:BB==")])
    with open_database(str(tmp_path)) as opened:
        info = opened.info(TOP)
        assert info is not None
        assert info.signatures == ("a-1:AA==", "b-1:BB==")
        assert info.deriver is None
        assert opened.info(LIB) is None


def test_paths_that_need_one_another_in_a_circle_end(tmp_path: Path) -> None:
    make_database(tmp_path, [Row(path=TOP, refs=[TOP, LIB]), Row(path=LIB, refs=[TOP])])
    assert {info.path for info in closure(tmp_path)} == {TOP, LIB}


def test_what_is_not_in_the_store_has_no_closure(tmp_path: Path) -> None:
    make_database(tmp_path, [Row(path=TOP)])
    with pytest.raises(MachineError, match=f"does not hold {LIB}"):
        closure(tmp_path, LIB)


def test_a_reference_to_what_is_not_there_is_refused(tmp_path: Path) -> None:
    file = make_database(tmp_path, [Row(path=TOP, refs=[LIB]), Row(path=LIB)])
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM ValidPaths WHERE path = ?", (LIB,))
    connection.close()
    with pytest.raises(MachineError, match=r"names a path in the closure .* that it does not hold"):
        closure(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Row(path=TOP, hash="sha256:abc"), "for the hash"),
        (Row(path=TOP, hash="md5:" + "0" * 64), "for the hash"),
        (Row(path=TOP, hash=7), "for the hash"),
        (Row(path=TOP, size=-1), "for the size"),
        (Row(path=TOP, size=None), "for the size"),
        (Row(path=TOP, size=2**60), "for the size"),
        (Row(path=TOP, size="x"), "for the size"),
        (Row(path=TOP, time=-5), "for the time"),
        (Row(path=TOP, time=b"\xff"), "for the time"),
        (Row(path=TOP, deriver="/etc/shadow"), "for the deriver"),
        (Row(path=TOP, deriver=b"x"), "for the deriver"),
        (Row(path=TOP, sigs="a:b  c:d"), "signatures"),
        (Row(path=TOP, sigs="a:b\nc"), "signatures"),
        (Row(path=TOP, sigs=b"a:b"), "signatures"),
        (Row(path=TOP, sigs=" ".join(["a:b"] * 65)), "signatures"),
        (Row(path=TOP, sigs="a" * 70_000), "cannot be read"),
    ],
)
def test_a_value_out_of_its_form_is_refused(tmp_path: Path, row: Row, message: str) -> None:
    make_database(tmp_path, [row])
    with pytest.raises(MachineError, match=message):
        closure(tmp_path)


@pytest.mark.parametrize("path", ["/nix/store/../../etc/passwd", "/nix/store/short-x", b"\x00x"])
def test_a_path_that_is_none_is_refused(tmp_path: Path, path: object) -> None:
    make_database(tmp_path, [Row(path=path), Row(path=TOP)])
    file = tmp_path / "nix/var/nix/db/db.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("INSERT INTO Refs VALUES (2, 1)")
    connection.close()
    with pytest.raises(MachineError, match="not a store path"):
        closure(tmp_path)


def test_a_closure_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = system_rows(12)
    make_database(tmp_path, rows)
    monkeypatch.setattr(database, "MAX_PATHS", 11)
    with pytest.raises(MachineError, match="needs more than 11 paths"):
        closure(tmp_path, rows[0].path)


def test_a_query_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_STEPS_A_CALL", 10)
    monkeypatch.setattr(snapshot, "_MAX_CALLS", 20)
    rows = system_rows(200)
    make_database(tmp_path, rows)
    with pytest.raises(MachineError, match="cannot be read: interrupted"):
        closure(tmp_path, rows[0].path)


def test_no_database(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="there is no Nix database"):
        open_database(str(tmp_path))


def test_another_schema(tmp_path: Path) -> None:
    make_database(tmp_path, [], schema="11")
    with pytest.raises(MachineError, match="has schema '11', not 10"):
        open_database(str(tmp_path))


def test_other_tables(tmp_path: Path) -> None:
    file = make_database(tmp_path, [])
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE Refs")
        connection.execute("CREATE VIEW Refs AS SELECT 1 AS referrer, 1 AS reference")
    connection.close()
    with pytest.raises(MachineError, match="does not have the tables"):
        open_database(str(tmp_path))


@pytest.mark.parametrize("left", [0, 10, 100, 4096, 5000])
def test_a_file_that_was_cut_off(tmp_path: Path, left: int) -> None:
    rows = system_rows(80)
    file = make_database(tmp_path, rows)
    for side in ("-wal", "-shm"):
        file.with_name(file.name + side).unlink(missing_ok=True)
    os.truncate(file, left)
    with pytest.raises(MachineError, match=r"db\.sqlite"):
        closure(tmp_path, rows[0].path)


def test_pages_that_were_overwritten(tmp_path: Path) -> None:
    rows = system_rows(300)
    file = make_database(tmp_path, rows)
    size = file.stat().st_size
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(b"\xa5" * (size - 4096))
    with pytest.raises(MachineError, match=r"db\.sqlite"):
        closure(tmp_path, rows[0].path)


def test_what_is_written_meanwhile_is_not_seen(tmp_path: Path) -> None:
    file = make_database(tmp_path, [Row(path=TOP, refs=[LIB]), Row(path=LIB)])
    with open_database(str(tmp_path)) as opened, sqlite3.connect(file) as writer:
        writer.execute("UPDATE ValidPaths SET narSize = 9")
        writer.execute("DELETE FROM Refs")
        writer.commit()
        assert [info.nar_bytes for info in opened.closure(TOP)] == [4096, 4096]
    writer.close()
    assert [info.nar_bytes for info in closure(tmp_path)] == [9]


def let_anybody_read(folder: Path) -> None:
    """A folder of the tests and all in it, and the way to it, which pytest keeps to itself."""
    ours = ("pytest-", "popen-", "rec-")
    own = [parent for parent in folder.parents if parent.name.startswith(ours)]
    for path in [*own, folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))


@contextmanager
def nobody() -> Iterator[None]:
    """As a user that owns nothing here; needs root."""
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("wal", [True, False])
def test_a_user_that_may_only_read_does(tmp_path: Path, wal: bool) -> None:
    file = make_database(tmp_path, [Row(path=TOP)], wal=wal)
    let_anybody_read(tmp_path)
    before = {path.name: path.read_bytes() for path in file.parent.iterdir()}
    with nobody():
        assert [info.path for info in closure(tmp_path)] == [TOP]
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_user_that_may_only_read_sees_the_log_of_a_daemon(tmp_path: Path) -> None:
    file = make_database(tmp_path, [Row(path=TOP)])
    let_anybody_read(tmp_path)
    with sqlite3.connect(file) as daemon:
        daemon.execute("UPDATE ValidPaths SET narSize = 5")
        daemon.commit()
        with nobody():
            assert [info.nar_bytes for info in closure(tmp_path)] == [5]
    daemon.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    file = make_database(tmp_path, [Row(path=TOP)])
    let_anybody_read(tmp_path)
    file.chmod(stat.S_IRUSR)
    with nobody(), pytest.raises(MachineError, match=r"db\.sqlite") as refused:
        closure(tmp_path)
    assert refused.value.hint.startswith("Run this as root.")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_log_that_only_its_writers_may_read_is_no_damage(tmp_path: Path) -> None:
    file = make_database(tmp_path, [Row(path=TOP)])
    with sqlite3.connect(file) as daemon:
        daemon.execute("UPDATE ValidPaths SET narSize = 5")
        daemon.commit()
        copied = tmp_path / "disk/nix/var/nix/db"
        copied.mkdir(parents=True)
        for name in ("db.sqlite", "db.sqlite-wal", "schema"):
            shutil.copy(file.with_name(name), copied)
    daemon.close()
    let_anybody_read(tmp_path)
    with nobody(), pytest.raises(MachineError, match="cannot be read") as refused:
        closure(tmp_path / "disk")
    assert "mounted read-only" in refused.value.hint
    assert [info.nar_bytes for info in closure(tmp_path / "disk")] == [5]


def test_a_database_that_nix_has_for_itself_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "_PATIENCE_S", 0.1)
    file = make_database(tmp_path, [Row(path=TOP)], wal=False)
    with sqlite3.connect(file) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("UPDATE ValidPaths SET narSize = 5")
        with pytest.raises(MachineError, match="cannot be read: database is locked") as refused:
            closure(tmp_path)
    writer.close()
    assert "ask again" in refused.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_a_file_without_a_log_that_changed_meanwhile_is_not_believed(tmp_path: Path) -> None:
    file = make_database(tmp_path, [Row(path=TOP)])
    let_anybody_read(tmp_path)
    with nobody():
        opened = open_database(str(tmp_path))
    with pytest.raises(MachineError, match="written to while it was read"), opened:
        os.utime(file, ns=(1, 1))
