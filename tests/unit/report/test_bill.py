"""Bills of materials: what stands in them, and what other people's validators say."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from reconciler.model.system import Closure
from reconciler.report import cyclonedx, spdx
from reconciler.report.bill import Bill, Item, is_licence_expression
from reconciler.report.licence_ids import EXCEPTION_IDS, LICENCE_IDS
from tests.support.bills import cyclonedx_complaint, spdx_complaints, store_path

SYSTEM = store_path("nixos-system-desk-26.05")
SSL, SSL_BIN = store_path("openssl-3.0.14+x"), store_path("openssl-3.0.14+x-bin")
UNIT = store_path("unit-dbus.service")


def item(path: str, name: str, version: str = "", output: str = "", **more: Any) -> Item:
    said = {"deriver": None, "references": (), "licences": (), "nar_sha256": "ab" * 32, **more}
    return Item(path=path, name=name, version=version, output=output, **said)


ITEMS = sorted(
    [
        item(SYSTEM, "nixos-system-desk", "26.05", references=tuple(sorted([SSL, SSL_BIN, UNIT]))),
        item(
            SSL,
            "openssl",
            "3.0.14+x",
            references=(SSL,),
            deriver=store_path("openssl-3.0.14+x.drv"),
            licences=("Apache-2.0", "MIT", "MIT"),
        ),
        item(
            SSL_BIN,
            "openssl",
            "3.0.14+x",
            "bin",
            references=tuple(sorted([SSL, SSL_BIN])),
            licences=("Apache-2.0", "unfree", "unfree redistributable"),
        ),
        item(UNIT, "unit-dbus.service"),
    ],
    key=lambda one: one.path,
)


def bill(items: Iterable[Item] = ITEMS, created: str = "2026-03-01T12:00:00Z") -> Bill:
    kept = list(items)
    closure = Closure(len(kept), 4096, "cd" * 32)
    return Bill(
        system=SYSTEM,
        name="nixos-system-desk-26.05",
        closure=closure,
        created=created,
        version="0.1.0",
        items=lambda: iter(kept),
    )


def as_spdx(one: Bill) -> dict[str, Any]:
    read: dict[str, Any] = json.loads("".join(spdx.write(one)))
    return read


def as_cyclonedx(one: Bill) -> dict[str, Any]:
    read: dict[str, Any] = json.loads("".join(cyclonedx.write(one)))
    return read


def test_the_reference_library_of_spdx_has_nothing_against_it(tmp_path: Path) -> None:
    file = tmp_path / "desk.spdx.json"
    file.write_text("".join(spdx.write(bill())))
    assert spdx_complaints(file) == []


@pytest.mark.parametrize(
    "breaking",
    [
        ('"downloadLocation":"NOASSERTION"', '"downloadLocation":"nowhere"'),
        ("LicenseRef-unfree-", "LicenseRef-gone-"),
        ('"DESCRIBES"', '"DESCRIBED"'),
        ('"checksumValue":"ab', '"checksumValue":"zz'),
        ('"relatedSpdxElement":"SPDXRef-', '"relatedSpdxElement":"SPDXRef-0'),
        ('"created":"2026-03-01T12:00:00Z"', '"created":"yesterday"'),
    ],
)
def test_it_has_something_against_a_broken_one(tmp_path: Path, breaking: tuple[str, str]) -> None:
    file = tmp_path / "desk.spdx.json"
    text = "".join(spdx.write(bill()))
    assert breaking[0] in text
    file.write_text(text.replace(*breaking, 1))
    assert spdx_complaints(file) != []


def test_the_schema_of_cyclonedx_has_nothing_against_it() -> None:
    assert cyclonedx_complaint("".join(cyclonedx.write(bill()))) is None


def test_it_has_something_against_others() -> None:
    text = "".join(cyclonedx.write(bill()))
    twice = bill([*ITEMS, next(one for one in ITEMS if one.path == UNIT)])
    for broken in (
        text.replace('"id":"MIT"', '"id":"No-Such-Licence"'),
        text.replace("abab", "zzzz", 1),
        "".join(cyclonedx.write(twice)),
    ):
        assert broken != text
        assert cyclonedx_complaint(broken) is not None


def test_every_path_is_a_package_with_the_hash_of_its_nar() -> None:
    read = as_spdx(bill())
    packages = {one["packageFileName"]: one for one in read["packages"]}
    assert list(packages) == [one.path for one in ITEMS]
    ssl = packages[SSL_BIN]
    assert (ssl["name"], ssl["versionInfo"]) == ("openssl", "3.0.14+x")
    assert ssl["checksums"] == [{"algorithm": "SHA256", "checksumValue": "ab" * 32}]
    assert "NAR" in read["comment"]
    assert packages[SSL]["sourceInfo"].endswith(".drv")
    assert packages[SYSTEM]["primaryPackagePurpose"] == "OPERATING_SYSTEM"


def test_what_needs_what_is_said_once_and_nothing_needs_itself() -> None:
    read = as_spdx(bill())
    said = [
        (one["spdxElementId"], one["relationshipType"], one["relatedSpdxElement"])
        for one in read["relationships"]
    ]

    def spdx_id(path: str) -> str:
        return f"SPDXRef-{path[11:43]}"

    assert said[0] == ("SPDXRef-DOCUMENT", "DESCRIBES", spdx_id(SYSTEM))
    expected = {(spdx_id(SYSTEM), spdx_id(path)) for path in (SSL, SSL_BIN, UNIT)}
    expected |= {(spdx_id(SSL_BIN), spdx_id(SSL))}
    assert {(one, other) for one, how, other in said if how == "DEPENDS_ON"} == expected
    assert len(said) == len(set(said)) == 5
    needs = {one["ref"]: one["dependsOn"] for one in as_cyclonedx(bill())["dependencies"]}
    assert needs[SSL_BIN] == [SSL]
    assert needs[SSL] == []


def test_a_package_url_is_only_of_a_package() -> None:
    urls = {one["bom-ref"]: one.get("purl") for one in as_cyclonedx(bill())["components"]}
    digits = SSL_BIN[11:43]
    assert urls[SSL_BIN] == f"pkg:nix/openssl@3.0.14%2Bx?output=bin&outputhash={digits}"
    assert urls[UNIT] is None
    from packageurl import PackageURL

    read = PackageURL.from_string(urls[SSL_BIN])
    assert (read.name, read.version) == ("openssl", "3.0.14+x")
    assert read.qualifiers == {"output": "bin", "outputhash": digits}


def test_licences_are_ids_or_texts_and_never_made_up() -> None:
    read = as_spdx(bill())
    declared = {one["packageFileName"]: one["licenseDeclared"] for one in read["packages"]}
    assert declared[SSL] == "Apache-2.0 AND MIT"
    assert declared[UNIT] == "NOASSERTION"
    texts = {one["licenseId"]: one["extractedText"] for one in read["hasExtractedLicensingInfos"]}
    assert sorted(texts.values()) == ["unfree", "unfree redistributable"]
    assert declared[SSL_BIN] == " AND ".join(["Apache-2.0", *texts])
    components = {one["bom-ref"]: one for one in as_cyclonedx(bill())["components"]}
    assert components[SSL_BIN]["licenses"][1:] == [
        {"license": {"name": "unfree"}},
        {"license": {"name": "unfree redistributable"}},
    ]
    assert "licenses" not in components[UNIT]


def test_every_id_is_one_for_both_validators(tmp_path: Path) -> None:
    from license_expression import get_spdx_licensing

    known = get_spdx_licensing().known_symbols
    assert [one for one in LICENCE_IDS if one not in known or known[one].is_exception] == []
    many = item(SYSTEM, "nixos-system-desk", "26.05", licences=tuple(sorted(LICENCE_IDS)))
    assert cyclonedx_complaint("".join(cyclonedx.write(bill([many])))) is None


EXPRESSIONS = (
    "Apache-2.0 WITH LLVM-exception",
    "NCSA AND (Apache-2.0 WITH LLVM-exception)",
    "(MIT OR BSD-3-Clause) AND Zlib",
    "((MIT) OR (Zlib))",
    *(f"GPL-2.0-only WITH {one}" for one in sorted(EXCEPTION_IDS)),
)


def test_an_expression_of_listed_licences_stays_one(tmp_path: Path) -> None:
    parts = [
        item(store_path(f"part-{at}"), "part", str(at), licences=(one,))
        for at, one in enumerate(EXPRESSIONS)
    ]
    several = item(SYSTEM, "desk", "26.05", licences=("MIT", "MIT OR Zlib", "own terms"))
    file = tmp_path / "desk.spdx.json"
    file.write_text("".join(spdx.write(bill([*parts, several]))))
    assert spdx_complaints(file) == []
    declared = {
        one["name"] + one["versionInfo"]: one for one in json.loads(file.read_text())["packages"]
    }
    for at, one in enumerate(EXPRESSIONS):
        assert declared[f"part{at}"]["licenseDeclared"] == one
    said = declared["desk26.05"]["licenseDeclared"]
    assert said.startswith("MIT AND (MIT OR Zlib) AND LicenseRef-own-terms-")

    text = "".join(cyclonedx.write(bill([*parts, several])))
    assert cyclonedx_complaint(text) is None
    components = json.loads(text)["components"]
    assert [one["licenses"] for one in components] == [[{"expression": one}] for one in EXPRESSIONS]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MIT OR",
        "OR MIT",
        "MIT MIT",
        "MIT and Zlib",
        "MIT  OR Zlib",
        "(MIT",
        "MIT)",
        ")MIT(",
        "()",
        "(MIT)(Zlib)",
        "MIT OR (unfree)",
        "MIT WITH MIT",
        "LLVM-exception",
        "GPL-2.0+",
        "NONE",
        "NOASSERTION",
        "LicenseRef-x",
        "(" * 500,
    ],
)
def test_what_is_no_expression_is_a_text(text: str) -> None:
    assert not is_licence_expression(text)


def test_the_same_system_gives_the_same_bytes_and_another_time_another_number() -> None:
    for write in (spdx.write, cyclonedx.write):
        assert "".join(write(bill())) == "".join(write(bill(list(ITEMS))))
    later = bill(created="2026-03-01T12:00:01Z")
    assert as_spdx(later)["documentNamespace"] != as_spdx(bill())["documentNamespace"]
    assert as_cyclonedx(later)["serialNumber"] != as_cyclonedx(bill())["serialNumber"]


def test_the_system_is_what_the_document_is_about() -> None:
    read = as_cyclonedx(bill())
    about = read["metadata"]["component"]
    assert (about["bom-ref"], about["type"]) == (SYSTEM, "operating-system")
    kinds = {one["bom-ref"]: one["type"] for one in read["components"]}
    assert kinds == {SSL: "library", SSL_BIN: "library", UNIT: "file"}
