"""What may be asked for: control ids and nothing else."""

import pytest

from reconciler.errors import InputError
from reconciler.report.asked import MAX_BYTES, MOST, asked, file_names, parse_ask

AUDIT = "hipaa:164.312(b)"


def test_a_request_names_controls_one_a_line() -> None:
    text = f"# from the letter of 3 March\n\n  {AUDIT}  \r\nsoc2:CC6.1\n{AUDIT}\n"
    lines = parse_ask(text.encode(), "letter.txt")
    assert asked(["soc2:CC6.1", "pci:1.2.3"], lines) == (AUDIT, "pci:1.2.3", "soc2:CC6.1")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hipaa:164.312(b)\n../../etc/passwd\n", "letter.txt:2: '../../etc/passwd' is no control"),
        (b"hipaa\n", "is no control id"),
        (b"hipaa:\n", "is no control id"),
        (b"HIPAA:1\n", "is no control id"),
        (b"hipaa:1 2\n", "is no control id"),
        (b"hipaa:" + b"1" * 80, "is no control id"),
        (b"# nothing\n", "names no control"),
        (b"\xff\n", "not UTF-8"),
        (b"#" * (MAX_BYTES + 1), "too large"),
    ],
)
def test_a_request_that_is_none_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_ask(data, "letter.txt")
    assert message in str(caught.value)
    assert caught.value.hint


def test_the_command_line_is_read_as_strictly() -> None:
    with pytest.raises(InputError, match="is no control id"):
        asked(["hipaa:164.312(b)\n"])
    with pytest.raises(InputError, match="at most"):
        asked([f"x:{number}" for number in range(MOST + 1)])
    assert asked([]) == ()


def test_a_control_has_a_plain_file_name_of_its_own() -> None:
    assert file_names([AUDIT, "405d:M.1"]) == {AUDIT: "hipaa-164.312.b", "405d:M.1": "405d-M.1"}
    for other in ("hipaa:164.312.b", "hipaa:164.312(B)"):
        with pytest.raises(InputError, match="same name"):
            file_names([AUDIT, other])
