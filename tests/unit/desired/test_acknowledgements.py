"""An acknowledgement is of one client, and once its day is over somebody is told."""

from datetime import UTC, date, datetime, timedelta

from reconciler.desired import layout, tree
from reconciler.desired.ending import ending, notices
from reconciler.desired.fleet import read_fleet
from reconciler.desired.resolve import resolve
from reconciler.report.acknowledgement_file import acknowledgement_path, acknowledgement_text
from reconciler.trust import statements
from tests.support.policy import CHECKS, base_files

LOOKED = datetime(2026, 11, 26, 6, 30, 5, tzinfo=UTC)
FINGERPRINT, UNTIL = "0123456789ab" + "c" * 52, date(2026, 11, 27)
PATH = acknowledgement_path("clinic", FINGERPRINT)


def files(note: str | None = "the vendor is\non it: #1"):
    text = acknowledgement_text(
        fingerprint=FINGERPRINT,
        by="alice@msp.example",
        until=UNTIL,
        looked_at=LOOKED,
        note=note,
    )
    return {**base_files(), PATH: text.encode()}


def state(found):
    return resolve(
        read_fleet(found), "clinic", "desk", commit="c" * 40, tree="7" * 40, checks=CHECKS
    )


def test_what_the_command_writes_reads_back():
    (said,) = state(files()).acknowledgements

    assert (said.id, said.incident, said.until) == ("incident-0123456789ab", FINGERPRINT, UNTIL)
    assert (said.note, said.looked_at) == ("the vendor is\non it: #1", LOOKED)
    assert state(files(None)).acknowledgements[0].note is None
    assert state(files()).plan_digest == state(base_files()).plan_digest, "it changes no plan"


def test_it_is_told_when_its_day_is_over_and_not_before():
    found = read_fleet(files())
    mine = [p for p in ending(found, UNTIL) if p.where.file == PATH]
    assert mine == []
    assert not [one for one in notices(state(files()), UNTIL) if "acknowledgement" in one]

    after = UNTIL + timedelta(days=1)
    (problem,) = [p for p in ending(found, after) if p.where.file == PATH]
    assert (problem.severity, problem.message) == ("warning", "was good until 2026-11-27")
    assert "acknowledgement incident-0123456789ab was good until 2026-11-27" in notices(
        state(files()), after
    )


def test_the_roots_that_are_read_from_a_commit_are_those_that_documents_have():
    assert set(tree.ROOTS) == set(layout.ROOTS) == set(statements.FILES_ROOTS)


def test_it_is_no_policy_so_what_people_approved_stays_the_same():
    assert state(files()).digest == state(base_files()).digest
