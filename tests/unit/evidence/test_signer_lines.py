import pytest

from reconciler.errors import InputError
from reconciler.evidence import signers
from reconciler.evidence.signer_lines import added, appliance_line, closed
from tests.support.key_records import FIRST, SECOND, THIRD, line, public

FILE = "evidence_signers"
HEAD = "# appliances of elm\n\n"
OLD = line("elm/front", FIRST, 'namespaces="git"', "front desk")
OTHER = line("elm/back", THIRD, 'namespaces="git",valid-after="20260101Z"')
BEFORE = (HEAD + OLD + OTHER).encode()


def test_a_line_is_added_at_the_end() -> None:
    after = added(BEFORE, FILE, appliance_line("elm/front", public(SECOND), 42))
    assert after.startswith(BEFORE)
    new = signers.parse(after, FILE).signers[-1]
    assert (new.principal, new.public, new.positions) == ("elm/front", public(SECOND), (42, None))
    assert new.namespaces == ("git",)


def test_a_first_key_begins_with_the_ledger() -> None:
    text = added(b"", FILE, appliance_line("elm/front", public(FIRST)))
    assert text.decode() == line("elm/front", FIRST, 'namespaces="git"')


def test_a_file_without_a_last_newline_gets_one() -> None:
    after = added(BEFORE.rstrip(), FILE, appliance_line("elm/front", public(SECOND)))
    assert after.count(b"\n") == 5


def test_a_listed_key_is_not_listed_twice() -> None:
    assert added(BEFORE, FILE, appliance_line("elm/front", public(FIRST), 7)) == BEFORE


def test_a_key_of_somebody_else_is_refused() -> None:
    with pytest.raises(InputError, match="listed for another"):
        added(BEFORE, FILE, appliance_line("elm/back", public(FIRST)))


def test_closing_changes_only_the_lines_of_that_key() -> None:
    after = closed(BEFORE, FILE, public(FIRST), 41)
    changed = line("elm/front", FIRST, 'namespaces="git"', "ledger:0-41 front desk")
    assert after.decode() == HEAD + changed + OTHER


def test_a_note_takes_the_place_of_the_comment() -> None:
    after = closed(BEFORE, FILE, public(FIRST), 41, "revoked: stolen")
    assert b"ledger:0-41 revoked: stolen\n" in after
    assert b"front desk" not in after


def test_a_range_is_only_made_shorter() -> None:
    short = line("elm/front", FIRST, "", "ledger:3-9").encode()
    assert closed(short, FILE, public(FIRST), 41) == short
    assert signers.parse(closed(short, FILE, public(FIRST), 5), FILE).signers[0].positions == (3, 5)


def test_a_range_that_would_be_empty_becomes_a_comment() -> None:
    late = line("elm/front", FIRST, "", "ledger:30-").encode()
    after = closed(OTHER.encode() + late, FILE, public(FIRST), 9, "stolen")
    assert [signer.public for signer in signers.parse(after, FILE).signers] == [public(THIRD)]
    assert b"# revoked (stolen): elm/front ssh-ed25519" in after
    assert b"# revoked" in closed(BEFORE, FILE, public(FIRST), -1)


def test_every_line_of_the_key_is_closed() -> None:
    text = line("elm/front", FIRST, "", "ledger:0-9") + line("elm/front", FIRST, "", "ledger:20-")
    after = signers.parse(closed(text.encode(), FILE, public(FIRST), 25), FILE)
    assert [signer.positions for signer in after.signers] == [(0, 9), (20, 25)]


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(InputError, match=r"SHA256:.* is not listed"):
        closed(BEFORE, FILE, public(SECOND), 41)


def test_a_note_cannot_smuggle_a_line() -> None:
    smuggled = f"x\n{line('mallory', SECOND)}"
    for note in (smuggled, "ledger:0-99", "x" * 201, "é"):
        with pytest.raises(InputError):
            closed(BEFORE, FILE, public(FIRST), 41, note)
