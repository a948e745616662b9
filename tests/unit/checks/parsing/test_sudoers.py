"""sudoers(5), against what cvtsudoers of sudo 1.9.13 reads from the same text."""

import time
from contextlib import suppress

import pytest

from reconciler.checks.parsing.shapes import FileText
from reconciler.checks.parsing.sudoers import Default, read
from reconciler.errors import Unobservable

EVERY_SHAPE = r"""
Defaults env_reset, timestamp_timeout = 5
Defaults:dave timestamp_timeout=60 # long
Defaults: erin,frank timestamp_timeout=2.5
Defaults secure_path="/a:/b,c"
alice ALL=(ALL) NOPASSWD:ALL #comment
%ops,#1005 , zed ALL = (root) NOPASSWD: /usr/bin/systemctl restart x, \
   /usr/bin/id
User_Alias VENDORS = bob, carol : MORE = VENDORS, !carol
MORE ALL=(ALL) PASSWD: ALL, NOPASSWD: /bin/ls
gina HOST1, HOST2 = ALL : HOST3 = NOPASSWD: ALL
harry ALL=(ALL) ALL # NOPASSWD in a comment
Cmnd_Alias LIST = /bin/ls
"""


def test_every_principal_without_a_password_is_found_in_every_shape() -> None:
    found = read(EVERY_SHAPE, ())
    assert found.nopasswd == ("#1005", "%ops", "alice", "bob", "carol", "gina", "zed")


def test_defaults_keep_their_users_and_quoted_commas() -> None:
    assert read(EVERY_SHAPE, ()).defaults == (
        Default((), "env_reset"),
        Default((), "timestamp_timeout = 5"),
        Default(("dave",), "timestamp_timeout=60"),
        Default(("erin", "frank"), "timestamp_timeout=2.5"),
        Default((), 'secure_path="/a:/b,c"'),
    )


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Defaults !authenticate", ("ALL",)),
        ("Defaults ! authenticate", ("ALL",)),
        ("Defaults:alice,bob !authenticate", ("alice", "bob")),
        ("Defaults!/bin/ls !authenticate", ("ALL",)),
        ('Defaults exempt_group="wheel"', ("%wheel",)),
        ("Defaults authenticate", ()),
    ],
)
def test_defaults_that_switch_passwords_off_are_found(line: str, names: tuple[str, ...]) -> None:
    assert read(line, ()).nopasswd == names


def test_included_files_count_only_where_the_main_file_includes_their_directory() -> None:
    included = [FileText("/etc/sudoers.d/a", "eve ALL=(ALL) NOPASSWD: ALL\n")]
    assert read("root ALL=(ALL) ALL\n", included).nopasswd == ()
    assert read("@includedir /etc/sudoers.d\n", included).nopasswd == ("eve",)
    assert read("#includedir /etc/sudoers.d/\n", included).nopasswd == ("eve",)


@pytest.mark.parametrize("name", ["backup.bak", "old~"])
def test_files_that_sudo_skips_are_skipped(name: str) -> None:
    included = [FileText(f"/etc/sudoers.d/{name}", "eve ALL=(ALL) NOPASSWD: ALL\n")]
    assert read("@includedir /etc/sudoers.d\n", included).nopasswd == ()


@pytest.mark.parametrize(
    "line",
    [
        "@include /etc/other",
        "@includedir /srv/sudoers.d",
        "alice",
        "alice ALL",
        "User_Alias A",
        "Defaults",
        r"the\ ops ALL=(ALL) NOPASSWD: ALL",
        "al\u00ffice ALL=(ALL) NOPASSWD: ALL",
    ],
)
def test_a_line_that_cannot_be_read_is_not_skipped(line: str) -> None:
    with pytest.raises(Unobservable):
        read(line, ())


def test_an_alias_of_itself_ends() -> None:
    assert read("User_Alias A = B, x : B = A\nA ALL = NOPASSWD: ALL\n", ()).nopasswd == ("x",)


@pytest.mark.parametrize("line", ["a," * 30_000, '"' * 60_000, "a " * 30_000, "#" * 60_000 + "1"])
def test_a_long_line_costs_little(line: str) -> None:
    start = time.monotonic()
    with suppress(Unobservable):
        read(line, ())
    assert time.monotonic() - start < 1
