"""A bill of materials as SPDX 2.3 in JSON, piece by piece.

Source: SPDX Specification 2.3 (ISO/IEC 5962:2021 is 2.2.1; 2.3 is what readers of today take).
What is not known is said to be not known (``NOASSERTION``), in every field that may say so.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from reconciler.report.bill import (
    NAR_NOTE,
    Bill,
    Item,
    as_json,
    digits,
    is_licence_expression,
    is_licence_id,
    members,
)

FORMAT = "SPDX-2.3"
_UNKNOWN = "NOASSERTION"
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9.-]+")


def write(bill: Bill) -> Iterator[str]:
    """The document, in pieces of text.

    Args:
        bill: What to write; it is gone through twice.
    """
    head = {
        "spdxVersion": FORMAT,
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": bill.name,
        "documentNamespace": f"urn:reconciler:sbom:{bill.number('spdx-2.3')}",
        "comment": f"Closure {bill.closure.sha256} of {bill.system}. {NAR_NOTE}",
        "creationInfo": {
            "created": bill.created,
            "creators": [f"Tool: reconciler-{bill.version}"],
        },
    }
    yield as_json(head).removesuffix("}")
    texts: dict[str, str] = {}
    yield from members("packages", _packages(bill, texts))
    yield from members("relationships", _relationships(bill))
    yield from members("hasExtractedLicensingInfos", (_text(*one) for one in sorted(texts.items())))
    yield "}\n"


def _packages(bill: Bill, texts: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Packages; what of their licences is no id or expression is kept for later."""
    for item in bill.items():
        unlisted = (one for one in item.licences if not is_licence_expression(one))
        texts.update({_reference(one): one for one in unlisted})
        yield _package(item, bill)


def _package(item: Item, bill: Bill) -> dict[str, Any]:
    licence = _expression(item.licences)
    said: dict[str, Any] = {
        "SPDXID": _id(item.path),
        "name": item.name,
        "packageFileName": item.path,
        "checksums": [{"algorithm": "SHA256", "checksumValue": item.nar_sha256}],
        "downloadLocation": _UNKNOWN,
        "filesAnalyzed": False,
        "supplier": _UNKNOWN,
        "licenseDeclared": licence,
        "licenseConcluded": _UNKNOWN,
        "copyrightText": _UNKNOWN,
    }
    if item.version:
        said["versionInfo"] = item.version
    if item.deriver is not None:
        said["sourceInfo"] = f"built from {item.deriver}"
    if item.path == bill.system:
        said["primaryPackagePurpose"] = "OPERATING_SYSTEM"
    if item.purl is not None:
        said["externalRefs"] = [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": item.purl,
            }
        ]
    return said


def _relationships(bill: Bill) -> Iterator[dict[str, str]]:
    yield _relationship("SPDXRef-DOCUMENT", "DESCRIBES", _id(bill.system))
    for item in bill.items():
        for path in item.needs:
            yield _relationship(_id(item.path), "DEPENDS_ON", _id(path))


def _relationship(one: str, how: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}


def _expression(licences: Iterable[str]) -> str:
    """All of them hold; each that SPDX has no words for refers to its text in this document."""
    every = list(dict.fromkeys(licences))
    known = (_part(one, alone=len(every) == 1) for one in every)
    return " AND ".join(known) or _UNKNOWN


def _part(licence: str, *, alone: bool) -> str:
    if not is_licence_expression(licence):
        return _reference(licence)
    return licence if alone or is_licence_id(licence) else f"({licence})"


def _text(reference: str, licence: str) -> dict[str, str]:
    return {"licenseId": reference, "extractedText": licence, "name": licence}


def _reference(licence: str) -> str:
    """Texts that differ only in what an id may not hold are told apart by a digest."""
    plain = _NOT_IN_IDS.sub("-", licence)
    if plain != licence:
        plain = f"{plain}-{hashlib.sha256(licence.encode()).hexdigest()[:8]}"
    return f"LicenseRef-{plain}"


def _id(path: str) -> str:
    return f"SPDXRef-{digits(path)}"
