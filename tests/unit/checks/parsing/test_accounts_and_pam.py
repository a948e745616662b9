"""passwd(5), shadow(5), PAM stacks, sysctls and TMOUT: small readers, each strict."""

import pytest

from reconciler.checks.parsing import pam, passwd, sysctl, tmout
from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, Answers
from reconciler.model.probe import ReadFile


def test_accounts_are_read_in_order_without_comment_and_home() -> None:
    found = passwd.accounts("root:x:0:0:Jane Doe:/root:/bin/bash\nwww:x:33:33::/:/bin/false\n")
    assert [(a.name, a.uid, a.shell) for a in found] == [
        ("root", 0, "/bin/bash"),
        ("www", 33, "/bin/false"),
    ]
    assert "Jane" not in repr(found)


@pytest.mark.parametrize(
    "line", ["", "root", "a:x:1:1::/", "a b:x:1:1::/:/", "a:x:-1:1::/:/", "a:x:4294967296:1::/:/"]
)
def test_a_line_that_is_no_account_makes_the_file_unknown(line: str) -> None:
    with pytest.raises(Unobservable):
        passwd.accounts(line)


def test_password_fields_are_found_by_name() -> None:
    assert passwd.passwords("root:*:1:0:9:7:::\nx:!:1::::::\n") == {"root": "*", "x": "!"}


@pytest.mark.parametrize("text", ["root:*", "root:*:1:0:9:7:::\nroot::1:0:9:7:::\n", "\x00"])
def test_a_shadow_file_that_can_be_read_in_two_ways_is_unknown(text: str) -> None:
    with pytest.raises(Unobservable):
        passwd.passwords(text)


def test_a_stack_is_followed_through_every_kind_of_include() -> None:
    services = {
        "login": "@include common # why\nauth\tinclude\tmore\naccount required pam_unix.so\n",
        "common": "auth [success=1 default=ignore] /lib/security/pam_unix.so nullok \\\n try\n",
        "more": "-auth substack last\n",
        "last": "AUTH required pam_deny.so\n",
    }
    assert pam.auth_stack(services, "login") == (
        pam.Module("pam_unix.so", "[success=1 default=ignore]", ("nullok", "try")),
        pam.Module("pam_deny.so", "required", ()),
    )


@pytest.mark.parametrize(
    "text", ["auth include gone\n", "auth include login\n", "@include\n", "auth\n", "\x00\n"]
)
def test_a_stack_that_cannot_be_followed_is_unknown(text: str) -> None:
    with pytest.raises(Unobservable):
        pam.auth_stack({"login": text}, "login")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("kernel.kptr_restrict", "/proc/sys/kernel/kptr_restrict"),
        ("net/ipv4/conf/eth0.5/rp_filter", "/proc/sys/net/ipv4/conf/eth0.5/rp_filter"),
    ],
)
def test_a_parameter_has_a_file(name: str, path: str) -> None:
    assert sysctl.probe(name).path == path


def test_a_parameter_is_a_number_or_absent_or_unknown() -> None:
    probe = sysctl.probe("kernel.x")
    assert sysctl.whole(Answers({probe: Answer("ok", "-1\n")}), "kernel.x") == -1
    assert sysctl.whole(Answers({probe: Answer("absent")}), "kernel.x") is None
    for answer in (Answer("denied"), Answer("ok", ""), Answer("ok", "1 2"), Answer("ok", b"1")):
        with pytest.raises(Unobservable):
            sysctl.whole(Answers({probe: answer}), "kernel.x")
    assert isinstance(probe, ReadFile)


@pytest.mark.parametrize(
    ("text", "seconds", "read_only"),
    [
        ("", None, False),
        ("# TMOUT=600\n", None, False),
        ("TMOUT=600", 600, False),
        ("TMOUT=600; readonly TMOUT; export TMOUT", 600, True),
        ("readonly TMOUT=600", 600, True),
        ("if true; then declare -xr TMOUT='600'; fi", 600, True),
        ("typeset -r TMOUT\nTMOUT=300\nTMOUT=900\n", 900, True),
        ("TMOUT=900\nTMOUT=0\n", 0, False),
        ("export TMOUT=600 # readonly TMOUT", 600, False),
        ("readonly OTHER; TMOUT=600", 600, False),
        ("TMOUT=$((60*10))", None, False),
        ("MYTMOUT=5", None, False),
    ],
)
def test_the_longest_time_out_that_is_written_plainly_counts(
    text: str, seconds: int | None, read_only: bool
) -> None:
    assert tmout.read([text]) == tmout.Timeout(seconds, read_only)
