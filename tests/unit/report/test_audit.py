from dataclasses import dataclass

from reconciler.evidence.claims import Claim, State
from reconciler.evidence.fault import Code, Fault, Place
from reconciler.report.audit import SHOWN, as_document, render


@dataclass(frozen=True)
class Swept:
    files: int = 9
    skipped: int = 0
    unreferenced: int = 0


@dataclass(frozen=True)
class Result:
    ok: bool
    sentence: str
    faults: tuple[Fault, ...] = ()
    branches: tuple = ()  # type: ignore[type-arg]
    sweep: Swept = Swept()
    claims: tuple[Claim, ...] = ()


def fault(number: int) -> Fault:
    return Fault(Code.CHAIN, Place(seq=number), f"link {number} does not fit")


def test_what_was_proven_is_one_line_first() -> None:
    text = render(Result(True, "3 entries verify"))

    assert text.splitlines()[0] == "VERIFIED: 3 entries verify"


def test_every_fault_has_its_place_and_a_flood_is_counted() -> None:
    faults = tuple(fault(number) for number in range(SHOWN + 5))
    text = render(Result(False, f"does NOT verify, {len(faults)} faults", faults))

    assert text.startswith(f"NOT VERIFIED: {SHOWN + 5} faults")
    assert "seq 0: link 0 does not fit" in text
    assert "… and 5 more (--json shows all)" in text


def test_leftovers_of_a_crash_are_a_note_not_a_fault() -> None:
    text = render(Result(True, "fine", sweep=Swept(unreferenced=4)))

    assert "note: 4 sound objects that nothing refers to" in text


def test_the_document_holds_every_fault() -> None:
    document = as_document(Result(False, "no", (fault(7),)))

    assert document["ok"] is False
    assert document["faults"] == [
        {"code": "chain", "commit": None, "seq": 7, "path": None, "message": "link 7 does not fit"}
    ]


def test_what_is_not_proven_is_read_as_such() -> None:
    claims = (
        Claim("runs", State.PROVEN, "9 runs", "refs/heads/smile/desk"),
        Claim("witness", State.NOT_PROVEN, "no witness", "refs/heads/smile/desk"),
    )
    result = Result(True, "fine", claims=claims)

    lines = render(result).splitlines()
    assert lines[1:4] == ["smile/desk:", "  proven      9 runs", "  NOT PROVEN  no witness"]
    document = as_document(result)
    assert document["unproven"] == 1
    assert [claim["state"] for claim in document["claims"]] == ["proven", "not-proven"]
