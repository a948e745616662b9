"""The digest of a closure, and what differs between two."""

import hashlib
from pathlib import Path

import pytest

from reconciler.errors import MachineError
from reconciler.model.system import MAX_CHANGES, MAX_VERSIONS, ClosureDiff, VersionChange
from reconciler.nix import base32
from reconciler.nix.closure import diff, digest, measure
from reconciler.nix.database import open_database
from tests.support.nix_database import make_database, store_path, system_rows


def test_the_digest_is_over_lines_that_stock_nix_prints(tmp_path: Path) -> None:
    rows = system_rows(40)
    make_database(tmp_path, rows)
    lines = []
    for row in rows:
        hashed = hashlib.sha256(str(row.path).encode()).digest()
        lines.append(f"{row.path} sha256:{base32.encode(hashed)}\n")
    expected = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()

    with open_database(str(tmp_path)) as opened:
        assert digest(opened.closure(str(rows[0].path))) == expected
        found = measure(opened.closure(str(rows[0].path)))

    assert found.to_body() == {
        "paths": 40,
        "nar_bytes": sum(int(str(row.size)) for row in rows),
        "sha256": expected,
    }


def test_paths_out_of_order_have_no_digest(tmp_path: Path) -> None:
    rows = system_rows(5)
    make_database(tmp_path, rows)
    with open_database(str(tmp_path)) as opened:
        infos = list(opened.closure(str(rows[0].path)))
    for wrong in ([*reversed(infos)], [infos[0], infos[0]]):
        with pytest.raises(MachineError, match="not in order"):
            digest(wrong)


def test_a_difference_is_by_package_and_version() -> None:
    kept = [store_path("glibc-2.40"), store_path("openssl-1.1.1w")]
    before = [*kept, store_path("openssl-3.0.14"), store_path("nano-8.2"), store_path("etc", "1")]
    after = [
        *kept,
        store_path("openssl-3.0.15"),
        store_path("openssl-3.0.15-bin"),
        store_path("htop-3.3"),
        store_path("etc", "2"),
    ]
    found = diff(before, after, since=kept[0])
    assert found == ClosureDiff(
        kept[0],
        (
            VersionChange("etc", ("",), ("",)),
            VersionChange("htop", (), ("3.3",)),
            VersionChange("nano", ("8.2",), ()),
            VersionChange("openssl", ("1.1.1w", "3.0.14"), ("1.1.1w", "3.0.15")),
        ),
        0,
    )
    assert found.to_body()["changes"][1] == {"name": "htop", "before": [], "after": ["3.3"]}
    assert diff(before, before, since=None) == ClosureDiff(None, (), 0)


def test_what_was_only_built_anew_is_left_out_first() -> None:
    before = [store_path(f"lib{at:03}-1.0", "old") for at in range(MAX_CHANGES + 10)]
    after = [store_path(f"lib{at:03}-1.0", "new") for at in range(MAX_CHANGES + 10)]
    found = diff([*before, store_path("zlib-1.2")], [*after, store_path("zlib-1.3")], since=None)
    assert found.left_out == 11
    assert len(found.changes) == MAX_CHANGES
    assert found.changes[-1] == VersionChange("zlib", ("1.2",), ("1.3",))
    assert [change.name for change in found.changes] == sorted(c.name for c in found.changes)


def test_of_many_versions_some_are_named_and_the_rest_is_counted() -> None:
    many = [store_path(f"perl-{at:02}") for at in range(MAX_VERSIONS + 4)]
    found = diff([], many, since=None)
    assert found.left_out == 4
    assert found.changes == (
        VersionChange("perl", (), tuple(f"{at:02}" for at in range(MAX_VERSIONS))),
    )
