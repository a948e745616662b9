"""Small parts of OSCAL documents: names, properties, resources. Every id is a uuid5 of content."""

import re
import uuid
from itertools import pairwise
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.report import words
from reconciler.report.citation import Citation

NAMESPACE = "urn:reconciler:oscal:v1"
_ROOT = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")

Json = dict[str, Any]


def name_of(*parts: object) -> str:
    """A uuid that only depends on what it names."""
    return str(uuid.uuid5(_ROOT, "\x1f".join(map(str, parts))))


def token(control: str) -> str:
    """A control id as OSCAL allows it: ``hipaa:164.312(b)`` is ``hipaa-164.312.b``.

    Raises:
        EvidenceError: It cannot be written so.
    """
    found = re.sub(r"\(", ".", control.replace(":", "-")).replace(")", "")
    if not _TOKEN.fullmatch(found):
        message = f"control {control!r:.80} cannot be an OSCAL token"
        raise EvidenceError(message, hint="Correct its id in the framework.")
    return found


def tokens(controls: list[str]) -> dict[str, str]:
    """Control ids with their tokens.

    Raises:
        EvidenceError: Two controls would have the same token.
    """
    found = {control: token(control) for control in controls}
    if len(set(found.values())) != len(found):
        twice = sorted(found.values())
        same = next(a for a, b in pairwise(twice) if a == b)
        message = f"two controls would both be {same} in OSCAL"
        raise EvidenceError(message, hint="Correct an id in the framework.")
    return found


def text(said: str) -> str:
    """One line that is not empty, as OSCAL's text types want it."""
    return words.clip(said, 2000).strip() or "none"


def props(**values: object) -> list[Json]:
    """Properties in our namespace; a value that is None is left out."""
    return [
        {"name": name.replace("_", "-"), "ns": NAMESPACE, "value": text(str(value))}
        for name, value in values.items()
        if value is not None and str(value).strip()
    ]


def resource_id(ref: str, where: Citation) -> str:
    """The uuid of an entry's resource."""
    return name_of("entry", ref, where.seq, where.digest)


def resource(ref: str, where: Citation, sha256: str) -> Json:
    """An entry of the ledger as a resource that can be checked.

    Args:
        ref: Full name of its branch.
        where: The entry.
        sha256: Hex SHA-256 of its stored bytes: its file, or its commit if it has none.
    """
    if where.path is None:
        link: Json = {"href": f"urn:git:commit:{where.commit}"}
    else:
        link = {"href": where.path, "media-type": "application/vnd.dsse.envelope.v1+json"}
    hashes = [{"algorithm": "SHA-256", "value": sha256}]
    return {
        "uuid": resource_id(ref, where),
        "title": f"Entry {where.seq} ({where.kind}) of {ref}",
        "props": props(commit=where.commit, statement_sha256=where.digest, recorded=where.at),
        "rlinks": [{**link, "hashes": hashes}],
    }


def evidence(ref: str, where: Citation, what: str) -> Json:
    """A reference to the resource of an entry."""
    return {"href": f"#{resource_id(ref, where)}", "description": f"Entry {where.seq}: {what}"}
