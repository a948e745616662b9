"""Audit kits of real repositories: what is in them, what is not, and when there is none."""

import csv
import hashlib
import json
import re
import resource
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import EvidenceError, InputError, LedgerDamaged, MachineError
from reconciler.evidence import canonical, sshsig
from reconciler.evidence.fault import Code, Place
from reconciler.evidence.testimony import Saying
from reconciler.ledger.kit.export import export
from reconciler.ledger.kit.folder import MANIFEST
from reconciler.ledger.packing.bundle import read_bundle
from reconciler.ledger.verify import Extra, load_signers, verify
from tests.support.kit_rig import AUDIT, GOOD, HOSTILE, KitRig, another, copied, full, hub_of, told
from tests.support.ledger_rig import filled, git

pytestmark = pytest.mark.integration

DESK, HUB = "refs/heads/smile/desk", "refs/heads/witness/hub"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> KitRig:
    return full(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> KitRig:
    return told(tmp_path_factory.mktemp("plain"))


def files(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def text(directory: Path, name: str) -> str:
    return (directory / name).read_text()


def rows(directory: Path, name: str) -> list[dict[str, str]]:
    data = (directory / f"controls/{name}.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(data.splitlines()))


def manifest(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = canonical.decode((directory / MANIFEST).read_bytes().rstrip(b"\n"))
    return found


def test_a_kit_holds_what_is_needed_and_nothing_else(whole: KitRig, tmp_path: Path) -> None:
    kit = whole.export(tmp_path / "kit", controls=(AUDIT,), pdf=True)
    assert kit.ok, kit.result.sentence
    assert kit.files == (
        "DISCLOSURES.md",
        "HOW-TO-CHECK.md",
        "checkpoints/smile/desk/00000012.alpha.tsr",
        "checkpoints/smile/desk/00000012.note",
        "checkpoints/smile/desk/00000014.note",
        "checkpoints/smile/desk/00000014.witness-hub.note",
        "controls/hipaa-164.312.b.csv",
        "controls/hipaa-164.312.b.pdf",
        "evidence.bundle",
        "keys/allowed_signers",
        "keys/fingerprints.txt",
        "manifest.json",
        "roots/tsa/alpha.pem",
        "verification.json",
        "verification.txt",
    )
    held = files(tmp_path / "kit")
    assert tuple(held) == kit.files
    assert held["keys/allowed_signers"] == whole.rig.signers_file.read_bytes()
    assert held["roots/tsa/alpha.pem"] == (whole.roots / "tsa/alpha.pem").read_bytes()
    assert sshsig.fingerprint(sshsig.raw_public(whole.rig.key)) in text(
        tmp_path / "kit", "keys/fingerprints.txt"
    )
    assert list(tmp_path.iterdir()) == [tmp_path / "kit"]


def test_the_manifest_lists_every_other_file(whole: KitRig, tmp_path: Path) -> None:
    whole.export(tmp_path / "kit", controls=(AUDIT,))
    held, about = files(tmp_path / "kit"), manifest(tmp_path / "kit")
    assert about["files"] == [
        {"name": name, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        for name, data in held.items()
        if name != MANIFEST
    ]
    assert about["asked"] == [AUDIT]
    assert [branch["ref"] for branch in about["branches"]] == [DESK, HUB]
    assert about["tool"] == {"reconciler": "1.2.3"}


def test_the_same_evidence_gives_the_same_bytes(whole: KitRig, tmp_path: Path) -> None:
    whole.export(tmp_path / "one", controls=(AUDIT,), pdf=True)
    other = copied(whole, tmp_path / "elsewhere")
    assert other.rig.git("gc", "-q").returncode == 0
    other.export(tmp_path / "two", controls=(AUDIT,), pdf=True)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_kit_of_a_past_period_does_not_change_as_the_ledger_grows(
    whole: KitRig, tmp_path: Path
) -> None:
    whole.export(tmp_path / "one", end="2026-03-02T02:00:00Z", controls=(AUDIT,))
    grown = copied(whole, tmp_path / "elsewhere")
    with grown.rig.open() as ledger:
        grown.run(ledger, GOOD)
        grown.checkpoint(ledger)
    assert grown.export(tmp_path / "two", end="2026-03-02T02:00:00Z", controls=(AUDIT,)).ok
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert [name for name in two if one.get(name) != two[name]] == []


def test_the_bundle_is_whole_branches_up_to_the_end_of_the_period(
    whole: KitRig, tmp_path: Path
) -> None:
    kit = whole.export(tmp_path / "kit", start="2026-03-02", end="2026-03-02T00:30:00Z")
    header = read_bundle(tmp_path / "kit/evidence.bundle")
    assert header.prerequisites == ()
    assert set(header.references) == {"HEAD", DESK}
    (report,) = kit.result.branches
    assert report.oldest is not None and report.oldest.entry.seq == 0
    assert report.newest is not None
    assert report.newest.entry.recorded_at <= "2026-03-02T00:30:00.000Z"
    assert report.entries < 15
    said = text(tmp_path / "kit", "DISCLOSURES.md")
    assert re.search(r"entries 0 to \d+ are older\. They are in the bundle because", said)


def test_what_was_proven_is_proven_of_the_kit_itself(whole: KitRig, tmp_path: Path) -> None:
    kit = whole.export(tmp_path / "kit")
    document = json.loads(text(tmp_path / "kit", "verification.json"))
    assert document["ok"] is True
    assert text(tmp_path / "kit", "verification.txt").startswith("VERIFIED")
    states = {(c.ref, c.subject): c.state.value for c in kit.result.claims}
    assert states[DESK, "witness"] == states[DESK, "time"] == "proven"
    assert states[DESK, "gaps"] == "proven"


def test_what_is_not_proven_is_disclosed(plain: KitRig, tmp_path: Path) -> None:
    assert plain.export(tmp_path / "kit").ok
    said = text(tmp_path / "kit", "DISCLOSURES.md")
    for missing in ("(witness)", "(time)", "(copies)"):
        assert f"- Not proven {missing}: " in said
    assert "No file of disclosures was given" in said
    assert "smile/desk: entries 0 to 11 lie in the period." in said


def test_a_control_shows_its_states_and_where_they_are_shown(plain: KitRig, tmp_path: Path) -> None:
    kit = plain.export(tmp_path / "kit", controls=(AUDIT, "hipaa:164.310(c)"))
    assert kit.empty == ("hipaa:164.310(c)",)
    found = rows(tmp_path / "kit", "hipaa-164.312.b")
    assert [(r["status"], r["first_entry"], r["last_entry"], r["runs"]) for r in found] == [
        ("pass", "1", "4", "4"),
        ("fail", "6", "6", "1"),
        ("unknown", "7", "7", "1"),
        ("pass", "8", "10", "3"),
    ]
    assert found[2]["detail"] == ('\'=cmd|"/c calc"!A1 #panic() ]] $x$ ?[31m? 漢 </td><script>')
    assert found[2]["first_sha256"] == _digest(plain, 7)
    (nothing,) = rows(tmp_path / "kit", "hipaa-164.310.c")
    assert nothing["record"] == "nothing"


def _digest(kit: KitRig, seq: int) -> str:
    with kit.rig.open() as ledger:
        (found,) = [r for r in ledger.entries() if r.entry.seq == seq]
        return found.digest


def test_hostile_words_can_be_set_on_paper(plain: KitRig, tmp_path: Path) -> None:
    plain.export(tmp_path / "kit", controls=(AUDIT, "x:1"), pdf=True)
    for name in ("hipaa-164.312.b", "x-1"):
        page = (tmp_path / f"kit/controls/{name}.pdf").read_bytes()
        assert page.startswith(b"%PDF-1.7")
        assert b"<pdfaid:part>2</pdfaid:part>" in page
        assert b"<pdfaid:conformance>A</pdfaid:conformance>" in page
    assert "漢" in HOSTILE


def test_a_gap_is_in_every_table_and_disclosed(plain: KitRig, tmp_path: Path) -> None:
    kit = copied(plain, tmp_path / "elsewhere")
    kit.rig.tick(600)
    with kit.rig.open() as ledger:
        kit.run(ledger, GOOD)
    made = kit.export(tmp_path / "kit", controls=(AUDIT, "x:1"))
    # The appliance did not say so itself, which is a fault of its own.
    assert [fault.code for fault in made.result.faults] == [Code.GAP]
    assert [fault.code for fault in made.source_faults] == [Code.GAP]
    assert not made.ok
    for name in ("hipaa-164.312.b", "x-1"):
        last = rows(tmp_path / "kit", name)[-1]
        assert (last["record"], last["last_entry"]) == ("gap", "12")
    said = text(tmp_path / "kit", "DISCLOSURES.md")
    assert "What is in this kit does NOT verify, 1 fault: gap" in said
    assert "no run for 10 h 20 min" in said


def test_a_witness_that_speaks_of_other_clinics_stays_out(tmp_path: Path) -> None:
    kit = told(tmp_path / "smile")
    elm = another(kit, tmp_path / "elm")
    hub = hub_of(kit)
    kit.enrol(hub)
    kit.witnessed(hub, elm)
    made = kit.export(tmp_path / "kit")
    assert made.ok, made.result.sentence
    held = files(tmp_path / "kit")
    assert set(read_bundle(tmp_path / "kit/evidence.bundle").references) == {"HEAD", DESK}
    names = [name for name, data in held.items() if b"elm" in data]
    assert names == ["keys/allowed_signers", "keys/fingerprints.txt"]
    states = {claim.subject: claim.state.value for claim in made.result.claims}
    assert states["witness"] == "proven"
    note = tmp_path / "kit/checkpoints/smile/desk/00000011.witness-hub.note"
    assert _with_note(tmp_path / "kit", note)["witness"] == "proven"
    said = text(tmp_path / "kit", "DISCLOSURES.md")
    assert "The ledgers of witness/hub speak of other clinics' logs" in said
    assert "2 of its names have no branch" in said


def _with_note(kit: Path, note: Path) -> dict[str, str]:
    """What an auditor finds with the kit alone, and a note of it."""
    repository = kit.parent / "clone.git"
    assert git(kit, "clone", "-q", "--bare", "evidence.bundle", str(repository)).returncode == 0
    said = (Saying(Place(path=note.name), note.read_text()),)
    result = verify(repository, load_signers(kit / "keys/allowed_signers"), extra=Extra(said=said))
    assert result.ok, result.sentence
    return {claim.subject: claim.state.value for claim in result.claims}


def test_a_note_that_the_auditor_was_given_goes_along(tmp_path: Path) -> None:
    kit = told(tmp_path / "smile")
    hub = hub_of(kit)
    kit.enrol(hub)
    kit.witnessed(hub)
    note = next(str(body["note"]) for kind, body in hub.entries() if kind.value == "cosignature")
    assert kit.rig.git("update-ref", "-d", HUB).returncode == 0
    extra = Extra(said=(Saying(Place(path="seen"), note),))
    made = kit.export(tmp_path / "kit", extra=extra)
    assert made.result.testimonies[DESK].cosigned[0].size == 11
    assert text(tmp_path / "kit", "checkpoints/smile/desk/00000011.witness-hub.note") == note
    # Of a shorter kit it says nothing: it is about entries that are not in it.
    short = kit.export(tmp_path / "short", end="2026-03-02T00:30:00Z", extra=extra)
    assert short.ok and not short.result.testimonies[DESK].cosigned


def test_a_witness_whose_clock_is_behind_does_not_spoil_a_kit(tmp_path: Path) -> None:
    kit = told(tmp_path / "smile")
    kit.clock.at = kit.clock.at.replace(day=2, hour=0, minute=10)
    hub = hub_of(kit)
    kit.enrol(hub)
    kit.witnessed(hub)
    made = kit.export(tmp_path / "kit", end="2026-03-02T00:30:00Z")
    assert made.ok, made.result.sentence
    heads = {report.ref: report.entries for report in made.result.branches}
    # It vouched for eleven entries when five were in the period: only its genesis is left.
    assert heads[HUB] == 1 and heads[DESK] < 11


def test_only_who_was_asked_for_is_in_it(tmp_path: Path) -> None:
    kit = told(tmp_path / "smile")
    elm = another(kit, tmp_path / "elm")
    spec = "refs/heads/elm/desk:refs/heads/elm/desk"
    assert kit.rig.git("fetch", "-q", str(elm), spec).returncode == 0
    (kit.path / "FETCH_HEAD").unlink()
    for name, wanted in {
        "both": ({}, {DESK, "refs/heads/elm/desk"}),
        "clinic": ({"client": "smile"}, {DESK}),
        "host": ({"client": "elm", "host": "desk"}, {"refs/heads/elm/desk"}),
    }.items():
        assert kit.export(tmp_path / name, **wanted[0]).ok
        header = read_bundle(tmp_path / name / "evidence.bundle")
        assert set(header.references) == {"HEAD", *wanted[1]}
    early = {"start": "2026-02-01", "end": "2026-02-28"}
    for wrong in ({"client": "oak"}, {"client": "smile", "host": "x"}, early):
        with pytest.raises(InputError, match="no appliance that was asked for"):
            kit.export(tmp_path / "kit", **wrong)  # type: ignore[arg-type]


def test_an_appliance_that_began_later_is_left_out_and_named(tmp_path: Path) -> None:
    kit = told(tmp_path / "smile")
    elm = another(kit, tmp_path / "elm", days=40)
    spec = "refs/heads/elm/desk:refs/heads/elm/desk"
    assert kit.rig.git("fetch", "-q", str(elm), spec).returncode == 0
    (kit.path / "FETCH_HEAD").unlink()
    assert kit.export(tmp_path / "kit").ok
    said = text(tmp_path / "kit", "DISCLOSURES.md")
    assert "Without an entry up to the end of the period, and left out: elm/desk." in said


def test_what_is_wrong_with_the_repository_is_in_the_kit(plain: KitRig, tmp_path: Path) -> None:
    kit = copied(plain, tmp_path / "elsewhere")
    tip = kit.rig.git("rev-parse", DESK).stdout.strip()
    assert kit.rig.git("update-ref", "refs/replace/" + "a" * 40, tip).returncode == 0
    made = kit.export(tmp_path / "kit")
    assert made.result.ok and not made.ok
    assert [fault.code for fault in made.source_faults] == [Code.UNKNOWN_REF]
    said = text(tmp_path / "kit", "DISCLOSURES.md")
    assert "The repository that this kit was taken from does NOT verify, 1 fault" in said
    found = text(tmp_path / "kit", "verification.txt")
    assert "NOT VERIFIED: The repository" in found and "unknown-ref at" in found
    document = json.loads(text(tmp_path / "kit", "verification.json"))
    assert (document["ok"], document["source"]["ok"]) == (True, False)
    assert [fault["code"] for fault in document["source"]["faults"]] == ["unknown-ref"]


def test_what_is_wrong_with_another_clinic_is_not(tmp_path: Path) -> None:
    kit = told(tmp_path / "smile")
    elm = another(kit, tmp_path / "elm")
    spec = "refs/heads/elm/desk:refs/heads/elm/desk"
    assert kit.rig.git("fetch", "-q", str(elm), spec).returncode == 0
    (kit.path / "FETCH_HEAD").unlink()
    # Nobody may sign for it any more.
    kit.rig.signers_file.write_text(kit.rig.signers_file.read_text().splitlines()[0] + "\n")
    assert kit.export(tmp_path / "kit", client="smile").ok
    with pytest.raises(LedgerDamaged):
        kit.export(tmp_path / "all")


def test_a_history_that_does_not_verify_makes_no_kit(plain: KitRig, tmp_path: Path) -> None:
    kit = copied(plain, tmp_path / "elsewhere")
    blob = kit.rig.git("rev-parse", f"{DESK}~4:entries").stdout.strip()
    (kit.path / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(EvidenceError):
        kit.export(tmp_path / "kit")
    assert list(tmp_path.iterdir()) == [tmp_path / "elsewhere"]


def test_findings_that_cannot_be_read_make_no_kit(tmp_path: Path) -> None:
    (tmp_path / "smile").mkdir()
    rig = filled(tmp_path / "smile")
    with pytest.raises(EvidenceError, match="does not read as a run"):
        KitRig(rig).export(tmp_path / "kit")
    assert list(tmp_path.iterdir()) == [tmp_path / "smile"]


def test_nothing_is_written_over(plain: KitRig, tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("kit", "link"):
        with pytest.raises(InputError, match="is there already"):
            plain.export(tmp_path / name)
    with pytest.raises(MachineError, match="there is no directory"):
        plain.export(tmp_path / "no" / "kit")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kit", "link"]


@pytest.mark.parametrize("limit", [64, 2_000, 7_000])
def test_a_disk_that_is_full_leaves_nothing(plain: KitRig, tmp_path: Path, limit: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    wanted = plain.wanted(controls=(AUDIT,), pdf=True)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        with pytest.raises(MachineError, match="cannot write"):
            export(wanted, tmp_path / "kit")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_page_needs_the_extra_and_says_so_before_anything_is_done(
    plain: KitRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(MachineError) as caught:
        plain.export(tmp_path / "kit", controls=(AUDIT,), pdf=True)
    assert "pip install 'reconciler[pdf]'" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
    plain.export(tmp_path / "kit", pdf=True)
    plain.export(tmp_path / "csv", controls=(AUDIT,))
    assert not [name for name in files(tmp_path / "csv") if name.endswith(".pdf")]


def test_signers_that_are_none_are_refused(plain: KitRig, tmp_path: Path) -> None:
    for file in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError):
            plain.export(tmp_path / "kit", signers_file=file)
    windowed = tmp_path / "signers"
    line = plain.rig.signers_file.read_text().split(" ", 1)
    windowed.write_text(
        f'smile/desk namespaces="git",valid-after="20260101Z",valid-before="20270101Z" '
        f"{line[1].split(' ', 1)[1].strip()} ledger:0-\n"
    )
    plain.export(tmp_path / "kit", signers_file=windowed)
    (found,) = text(tmp_path / "kit", "keys/fingerprints.txt").splitlines()
    assert found.endswith(
        "valid-after=2026-01-01T00:00:00Z valid-before=2027-01-01T00:00:00Z entries=0-"
    )
