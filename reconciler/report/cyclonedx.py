"""A bill of materials as CycloneDX 1.6 in JSON, piece by piece.

Source: ECMA-424 (CycloneDX 1.6). The system itself is ``metadata.component``; a component that is
there twice makes the whole document invalid, and so does a reference that is.
"""

from collections.abc import Iterator
from typing import Any

from reconciler.report.bill import (
    NAR_NOTE,
    Bill,
    Item,
    as_json,
    is_licence_expression,
    is_licence_id,
    members,
)

FORMAT = "CycloneDX-1.6"


def write(bill: Bill) -> Iterator[str]:
    """The document, in pieces of text.

    Args:
        bill: What to write; it is gone through three times.
    """
    head = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": _serial_number(bill),
        "version": 1,
        "metadata": {
            "timestamp": bill.created,
            "tools": {
                "components": [
                    {"type": "application", "name": "reconciler", "version": bill.version}
                ]
            },
            "component": next(
                _component(item, bill) for item in bill.items() if item.path == bill.system
            ),
            "properties": [
                _property("closure_sha256", bill.closure.sha256),
                _property("hash_of", NAR_NOTE),
            ],
        },
    }
    others = (item for item in bill.items() if item.path != bill.system)
    yield as_json(head).removesuffix("}")
    yield from members("components", (_component(item, bill) for item in others))
    yield from members("dependencies", (_dependency(item) for item in bill.items()))
    yield "}\n"


def _component(item: Item, bill: Bill) -> dict[str, Any]:
    said: dict[str, Any] = {
        "bom-ref": item.path,
        "type": _type(item, bill),
        "name": item.name,
        "hashes": [{"alg": "SHA-256", "content": item.nar_sha256}],
        "properties": list(_properties(item)),
    }
    if item.version:
        said["version"] = item.version
    if item.purl is not None:
        said["purl"] = item.purl
    if item.licences:
        said["licenses"] = _licences(list(dict.fromkeys(item.licences)))
    return said


def _licences(every: list[str]) -> list[dict[str, Any]]:
    """An expression may stand alone only; beside others it is their name."""
    if len(every) == 1 and not is_licence_id(every[0]) and is_licence_expression(every[0]):
        return [{"expression": every[0]}]
    return [{"license": {"id" if is_licence_id(one) else "name": one}} for one in every]


def _type(item: Item, bill: Bill) -> str:
    if item.path == bill.system:
        return "operating-system"
    # The specification: "library" where it is not known what a package is.
    return "library" if item.version else "file"


def _properties(item: Item) -> Iterator[dict[str, str]]:
    yield _property("store_path", item.path)
    if item.output:
        yield _property("output", item.output)
    if item.deriver is not None:
        yield _property("deriver", item.deriver)


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"reconciler:nix:{name}", "value": value}


def _dependency(item: Item) -> dict[str, Any]:
    return {"ref": item.path, "dependsOn": list(item.needs)}


def _serial_number(bill: Bill) -> str:
    """A UUID of version 8 (RFC 9562): 122 bits of what tells this document from others."""
    hexadecimal = bill.number("cyclonedx-1.6")
    variant = "89ab"[int(hexadecimal[16], 16) & 3]
    parts = (
        hexadecimal[:8],
        hexadecimal[8:12],
        f"8{hexadecimal[13:16]}",
        f"{variant}{hexadecimal[17:20]}",
        hexadecimal[20:32],
    )
    return f"urn:uuid:{'-'.join(parts)}"
