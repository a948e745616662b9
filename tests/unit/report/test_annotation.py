import pytest

from reconciler.errors import InputError
from reconciler.evidence.entry import Reference
from reconciler.report.annotation import body, check_text

ABOUT = Reference(42, "a" * 64)

FINE = [
    "The disk was replaced; the unit is healthy again.",
    "See entry 42 and intent 12345678.",
    "Entries 5 to 9 were written while the clock was wrong by 90 s.",
    "RB-SERVICE-001 lied; LNX-AVL-002 shows it. Covers 164.312(a)(2)(iii).",
    f"Superseded by commit {'0a' * 20} of the fleet repository.",
    "Port 443 was closed, 12 of 14 checks pass.",
    "Workstation desk-3 was rebuilt.",
]
PHI = [
    "SSN 123-45-6789",
    "his number is 123 45 6789",
    "123456789",
    "born 03/04/1980",
    "seen on 2026-03-01",
    "seen on 1.3.2026",
    "seen in March 2026",
    "seen 3 Mar",
    "on Mar 3rd",
    "since 1980",
    "call (555) 123-4567",
    "call 555-123-4567",
    "call 555.123.4567",
    "call +441234567890",
    "write to jane@clinic.example",
    "see https://portal.example/x?id=7",
    "see www.clinic.example",
    "MRN 00123",
    "chart number A12",
    "record #12345",
    "Patient Miller called",
    "the patients wait",
    "DOB unknown",
    "aged 93",
    "diagnosis was wrong",
    "member ID 7",
    "4111 1111 1111 1111",
    "account AB1234567",
]


@pytest.mark.parametrize("text", FINE)
def test_what_a_person_needs_to_say_can_be_said(text: str) -> None:
    assert body(ABOUT, text, "security officer") == {
        "about": {"seq": 42, "sha256": "a" * 64},
        "text": text,
        "by": "security officer",
    }


@pytest.mark.parametrize("text", PHI)
def test_what_may_name_a_patient_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="nothing was signed") as caught:
        check_text(f"Note: {text}.")
    assert text not in str(caught.value), "an error message must not repeat it"
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "x" * 501,
        "two\nlines",
        "tab\there",
        "bell\x07",
        "caf\u00e9",
        "a\u202eb",
        "\u0430bc",
    ],
    ids=repr,
)
def test_only_short_plain_printable_text(text: str) -> None:
    with pytest.raises(InputError):
        check_text(text)


@pytest.mark.parametrize("by", ["", "x" * 65, "a@b", "Robert'); --", "J. 1980", "born", "\u00e9"])
def test_who_says_it_is_a_name_or_a_role(by: str) -> None:
    with pytest.raises(InputError):
        body(ABOUT, "fine", by)
    assert body(ABOUT, "fine", "J. O'Neil, security officer")["by"]
