"""Reports of a vulnerability scanner for tests, in the form in which scanners write them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from reconciler.desired.gate.advisories import vulnerabilities_of
from reconciler.model.vulnerabilities import Vulnerabilities

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
AS_OF = date(2026, 10, 31)
SYSTEM = "/nix/store/0h2h3h4h5h6h7h8h9habacadafagahai-nixos-system-front-desk-26.05"
OTHER = "/nix/store/1h2h3h4h5h6h7h8h9habacadafagahai-nixos-system-front-desk-26.05"


def component(name: str, version: str | None = "1.0", **more: Any) -> dict[str, Any]:
    made = {"type": "library", "bom-ref": f"ref-{name}", "name": name}
    return made | ({} if version is None else {"version": version}) | more


def vulnerability(name: str, *packages: str, severity: str | None = "high") -> dict[str, Any]:
    ratings = [] if severity is None else [{"severity": severity, "score": 7.5}]
    affects = [{"ref": f"ref-{package}"} for package in packages or ("openssl",)]
    return {"id": name, "source": {"name": "nvd"}, "ratings": ratings, "affects": affects}


def report(*vulnerabilities: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """What a scanner wrote of a system with three packages."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "version": 1,
        "metadata": metadata(),
        "components": [component("openssl", "3.0.14"), component("curl"), component("zlib")],
        "vulnerabilities": list(vulnerabilities),
    } | changes


def metadata(**changes: Any) -> dict[str, Any]:
    tool = {"type": "application", "author": "somebody", "name": "grype", "version": "0.87.0"}
    return {
        "timestamp": "2026-11-01T10:00:00Z",
        "tools": {"components": [tool]},
        "component": {"type": "file", "bom-ref": "f6f0", "name": "desk.cdx.json"},
    } | changes


def read(
    document: Mapping[str, Any] | bytes, *, system: str = SYSTEM, as_of: date = AS_OF
) -> Vulnerabilities:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return vulnerabilities_of(raw, system, as_of, NOW)


def open_in(document: Vulnerabilities) -> Sequence[tuple[str, str, str | None, str | None, str]]:
    return [(o.id, o.package, o.version, o.fixed, o.severity) for o in document.open]
