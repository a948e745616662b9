"""Names of store paths, and Nix's base 32."""

import hashlib

import pytest

from reconciler.nix import base32
from reconciler.nix.store_path import (
    Package,
    digest_part,
    is_store_path,
    name_part,
    package,
    parse_name,
)

DIGITS = "wgzngsgzdvlqhlx105vsnp3j4f4p8qfj"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("nix-0.12pre12876", ("nix", "0.12pre12876")),
        ("hello-2.12.1", ("hello", "2.12.1")),
        ("hello", ("hello", "")),
        ("a-b-c", ("a-b-c", "")),
        ("perl5.38-URI-5.21", ("perl5.38-URI", "5.21")),
        ("linux-6.12.1-modules", ("linux", "6.12.1-modules")),
        ("trailing-", ("trailing-", "")),
        ("under-_score", ("under", "_score")),
        ("double--2", ("double", "-2")),
        ("-1", ("", "1")),
    ],
)
def test_name_and_version_part_as_nix_parts_them(name: str, parts: tuple[str, str]) -> None:
    assert parse_name(name) == parts


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("openssl-3.0.14-bin", Package("openssl", "3.0.14", "bin")),
        ("glibc-2.40-66", Package("glibc", "2.40-66", "")),
        ("linux-6.12.1-modules", Package("linux", "6.12.1", "modules")),
        ("util-linux-2.41.1-mount", Package("util-linux", "2.41.1", "mount")),
        ("kbd-2.8.0-vlock", Package("kbd", "2.8.0", "vlock")),
        ("foo-1.0-rc", Package("foo", "1.0-rc", "")),
        ("unit-dbus.service", Package("unit-dbus.service", "", "")),
        ("-1", Package("-1", "", "")),
        ("etc-os-release", Package("etc-os-release", "", "")),
    ],
)
def test_an_output_belongs_to_neither_name_nor_version(name: str, parsed: Package) -> None:
    assert package(f"/nix/store/{DIGITS}-{name}") == parsed


@pytest.mark.parametrize(
    ("name", "made", "parsed"),
    [
        ("bind-9.20.1-whatever", "bind-9.20.1", Package("bind", "9.20.1", "whatever")),
        ("unit-tools-dev", "unit-tools", Package("unit-tools", "", "dev")),
        # The derivation itself is called so, and this is its first output.
        ("firmware-1.0-bin", "firmware-1.0-bin", Package("firmware", "1.0-bin", "")),
        # What it is named by is not what it was made by.
        ("openssl-3.0.14-bin", "source", Package("openssl", "3.0.14", "bin")),
        ("openssl-3.0.14-bin", "openssl", Package("openssl", "3.0.14", "bin")),
        ("openssl-3.0.14-bin", "openssl-3", Package("openssl", "3.0.14", "bin")),
        ("-1-man", "-1", Package("-1-man", "", "")),
    ],
)
def test_the_derivation_tells_a_version_from_an_output(
    name: str, made: str, parsed: Package
) -> None:
    deriver = f"/nix/store/{DIGITS}-{made}.drv"
    assert package(f"/nix/store/{DIGITS}-{name}", deriver) == parsed


def test_a_store_path_has_digits_and_a_name() -> None:
    path = f"/nix/store/{DIGITS}-top-2.0"
    assert is_store_path(path)
    assert (digest_part(path), name_part(path)) == (DIGITS, "top-2.0")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/nix/store",
        f"/nix/store/{DIGITS}",
        f"/nix/store/{DIGITS}-",
        f"/nix/store/{DIGITS}-top/",
        f"/nix/store/{DIGITS}-top/bin",
        f"/nix/store/{DIGITS}-top\n",
        f"/nix/store/../{DIGITS}-top",
        f"/gnu/store/{DIGITS}-top",
        f"/nix/store/{DIGITS[:-1]}e-top",
        f"/nix/store/{DIGITS}-töp",
        f"/nix/store/{DIGITS}-{'x' * 212}",
    ],
)
def test_nothing_else_is_a_store_path(text: str) -> None:
    assert not is_store_path(text)


def test_base_32_is_that_of_nix() -> None:
    # Printed by `nix-hash --type sha256 --to-base32` of a stock Nix.
    digest = hashlib.sha256(b"").digest()
    text = "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"
    assert base32.encode(digest) == text
    assert base32.decode(text) == digest
    assert base32.encode(bytes(32)) == "0" * 52


@pytest.mark.parametrize("text", ["", "0" * 51, "e" + "0" * 51, "z" * 52, "0" * 53])
def test_no_other_text_is_a_digest(text: str) -> None:
    with pytest.raises(ValueError, match="digit"):
        base32.decode(text)
