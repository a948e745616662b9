"""Known limitations: dated, written by people, read strictly."""

from pathlib import Path

import pytest

from reconciler.errors import InputError
from reconciler.report.disclosures import MAX_BYTES, MOST, Disclosure, page, parse

ROOT = Path(__file__).resolve().parents[3]
TEXT = """\
# Disclosures

Explanation.

## 2026-03-01 The firewall check was wrong

From 2026-02-10 on.
\tUntil 1.4.1.

## 2026-04-02 Copies were late
Two days.
"""


def test_a_disclosure_has_a_day_a_title_and_words() -> None:
    assert parse(TEXT.encode(), "f") == (
        Disclosure(
            "2026-03-01",
            "The firewall check was wrong",
            ("From 2026-02-10 on.", "?Until 1.4.1."),
        ),
        Disclosure("2026-04-02", "Copies were late", ("Two days.",)),
    )


def test_the_template_discloses_nothing() -> None:
    assert parse((ROOT / "evidence-repo/DISCLOSURES.md").read_bytes(), "f") == ()


def test_the_example_of_the_template_is_a_disclosure() -> None:
    lines = (ROOT / "evidence-repo/DISCLOSURES.md").read_text().splitlines()
    example = [line[4:] for line in lines if line.startswith("    ")]
    (one,) = parse("\n".join(example).encode(), "f")
    assert one.day == "2026-03-01"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("## The firewall\nwords\n", "f:1: heading '## The firewall' has no date"),
        ("## 2026-02-30 Title\nwords\n", "2026-02-30 is not in the calendar"),
        ("## 2026-02-03\nwords\n", "has no date"),
        ("## 2026-02-03 Title\n\n \n", "nothing is disclosed"),
        ("### 2026-02-03 Title\nwords\n", "is not that of a disclosure"),
        ("## 2026-02-03 Title\nwords\n# Other\n", "f:3: heading '# Other' is not"),
        ("##2026-02-03 Title\nwords\n", "is not that of a disclosure"),
        ("x" * (MAX_BYTES + 1), "too long"),
        ("## 2026-02-03 Title\nwords\n" * (MOST + 1), "more than"),
    ],
)
def test_what_is_not_clear_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text.encode(), "f")
    assert message in str(caught.value)
    assert caught.value.hint
    with pytest.raises(InputError, match="UTF-8"):
        parse(b"\xff", "f")


def test_the_page_holds_both_parts() -> None:
    text = page(parse(TEXT.encode(), "f"), ["One thing.", "Another."]).decode()
    assert "### 2026-03-01 The firewall check was wrong\n\nFrom 2026-02-10 on." in text
    assert "Explanation" not in text
    assert text.endswith("- One thing.\n- Another.\n")


def test_no_file_and_an_empty_file_are_different_things() -> None:
    assert "No file of disclosures was given" in page(None, []).decode()
    assert "names none" in page((), []).decode()


def test_what_entries_say_is_no_markup() -> None:
    said = "<script>x</script> [a](http://x.invalid) `c`\n## 2026-01-01 Forged\x1b[1m"
    text = page((), [said]).decode()
    line = text.splitlines()[-1]
    assert line.startswith("- \\<script>x\\</script> \\[a](http://x.invalid) \\`c\\`")
    assert "\n## 2026" not in text and "\x1b" not in text
