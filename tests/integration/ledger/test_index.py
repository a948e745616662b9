"""The derived index: built once from proven entries, continued, dropped when history is another."""

import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import Busy, InputError, LedgerDamaged, MachineError
from reconciler.evidence.record import Record
from reconciler.ledger import index as index_module
from reconciler.ledger import index_file
from reconciler.ledger.index import Index, opened
from reconciler.ledger.index_query import Question, after, ask, locate, notes_on
from reconciler.ledger.reader import proven
from tests.support.drill import SERVICE, SYSCTL
from tests.support.evidence_reading import Story, tell

pytestmark = pytest.mark.integration

MENTIONS = (
    "SELECT about, rule, status, action, seq, last, runs, same, closes FROM mention"
    " ORDER BY seq, about, rule, status"
)
CONTROLS = (
    "SELECT c.name, m.seq, m.about, m.rule FROM control c JOIN mention m ON m.id = c.mention"
    " ORDER BY 1, 2, 3, 4"
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return tell(tmp_path_factory.mktemp("story"))


@pytest.fixture
def story(told: Story, tmp_path: Path) -> Story:
    """The same story with an index of its own."""
    return Story(told.drill, tmp_path)


def refresh(story: Story, file: Path | None = None) -> int:
    with opened(file or story.index) as index:
        return index.refresh(story.repository, story.branch).added


def content(file: Path) -> dict[str, list[Any]]:
    with sqlite3.connect(file) as connection:
        found = {q: connection.execute(q).fetchall() for q in (MENTIONS, CONTROLS)}
        found["entries"] = connection.execute("SELECT * FROM entry ORDER BY 1, 2").fetchall()
    connection.close()
    return found


def back_to(story: Story, seq: int, directory: Path) -> Path:
    """A copy of the repository as it was when an entry was the newest."""
    copy = directory / f"at-{seq}.git"
    shutil.copytree(story.repository, copy)
    commit = next(r.commit for r in story.records() if r.entry.seq == seq)
    (copy / story.branch.ref).write_text(f"{commit}\n")
    return copy


def test_each_entry_is_read_once_and_then_never_again(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def counted(*args: Any) -> Any:
        for record in proven(*args):
            read.append(record.entry.seq)
            yield record

    monkeypatch.setattr(index_module, "proven", counted)
    records = story.records()

    assert refresh(story) == len(records)
    assert read == [r.entry.seq for r in records]
    assert refresh(story) == 0
    assert len(read) == len(records)


def test_however_it_grew_an_index_holds_the_same(story: Story, tmp_path: Path) -> None:
    refresh(story)
    whole = content(story.index)

    for cut in range(len(story.records()) - 1):
        grown = tmp_path / f"grown-{cut}.sqlite"
        with opened(grown) as index:
            index.refresh(back_to(story, cut, tmp_path), story.branch)
            index.refresh(story.repository, story.branch)
        assert content(grown) == whole, f"continued from entry {cut}"


def test_a_history_that_does_not_continue_is_said_and_built_anew(
    story: Story, tmp_path: Path
) -> None:
    other = tell(tmp_path / "other")
    refresh(story)
    held = content(story.index)

    with opened(story.index) as index:
        with pytest.raises(LedgerDamaged):
            index.refresh(other.repository, story.branch)
        done = index.refresh(other.repository, other.branch)
        assert done.dropped is None, "other signers: nothing that was held counts"
        cut = back_to(other, 6, tmp_path)
        shorter = index.refresh(cut, other.branch)
    assert shorter.dropped is not None
    assert (shorter.added, shorter.dropped.seq) == (7, max(other.seqs("run")))
    assert content(story.index) != held
    with opened(tmp_path / "fresh.sqlite") as index:
        index.refresh(cut, other.branch)
    assert content(story.index)[MENTIONS] == content(tmp_path / "fresh.sqlite")[MENTIONS]


def test_what_does_not_verify_is_not_indexed(story: Story, tmp_path: Path) -> None:
    copy = tmp_path / "bad.git"
    shutil.copytree(story.repository, copy)
    blob = max((copy / "objects").rglob("??/*"), key=lambda file: file.stat().st_size)
    blob.chmod(0o600)
    blob.write_bytes(blob.read_bytes()[:-9] + b"\0" * 9)

    with opened(story.index) as index, pytest.raises(LedgerDamaged, match="does not verify"):
        index.refresh(copy, story.branch)
    assert content(story.index)["entries"] == []


def found(story: Story, **asked: Any) -> list[tuple[int, str, str | None, str, int | None]]:
    refresh(story)
    with opened(story.index) as index:
        answers = ask(index, Question(**asked)).found
    return [(a.first.seq, a.about, a.rule, a.status, a.runs) for a in answers]


def test_a_rule_has_one_span_for_each_status(story: Story) -> None:
    first, *_, last = story.seqs("run")

    spans = [row for row in found(story, rule="units-running") if row[1] == "finding"]

    assert [(row[3], row[4]) for row in spans] == [
        ("fail", 2),
        ("pass", len(story.seqs("run")) - 2),
    ]
    assert spans[1][0] == first
    assert sum(row[4] or 0 for row in spans) == len(story.seqs("run"))
    with opened(story.index) as index:
        (failing,) = ask(index, Question(rule=SERVICE, status="fail", kind="run")).found
    assert failing.last is not None
    assert failing.last.seq == last
    assert failing.first.path is not None
    assert "expected active" in failing.detail


def test_an_incident_is_found_by_its_intent_and_by_its_action(story: Story) -> None:
    intent = story.healed
    by_intent = found(story, intent=intent)
    action = next(r for r in story.records() if r.entry.seq == intent).entry.body["action"]["id"]

    assert [(row[0], row[1], row[3]) for row in by_intent] == [
        (intent + 1, "outcome", "healed"),
        (intent, "intent", "fail"),
    ]
    assert found(story, action=action) == found(story, action=action[:9]) == by_intent
    assert all(row[2] == SYSCTL for row in by_intent)


def test_an_outcome_serves_the_controls_of_its_intent(story: Story) -> None:
    finding = next(r for r in story.records() if r.entry.seq == story.failed).entry.body["found"][0]

    for control in finding["controls"]:
        kinds = {row[1] for row in found(story, control=control) if row[2] == SERVICE}
        assert kinds == {"finding", "not_done", "intent", "outcome"}
    assert found(story, control="hipaa:164.999") == []


def test_times_kinds_and_limits_narrow_an_answer(story: Story) -> None:
    records = story.records()
    newest, middle = records[0].entry, records[len(records) // 2].entry

    assert [r[0] for r in found(story, limit=2)] == [newest.seq, newest.seq - 1]
    since = found(story, since=middle.recorded_at)
    assert {r[0] for r in since} == {
        r.entry.seq for r in records if r.entry.recorded_at >= middle.recorded_at
    }
    assert [r[0] for r in found(story, kind="genesis")] == [0]
    assert found(story, until="2000-01-01T00:00:00.000Z") == []
    assert found(story, refs=("refs/heads/other/host",)) == []
    with opened(story.index) as index:
        assert ask(index, Question(limit=2)).more is True
        assert ask(index, Question(kind="genesis")).more is False
        with pytest.raises(InputError):
            ask(index, Question(limit=0))


def test_what_is_asked_is_bound_and_never_part_of_a_statement(story: Story) -> None:
    for evil in ("x' OR '1'='1", '"; DROP TABLE entry; --', "%", "_", "*"):
        for name in ("control", "rule", "status", "kind", "action", "since"):
            rows = found(story, **{name: evil})
            assert rows == [] or name == "since"
    assert len(found(story, limit=1000)) == len(story.records())


def test_an_entry_is_named_by_number_commit_or_path(story: Story) -> None:
    refresh(story)
    record = next(r for r in story.records() if r.entry.seq == story.healed)
    with opened(story.index) as index:
        ref = story.branch.ref
        for name in (str(story.healed), record.commit, record.commit[:9], record.path or ""):
            assert locate(index, ref, name).digest == record.digest
        for name in ("99999999", "f" * 40, "entries/2026/x", "' OR 1=1", "", "00000000"):
            if name == "00000000":
                assert locate(index, ref, name).seq == 0
                continue
            with pytest.raises(InputError, match="no entry"):
                locate(index, ref, name)
        following = after(index, ref, story.healed)
        assert following is not None
        assert following.seq == story.healed + 1
        assert after(index, ref, max(r.entry.seq for r in story.records())) is None


def test_annotations_stand_beside_what_they_are_about(tmp_path: Path) -> None:
    story = tell(tmp_path)
    refresh(story)
    story.annotate(story.failed, "The unit was replaced by hand; see intent 4.")

    refresh(story)

    with opened(story.index) as index:
        ((where, text),) = notes_on(index, story.branch.ref, story.failed)
        beside = ask(index, Question(intent=story.failed)).found[-1]
    assert where.kind == "annotation"
    assert text.startswith("security officer: The unit was replaced")
    assert beside.notes == ((where, text),)


def test_a_file_that_is_not_an_index_is_not_touched(tmp_path: Path) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("Dear auditor")
    database = tmp_path / "other.sqlite"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE kept (x)")
    connection.close()

    for file in (text, database):
        before = file.read_bytes()
        with pytest.raises(InputError, match="not an index"), opened(file):
            pass
        assert file.read_bytes() == before


def test_an_index_of_another_format_is_made_anew_and_a_broken_one_says_so(story: Story) -> None:
    refresh(story)
    with sqlite3.connect(story.index) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("CREATE TABLE of_the_future (x)")
    connection.close()
    assert refresh(story) == len(story.records())
    assert "of_the_future" not in str(content(story.index))

    data = bytearray(story.index.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    story.index.write_bytes(data)
    with pytest.raises(MachineError, match="index") as caught:
        refresh(story)
    assert "delete" in caught.value.hint
    story.index.unlink()
    assert refresh(story) == len(story.records())


def test_an_index_that_somebody_else_builds_is_busy_and_not_broken(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_file, "PATIENCE_MS", 10)
    refresh(story)
    with opened(story.index) as index:
        index.connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            refresh(story)


def test_only_its_owner_can_read_it(story: Story) -> None:
    refresh(story)
    assert story.index.stat().st_mode & 0o077 == 0


def test_a_question_to_a_hundred_thousand_entries_is_answered_at_once(
    story: Story, tmp_path: Path
) -> None:
    """The goal is 200 ms; a busy machine gets five times that."""
    large = tmp_path / "large.sqlite"
    with opened(large) as index:
        index.refresh(story.repository, story.branch)
        grow(index, 100_000, story.records())
        for question in (
            Question(),
            Question(rule=SYSCTL),
            Question(control="hipaa:164.312(b)", status="fail"),
            Question(status="healed"),
            Question(kind="outcome", since="2026-01-01T00:00:00.000Z"),
        ):
            best = min(timed(index, question) for _ in range(3))
            assert best < 1.0, (question, best)


def timed(index: Index, question: Question) -> float:
    begin = time.perf_counter()
    assert ask(index, question).found
    return time.perf_counter() - begin


def grow(index: Index, count: int, records: list[Record]) -> None:
    """More entries and mentions like those that are there, far in the past."""
    last = records[0].entry.seq
    with index.connection as connection:
        connection.execute("BEGIN")
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO entry SELECT branch, i, at, kind, oid, digest, path, repeats"
            " FROM n JOIN entry ON seq = i % ?",
            (last + 1, count, last),
        )
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO mention SELECT NULL, branch, i, at, i, last_at, runs, about, rule,"
            " status, action, closes, annotates, detail, same"
            " FROM n JOIN mention m ON m.id = i % 11 + 1",
            (last + 1, count),
        )
        connection.execute(
            "INSERT INTO control SELECT 'hipaa:164.312(b)', id FROM mention WHERE id > 50"
        )
