"""The page on how to check: nothing of a ledger becomes a command on it."""

import re
from dataclasses import replace

import pytest

from reconciler.errors import EvidenceError
from reconciler.report.kit_page import Checked, Stamped, page

DESK = Checked("smile/desk", "a" * 40, 42, "20260331235900Z")
HUB = Checked("witness/hub", "b" * 40, 7, "20260331235959Z")
STAMP = Stamped(
    branch="smile/desk",
    seq=40,
    note="checkpoints/smile/desk/00000040.note",
    token="checkpoints/smile/desk/00000040.alpha.tsr",
    root="roots/tsa/alpha.pem",
    at=1774000000,
)


def blocks(text: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_every_branch_is_counted_and_nothing_is_left_to_fill_in() -> None:
    text = page([DESK, HUB], [STAMP]).decode()
    assert "# 42 times: G smile/desk" in text and "# 7 times: G witness/hub" in text
    for word in ("BRANCH", "ENTRIES", "TIP", "TIME", "NOTE ", "TOKEN ", "ROOT", "SECONDS", "SEQ"):
        assert not re.search(rf"\b{word}", "".join(blocks(text))), word
    assert "-attime 1774000000" in text
    assert "'^checkpoint 40 on '" in text
    assert len(blocks(text)) == 8


def test_without_time_stamps_it_says_so() -> None:
    assert "holds no time stamp" in page([DESK]).decode()
    for changes in ({"root": None}, {"at": None}):
        text = page([DESK], [replace(STAMP, **changes)]).decode()  # type: ignore[arg-type]
        assert "holds no time stamp of an authority that openssl could check" in text
        assert "could not be checked with what was given" in text
        assert "openssl ts" not in "".join(blocks(text))


@pytest.mark.parametrize(
    "name", ["smile/desk; rm -rf ~", "$(id)", "a b", "", "-n", "a'b", "a\nb", "é/x", 'a"b']
)
def test_a_name_that_is_no_plain_word_is_no_part_of_a_command(name: str) -> None:
    with pytest.raises(EvidenceError, match="cannot be part of a command"):
        page([replace(DESK, name=name)])
    with pytest.raises(EvidenceError, match="cannot be part of a command"):
        page([DESK], [replace(STAMP, token=name)])
    with pytest.raises(EvidenceError, match="cannot be part of a command"):
        page([replace(DESK, tip=name)])
