from pathlib import Path

import pytest

from reconciler.errors import InputError
from reconciler.transport.location import NO_ACCESS, Access, check_branch, vet

SSH = Access(ssh_key=Path("key"), known_hosts=Path("known_hosts"))


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("/srv/fleet.git", "local"),
        ("fleet", "local"),
        ("./a:b", "local"),
        ("file:///srv/fleet.git", "local"),
        ("file://localhost/srv/fleet.git", "local"),
        ("https://git.msp.example/fleet", "http"),
        ("https://git.msp.example:8443/fleet", "http"),
        ("http://127.0.0.1:8080/fleet", "http"),
        ("http://[::1]/fleet", "http"),
        ("http://localhost/fleet", "http"),
        ("ssh://git@git.msp.example/fleet", "ssh"),
        ("ssh://git@git.msp.example:2222/fleet", "ssh"),
        ("git@git.msp.example:msp/fleet.git", "ssh"),
    ],
)
def test_address_that_is_allowed(url, kind):
    location = vet(url, SSH)
    assert (location.kind, location.url) == (kind, url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://git.msp.example/fleet",
        "http://127.0.0.1.evil.example/fleet",
        "http://10.0.0.1/fleet",
        "git://git.msp.example/fleet",
        "ftp://git.msp.example/fleet",
        "ext::sh -c id",
        "https://user:secret@git.msp.example/fleet",
        "https://token@git.msp.example/fleet",
        "ssh://git:secret@git.msp.example/fleet",
        "https://git.msp.example/fleet?token=secret",
        "https://git.msp.example/fleet#main",
        "https:///fleet",
        "https://git.msp.example:99999/fleet",
        "https://[::1/fleet",
        "file://other/srv/fleet.git",
        "https://git.msp.example/\nfleet",
        "https://git.msp.example\\@evil.example/",
        "https://git.msp.example/" + "a" * 3000,
    ],
)
def test_address_that_is_refused(url):
    with pytest.raises(InputError) as caught:
        vet(url, SSH)
    assert caught.value.hint
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("url", ["ssh://git@git.msp.example/fleet", "git@git.msp.example:fleet"])
@pytest.mark.parametrize(
    "access", [NO_ACCESS, Access(ssh_key=Path("key")), Access(known_hosts=Path("known_hosts"))]
)
def test_ssh_without_key_or_known_hosts(url, access):
    with pytest.raises(InputError, match="known hosts"):
        vet(url, access)


@pytest.mark.parametrize("name", ["main", "release/2026.1", "a_b-c"])
def test_plain_branch(name):
    assert check_branch(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "/main", "main/", "a//b", "a..b", ".a", "a/.b", "a.lock", "a.lock/b", "a b", "a:b",
     "*", "-a", "+a", "@{-1}", "a~1", "a^", "a\n", "x" * 300, "main."],
)  # fmt: skip
def test_branch_that_is_refused(name):
    with pytest.raises(InputError, match="branch"):
        check_branch(name)
