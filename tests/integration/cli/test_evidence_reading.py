"""`evidence query`, `show`, `diff`, `incident`, `annotate`: for an auditor and an appliance."""

import hashlib
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import click
import pytest

from reconciler.cli import (
    evidence_annotate,
    evidence_diff,
    evidence_incident,
    evidence_query,
    evidence_show,
)
from reconciler.errors import Busy, InputError, LedgerDamaged
from reconciler.evidence import dsse, sshsig
from reconciler.evidence.commit import parse as parse_commit
from tests.integration.cli.test_auditor import auditor
from tests.support.drill import CLIENT, HOST, SERVICE, SYSCTL
from tests.support.evidence_reading import Story, call, tell

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Story:
    story = tell(tmp_path_factory.mktemp("story"))
    story.annotate(story.failed, "The fix lied; the unit was replaced by hand.")
    return story


@pytest.fixture
def story(told: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Story(told.drill, tmp_path)


def output(capsys: pytest.CaptureFixture[str], command: click.Command, *args: str) -> str:
    call(command, *args)
    return capsys.readouterr().out


def parsed(capsys: pytest.CaptureFixture[str], command: click.Command, *args: str) -> Any:
    return json.loads(output(capsys, command, *args, "--json"))


def test_an_auditor_finds_an_incident_and_where_to_check_it(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    query = evidence_query.command
    found = parsed(capsys, query, *story.options(), "--incident", str(story.failed))
    text = output(capsys, query, *story.options(), "--incident", str(story.failed))

    intent = next(r for r in story.records() if r.entry.seq == story.failed)
    answer = found["answers"][-1]
    assert answer["first"]["commit"] == intent.commit
    assert answer["first"]["sha256"] == intent.digest
    assert answer["first"]["path"] == intent.path
    assert answer["annotations"][0]["text"].endswith("replaced by hand.")
    assert f"commit {intent.commit}, {intent.path}" in text
    assert "The fix lied" in text
    assert "derived index" in text


def test_an_appliance_asks_about_itself(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    config = ("--config", story.drill.site.settings)
    rows = parsed(capsys, evidence_query.command, *config, "--rule", SYSCTL, "--status", "healed")
    hosts = parsed(capsys, evidence_query.command, *story.options(), "--host", HOST, "--limit", "1")

    assert [row["first"]["kind"] for row in rows["answers"]] == ["outcome"]
    assert hosts["answers"][0]["ref"] == f"refs/heads/{CLIENT}/{HOST}"
    assert hosts["more"] is True
    with pytest.raises(InputError, match="no such branch"):
        call(evidence_query.command, *story.options(), "--host", "elsewhere")


@pytest.mark.parametrize(
    "wrong",
    [
        ("--incident", "x"),
        ("--since", "yesterday"),
        ("--until", "2026-13"),
        ("--limit", "0"),
        ("--branch", "../.."),
    ],
    ids=lambda wrong: wrong[0],
)
def test_wrong_questions_are_errors_with_a_hint(story: Story, wrong: tuple[str, str]) -> None:
    with pytest.raises((click.UsageError, InputError)):
        call(evidence_query.command, *story.options(), *wrong)


def test_a_repository_without_signers_is_not_read(story: Story) -> None:
    with pytest.raises(click.UsageError, match="--signers"):
        call(evidence_query.command, "--repository", str(story.repository))


def test_show_says_what_it_is_who_signed_and_what_is_around_it(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    records = {r.entry.seq: r for r in story.records()}
    record = records[story.healed]
    show = evidence_show.command
    text = output(capsys, show, *story.options(), str(story.healed))

    key = sshsig.fingerprint(record.public)
    for part in (record.commit, record.digest, f"{CLIENT}/{HOST}, key {key}", "RB-SYSCTL-001"):
        assert part in text
    assert f"entry {story.healed - 1}, sha256 {records[story.healed - 1].digest}" in text
    assert f"entry {story.healed + 1}, sha256 {records[story.healed + 1].digest}" in text
    assert output(capsys, show, *story.options(), record.commit) == text
    assert output(capsys, show, *story.options(), record.path or "") == text
    document = parsed(capsys, show, *story.options(), str(story.healed))
    assert document["body"] == dict(record.entry.body)
    noted = output(capsys, show, *story.options(), str(story.failed))
    assert "annotation (entry" in noted


def test_a_slim_run_shows_what_it_repeats(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    slim = next(r for r in story.records() if r.entry.slim and r.entry.kind.value == "run")
    document = parsed(capsys, evidence_show.command, *story.options(), str(slim.entry.seq))
    text = output(capsys, evidence_show.command, *story.options(), str(slim.entry.seq))

    assert document["repeats"]["seq"] == slim.entry.body["like"]
    assert SYSCTL in {f["rule"] for f in document["repeated_body"]["findings"]}
    assert f"It found what run {slim.entry.body['like']} found" in text
    assert "its statement is in the commit message" in text


def test_raw_is_the_stored_bytes_exactly(
    story: Story, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for record in story.records():
        call(evidence_show.command, *story.options(), str(record.entry.seq), "--raw")
        raw = capfdbinary.readouterr().out
        if record.path is None:
            framed = b"commit %d\0%b" % (len(raw), raw)
            assert hashlib.sha1(framed).hexdigest() == record.commit
            assert parse_commit(raw).signed_by() == record.public
        else:
            payload = dsse.open_envelope(raw, record.public)
            assert hashlib.sha256(payload).hexdigest() == record.digest


def test_an_index_that_lies_is_found_out(story: Story) -> None:
    from reconciler.ledger.index import opened

    call(evidence_query.command, *story.options(), "--index", str(story.index))
    with opened(story.index) as index:
        (first, second) = index.connection.execute(
            "SELECT oid FROM entry WHERE seq IN (4, 5) ORDER BY seq"
        ).fetchall()
        index.connection.execute("UPDATE entry SET oid = ? WHERE seq = 5", first)
    assert first != second

    with pytest.raises(LedgerDamaged, match="does not agree"):
        call(evidence_show.command, *story.options(), "5", "--index", str(story.index))


def test_a_diff_says_what_changed_between_two_runs(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = story.seqs("run")
    diff = evidence_diff.command
    document = parsed(capsys, diff, *story.options(), str(runs[1]), str(runs[-1]))
    text = output(capsys, diff, *story.options(), str(runs[1]), str(runs[-1]))

    statuses = {
        c["rule"]: (c["first"]["status"], c["second"]["status"]) for c in document["findings"]
    }
    assert {rule: s for rule, s in statuses.items() if s[0] != s[1]} == {SERVICE: ("pass", "fail")}
    assert document["first"]["shown_by"] <= runs[1]
    assert document["tools"] == {}
    assert [name[:14] for name in document["not_done"]] == ["RB-SERVICE-001"]
    assert f"{SERVICE}: pass -> fail" in text
    same = output(capsys, diff, *story.options(), str(runs[1]), str(runs[2]))
    assert "no finding changed" in same
    with pytest.raises(InputError, match="of kind intent, not a run"):
        call(diff, *story.options(), str(story.healed), str(runs[0]))


def bundle(story: Story, seq: int, name: str = "out") -> Path:
    out = story.directory / name
    call(evidence_incident.command, *story.options(), str(seq), "--out", str(out))
    return out


def test_an_incident_bundle_shows_before_and_after_and_every_file(story: Story) -> None:
    out = bundle(story, story.healed)
    document = json.loads((out / "incident.json").read_text())
    records = {r.entry.seq: r for r in story.records()}

    (rule,) = document["rules"]
    assert (rule["rule"], rule["before"]["status"]) == (SYSCTL, "pass")
    assert (rule["found"]["status"], rule["after"]["status"]) == ("fail", "pass")
    assert len(rule["found"]["raw_digest"]) == 64
    assert "not kept" in document["raw_answers"]
    assert document["result"] == "healed"
    assert document["format"] == "reconciler-incident/1"
    named = {entry["file"]: entry for entry in document["entries"]}
    on_disk = {str(f.relative_to(out)) for f in out.rglob("*") if f.is_file()}
    assert on_disk == {"incident.json", "incident.html", *named}
    for name, entry in named.items():
        data = (out / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry["file_sha256"]
        record = records[entry["seq"]]
        assert (entry["sha256"], entry["commit"]) == (record.digest, record.commit)
        if name.endswith(".dsse.json"):
            assert hashlib.sha256(dsse.open_envelope(data, record.public)).hexdigest() == (
                record.digest
            )
    slim = document["before"]
    assert slim["seq"] != slim["shown_by"]
    assert {slim["seq"], slim["shown_by"]} <= {e["seq"] for e in document["entries"]}


def test_an_incident_that_did_not_heal_shows_it_with_its_annotation(story: Story) -> None:
    document = json.loads((bundle(story, story.failed) / "incident.json").read_text())

    assert document["result"] == "failed"
    (rule,) = document["rules"]
    assert (rule["rule"], rule["after"]["status"]) == (SERVICE, "fail")
    assert [e["note"] for e in document["entries"] if "note" in e] == [
        "The fix lied; the unit was replaced by hand."
    ]


def test_the_same_history_gives_the_same_bytes(story: Story) -> None:
    by_intent, by_outcome = bundle(story, story.healed), bundle(story, story.healed + 1, "again")

    for file in by_intent.rglob("*"):
        if file.is_file():
            assert (by_outcome / file.relative_to(by_intent)).read_bytes() == file.read_bytes()


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [a for a in attrs if a[0] in {"src", "href", "action", "onload", "style"}]


def test_the_page_loads_nothing_and_runs_nothing(story: Story) -> None:
    text = (bundle(story, story.healed) / "incident.html").read_text()
    page = Page()
    page.feed(text)

    assert not {"script", "iframe", "link", "img", "object", "form"} & set(page.tags)
    assert page.links == []
    assert "default-src 'none'" in text
    assert "@media print" in text
    assert "<strong>healed</strong>" in text


def test_a_bundle_is_never_mixed_with_other_files(story: Story) -> None:
    (story.directory / "out").mkdir()
    with pytest.raises(InputError, match="there already"):
        bundle(story, story.healed)
    with pytest.raises(InputError, match="of kind run, not an intent"):
        bundle(story, story.seqs("run")[0], "other")
    with pytest.raises(InputError, match="no intent 4444"):
        bundle(story, 4444, "other")
    assert not (story.directory / "other").exists()


def test_damage_on_the_way_to_an_incident_is_not_passed_over(story: Story, tmp_path: Path) -> None:
    copy = tmp_path / "bad.git"
    shutil.copytree(story.repository, copy)
    commit = next(r.commit for r in story.records() if r.entry.seq == story.failed)
    (copy / "objects" / commit[:2] / commit[2:]).unlink()

    with pytest.raises(LedgerDamaged):
        call(
            evidence_incident.command,
            "--repository", str(copy), "--signers", str(story.signers),
            str(story.healed), "--out", str(tmp_path / "out"),
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_an_annotation_is_one_more_signed_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    story = tell(tmp_path / "story")
    config = ("--config", story.drill.site.settings)
    before = len(story.records())
    with monkeypatch.context() as patch:
        # The story is of tomorrow; the command reads the machine's clock.
        patch.setattr("reconciler.engine.appliance.SystemClock", lambda: story.drill.clock)
        told = parsed(
            capsys, evidence_annotate.command, *config, str(story.failed),
            "--text", "Checked by hand: see entry 6.", "--by", "security officer",
        )  # fmt: skip
        with story.drill.open(), pytest.raises(Busy):
            call(evidence_annotate.command, *config, "1", "--text", "x", "--by", "me")
        for text in ("Patient Miller called", "call 555-123-4567"):
            with pytest.raises(InputError, match="nothing was signed"):
                call(evidence_annotate.command, *config, "1", "--text", text, "--by", "me")
        with pytest.raises(InputError, match="no entry 9999"):
            call(evidence_annotate.command, *config, "9999", "--text", "ok", "--by", "me")

    records = story.records()
    assert len(records) == before + 1
    about = next(r for r in records if r.entry.seq == story.failed)
    assert records[0].entry.seq == told["seq"]
    assert records[0].entry.body == {
        "about": {"seq": about.entry.seq, "sha256": about.digest},
        "text": "Checked by hand: see entry 6.",
        "by": "security officer",
    }
    assert story.drill.verify().ok
    assert "Checked by hand" in output(capsys, evidence_show.command, *config, str(story.failed))
    story.drill.run()
    assert story.drill.verify().ok


def test_the_auditors_small_install_is_enough(story: Story) -> None:
    for argv in (
        ("query", "--rule", SYSCTL),
        ("show", str(story.healed)),
        ("diff", *map(str, story.seqs("run")[:2])),
        ("incident", str(story.healed), "--out", str(story.directory / "out")),
        ("export", "intoto", "--period", story.records()[0].entry.recorded_at[:10]),
        ("export", "oscal", "--period", story.records()[0].entry.recorded_at[:7]),
        ("export", "svr"),
    ):
        done = auditor("evidence", *argv, *story.options())
        assert done.returncode == 0, (argv, done.stderr)
        assert done.stdout
