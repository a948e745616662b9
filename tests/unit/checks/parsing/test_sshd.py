"""The SSH server's own print-out, and the Match blocks that it leaves out."""

import pytest

from reconciler.checks.parsing import sshd
from reconciler.checks.parsing.shapes import FileText
from reconciler.checks.parsing.sshd_config import match_blocks
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, Answers
from reconciler.model.check import NotApplicable

ABSENT = Answer("absent", reason="not installed")
OLD = Answer("ok", {"exit": 1, "stdout": "", "stderr": "unknown option -- G\n"})


def printed(text: str) -> Answer:
    return Answer("ok", {"exit": 0, "stdout": text, "stderr": ""})


def answers(new: Answer, old: Answer, main: str = "", included: tuple[str, ...] = ()) -> Answers:
    files = [{"path": f"/d/{n}", "status": "ok", "text": text} for n, text in enumerate(included)]
    return Answers(
        {
            sshd.CONFIGURATION: new,
            sshd.EXTENDED_TEST: old,
            sshd.MAIN_FILE: Answer("ok", main),
            sshd.INCLUDED_FILES: Answer("ok", files),
        }
    )


def read(*given: object) -> sshd.Settings:
    found = sshd.settings(answers(*given))  # type: ignore[arg-type]
    assert isinstance(found, sshd.Settings)
    return found


def test_the_first_way_of_asking_that_works_is_read() -> None:
    assert read(printed("port 22\n"), ABSENT).one("port") == "22"
    assert read(OLD, printed("port 23\n")).one("port") == "23"


def test_a_server_that_is_not_there_is_not_judged() -> None:
    assert isinstance(sshd.settings(answers(ABSENT, ABSENT)), NotApplicable)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (OLD, OLD),
        (OLD, ABSENT),
        (Answer("timeout"), Answer("denied")),
        (printed("port 22"), OLD),
        (printed("Port 22\n"), OLD),
        (Answer("ok", {"exit": "0", "stdout": "", "stderr": ""}), OLD),
    ],
)
def test_a_server_that_does_not_answer_is_unknown(new: Answer, old: Answer) -> None:
    with pytest.raises(Unobservable):
        sshd.settings(answers(new, old))


def test_what_the_server_complains_about_is_not_quoted() -> None:
    leak = Answer("ok", {"exit": 255, "stdout": "", "stderr": "line 3: Jane Doe secret"})
    with pytest.raises(Unobservable) as unknown:
        sshd.settings(answers(leak, leak))
    assert "Jane" not in str(unknown.value)


@pytest.mark.parametrize("text", ["", "port 22\nport 23\n", "port a b\n", "port \n"])
def test_a_setting_is_said_once_and_is_a_plain_word(text: str) -> None:
    with pytest.raises(Unobservable):
        read(printed(text), ABSENT).one("port")


def test_authentication_methods_are_any_unless_said() -> None:
    assert read(printed("port 22\n"), ABSENT).authentication_methods() == ("any",)
    said = printed("authenticationmethods publickey,password hostbased\n")
    assert read(said, ABSENT).authentication_methods() == ("publickey,password", "hostbased")


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("600", 600), ("10m", 600), ("1h30m", 5400), ("1W", 604800)]
)
def test_times_are_read_in_seconds(text: str, seconds: int) -> None:
    assert sshd.seconds(text, "x") == seconds


@pytest.mark.parametrize("text", ["", "-1", "none", "10 m", "1y", "9" * 60])
def test_what_is_no_time_is_unknown(text: str) -> None:
    with pytest.raises(Unobservable):
        sshd.seconds(text, "x")


def test_match_blocks_hold_to_the_end_of_their_file() -> None:
    main = 'Include sshd_config.d/*.conf\nPort 22\nMatch User a\n  X=1\nX "2"\nMatch all\nX 3\n'
    dropped = FileText("/etc/ssh/sshd_config.d/a.conf", "X 0\nmatch group b\n\tX\t4 # why\n")
    assert match_blocks(main, [dropped]) == {"x": ("1", "2", "3", "4 # why")}


def test_files_that_are_not_included_do_not_count() -> None:
    assert match_blocks("Port 22\n", [FileText("/x", "Match all\nX 1\n")]) == {}


@pytest.mark.parametrize(
    "main",
    [
        "Include /srv/*.conf\n",
        "Include /etc/ssh/sshd_config.d/*.conf /srv/x\n",
        "Match all\nInclude /etc/ssh/sshd_config.d/*.conf\n",
        "Port\n",
        "\x00\x01\n",
    ],
)
def test_a_configuration_that_is_not_followed_is_unknown(main: str) -> None:
    with pytest.raises(Unobservable):
        match_blocks(main, [])
