from dataclasses import dataclass

from reconciler.evidence.fault import Code, Fault, Place
from reconciler.report.audit import SHOWN, as_document, render


@dataclass(frozen=True)
class Swept:
    files: int = 9
    unreferenced: int = 0


@dataclass(frozen=True)
class Result:
    ok: bool
    sentence: str
    faults: tuple[Fault, ...] = ()
    branches: tuple = ()  # type: ignore[type-arg]
    sweep: Swept = Swept()


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
