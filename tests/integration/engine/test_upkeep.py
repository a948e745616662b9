"""What keeps the evidence, end to end: everything at work, nothing in reach, and what is said."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler import RunReport, reconcile
from reconciler.engine.doctor.evidence import diagnose_evidence
from reconciler.engine.past import recall
from reconciler.engine.session import Options
from reconciler.engine.upkeep.witnesses import LedgerProofs
from reconciler.evidence.claims import State
from reconciler.evidence.entry import Kind
from reconciler.evidence.merkle import leaf_hash
from reconciler.evidence.merkle_tree import Tree
from reconciler.ledger.verify import Verification, load_signers, verify
from reconciler.ledger.worm.store import WormStore
from reconciler.model.diagnosis import Diagnosis
from tests.support.drill import break_sysctl
from tests.support.ledger_rig import git
from tests.support.rigs import rig
from tests.support.seaweed import Seaweed, seaweed
from tests.support.tsa import Tsa, missing
from tests.support.vouched_site import (
    NOBODY,
    REF,
    Site,
    evidence_yaml,
    plain_site,
    vouched_site,
)

pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]
__all__ = ["seaweed"]

DAY, HOUR = 86_400.0, 3600.0


def audit(site: Site, repository: Path, **brought: object) -> Verification:
    from reconciler.ledger.extra import Extra

    extra = Extra(**brought)  # type: ignore[arg-type]
    return verify(repository, load_signers(Path(site.drill.site.signers)), extra=extra)


def doctor(site: Site) -> dict[str, Diagnosis]:
    found = diagnose_evidence(site.home, site.drill.clock.at)
    return {diagnosis.subject: diagnosis for diagnosis in found}


def test_a_daemon_keeps_its_evidence_in_every_way_and_an_auditor_finds_all_of_it(
    tmp_path: Path, seaweed: Seaweed
) -> None:
    rig("time stamping authority", missing())
    with vouched_site(tmp_path, seaweed) as site:
        assert site.server is not None
        assert site.calendar is not None
        mined = site.calendar.mine

        def between(number: int) -> None:
            if number == 6:
                mined()
                site.drill.clock.pass_time(HOUR)

        site.serve(10, between)
        assert site.errors == []
        # What was sealed when the daemon ended is pushed by the next run.
        assert site.drill.run().problems == ()
        kinds = site.kinds()
        seen = doctor(site)
        tip = git(Path(site.drill.site.evidence), "rev-parse", REF).stdout
        assert git(site.server.path, "rev-parse", REF).stdout == tip
        settings = seaweed.settings("kept/", name="reader")
        with WormStore(settings) as store:
            found = audit(
                site, site.server.path, trust=site.trust(), store=store, now=site.drill.clock.at
            )

    assert found.ok, found.sentence
    assert kinds.count("cosignature") == kinds.count("checkpoint") >= 3
    assert kinds.count("anchor") == 3, "the authority's, the calendar's promise, and the whole"
    assert kinds.count("copy") == 1
    proven = {claim.subject for claim in found.claims if claim.state is State.PROVEN}
    assert {"witness", "time", "copies"} <= proven, found.claims
    (testimony,) = found.testimonies.values()
    assert {one.witness for one in testimony.cosigned} == {"witness/hub"}
    (anchored,) = found.anchored.values()
    assert {w.proof.method.value for w in anchored.weighed if w.proof.proven} == {
        "opentimestamps",
        "rfc3161",
    }
    assert {name: one.state for name, one in seen.items()} == {
        "signing key": "ok",
        "checkpoint": "ok",
        "evidence remote": "ok",
        "anchors": "ok",
        "copies": "ok",
        "packs": "ok",
        "sealing": "ok",
        "witness/hub": "ok",
    }
    assert "holds everything" in seen["evidence remote"].detail
    assert "pending" not in seen["anchors"].detail


@contextmanager
def alone(tmp_path: Path) -> Iterator[Site]:
    """An appliance that asks for everything and reaches nobody."""
    site = plain_site(tmp_path)
    tsa = Tsa(tmp_path / "tsa")
    for name in ("writer.id", "writer.secret"):
        (tsa.directory / name).write_text("writer\n")
        (tsa.directory / name).chmod(0o600)
    site.ask(evidence_yaml(roots=tsa.directory / "root.pem", endpoint=NOBODY))
    yield site


def test_with_no_network_at_all_runs_go_on_and_everything_is_said(tmp_path: Path) -> None:
    rig("time stamping authority", missing())
    with alone(tmp_path) as site:
        site.serve(4)
        first = list(site.errors)
        site.said.clear()
        break_sysctl(site.drill.machine)
        # In steps that are no gap: only upkeep is late.
        site.drill.clock.pass_time(4 * DAY)
        site.serve(1)
        later = list(site.errors)
        seen = doctor(site)

    parts = {error.split(":")[0] for error in first}
    assert parts == {"witness/hub", "anchors", "copies", "push"}
    assert any("no whole proof has come since" in error for error in later)
    assert {"witness/hub", "anchors", "copies", "push"} <= {e.split(":")[0] for e in later}
    assert [o.result for o in site.reports[-1].outcomes] == ["healed"]
    assert not {"cosignature", "anchor", "copy"} & set(site.kinds())
    assert "checkpoint" in site.kinds()
    assert site.drill.verify().ok, site.drill.verify().sentence
    limited = {name for name, one in seen.items() if one.state == "limited"}
    assert limited == {"evidence remote", "witness/hub", "anchors", "copies"}
    assert all(one.hint for one in seen.values() if one.state == "limited")


def test_what_nobody_asked_for_is_absent_and_never_in_a_report(tmp_path: Path) -> None:
    site = plain_site(tmp_path)
    site.serve(3)

    assert site.errors == []
    seen = doctor(site)
    absent = {name for name, one in seen.items() if one.state == "absent"}
    assert absent == {"evidence remote", "witnesses", "anchors", "copies", "sealing"}
    assert not (site.drill.site.directory / "state/evidence-push.json").exists()


def test_a_dry_run_asks_nobody(tmp_path: Path) -> None:
    rig("time stamping authority", missing())
    with alone(tmp_path) as site:
        report = site.drill.run(dry_run=True)

    assert report.problems == ()
    assert not (site.drill.site.directory / "state/upkeep.json").exists()
    assert site.kinds() == ["genesis"]


def test_upkeep_ends_between_parts_when_the_end_is_asked_for(tmp_path: Path) -> None:
    rig("time stamping authority", missing())
    passed: list[str] = []
    with alone(tmp_path) as site, site.drill.open() as appliance:
        options = Options(hook=passed.append, stopping=lambda: "upkeep:witnesses" in passed)
        site.drill.clock.pass_time(HOUR)
        report = reconcile(appliance, options)

    assert isinstance(report, RunReport)
    assert [name for name in passed if name.startswith("upkeep:")] == [
        "upkeep:checkpoint",
        "upkeep:witnesses",
    ]


def test_a_start_reads_what_upkeep_needs_from_the_newest_run(tmp_path: Path) -> None:
    """Anchors, copies and cosignatures of months are not read again."""
    rig("time stamping authority", missing())
    with vouched_site(tmp_path) as site:
        site.serve(4)
        site.drill.clock.pass_time(DAY)
        site.serve(4)
        with site.drill.open() as appliance:
            live = appliance.past.kept
            newest = [r for r in site.drill.records() if r.entry.kind is Kind.RUN]
            assert recall(appliance.ledger).kept == live

    assert live.checkpoint is not None
    assert set(live.cosigned) == {"witness/hub"}
    assert {mark.authority for mark in live.anchors} == {"alpha", "bitcoin"}
    full = [r.entry for r in newest if not r.entry.slim][-1]
    assert set(full.body["upkeep"]) == {"checkpoint", "cosigned", "anchors", "copied"}
    assert len(full.body["upkeep"]["anchors"]) <= 4


def test_growth_is_proven_from_any_size_without_what_is_older(tmp_path: Path) -> None:
    site = plain_site(tmp_path)
    site.serve(9)
    with site.drill.open() as appliance:
        ledger = appliance.ledger
        digests = [r.digest for r in ledger.entries(newest_first=False)]
        tree = Tree(leaf_hash(bytes.fromhex(digest)) for digest in digests)
        for size in (len(digests), len(digests) - 2):
            proofs = LedgerProofs(ledger, size)
            for old in range(size + 1):
                assert tuple(proofs(old)) == tree.consistency_proof(old, size), (old, size)


def test_a_long_ledger_is_copied_in_portions_that_make_it_whole(
    tmp_path: Path, seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig("time stamping authority", missing())
    monkeypatch.setattr("reconciler.engine.upkeep.copies.PORTION", 4)
    site = plain_site(tmp_path)
    site.serve(10)
    asked = evidence_yaml(roots=tmp_path / "x", seaweed=seaweed)
    site.ask(asked[asked.index("  copies:") :].replace("kept/", "portions/"))
    site.serve(6)
    assert site.errors == []
    assert "copy" in site.kinds()
    with WormStore(seaweed.settings("portions/", name="reader")) as store:
        found = audit(site, Path(site.drill.site.evidence), store=store, now=site.drill.clock.at)

    assert found.ok, found.sentence
    (copied,) = [claim for claim in found.claims if claim.subject == "copies"]
    assert copied.state is State.PROVEN, copied.sentence
    spans = [body["covers"] for body in site.drill.bodies("copy")]
    assert [span["to"] - span["from"] + 1 for span in spans[:2]] == [4, 4]
    assert [after["from"] for after in spans[1:]] == [span["to"] + 1 for span in spans[:-1]]


def test_entries_that_a_server_lost_come_back_and_are_said(tmp_path: Path) -> None:
    rig("time stamping authority", missing())
    with vouched_site(tmp_path) as site:
        assert site.server is not None
        site.serve(3)
        git(site.server.path, "update-ref", REF, f"{REF}~1")
        site.drill.clock.pass_time(2 * HOUR)
        site.serve(1)
        tip = git(Path(site.drill.site.evidence), "rev-parse", REF).stdout
        assert git(site.server.path, "rev-parse", REF).stdout == tip

    assert [error for error in site.errors if "had lost" in error]


def test_an_alarm_is_said_until_the_part_comes_about(tmp_path: Path) -> None:
    rig("time stamping authority", missing())
    with vouched_site(tmp_path) as site:
        good = site.settings.read_text()
        site.serve(5)
        assert site.errors == []
        lines = good.splitlines()
        at = next(n for n, line in enumerate(lines) if "name: hub" in line)
        lines[at + 1] = f"      url: {NOBODY}"
        site.settings.write_text("\n".join(lines) + "\n")
        site.drill.clock.pass_time(2 * DAY)
        site.serve(4)
        silent = [error for error in site.errors if error.startswith("witness/hub")]
        site.said.clear()
        site.settings.write_text(good)
        site.drill.clock.pass_time(HOUR)
        site.serve(1)

    assert "does not answer" in silent[0]
    assert any("last came about" in error and "2 days ago" in error for error in silent[1:])
    assert site.errors == []


def test_many_loose_objects_are_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reconciler.engine.upkeep import packing

    monkeypatch.setattr(packing.packs, "due", lambda _path: True)
    site = plain_site(tmp_path)
    site.serve(3)
    packed = git(Path(site.drill.site.evidence), "count-objects", "-v").stdout

    assert "count: 0" in packed
    assert site.errors == []
    assert site.drill.verify().ok, site.drill.verify().sentence
