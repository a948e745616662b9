"""``reconciler attest show``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.attest_common import Desk, branch_option, clone_options, document_of, say

if TYPE_CHECKING:
    from reconciler.desired.attest.show import Shown


@click.command()
@click.argument("revision", default="HEAD")
@branch_option
@clone_options
def command(
    revision: str, branch: str, repository: Path, attestations: str, remote: str, as_json: bool
) -> None:
    """List what is signed about REVISION (default: HEAD), and whether each would count now.

    Approvals of its tree, releases of it with the system of each host, heartbeats of the branch,
    recoveries of the branch.
    Whether an appliance would accept it is more than that: `reconciler verify-intent`.
    """
    from reconciler.desired.attest.clone import whole_history
    from reconciler.desired.attest.show import look

    desk = Desk.open(repository, attestations, remote, as_json)
    commit = desk.clone.commit(revision)
    beside = desk.branch.read(desk.now)
    case = desk.clone.case(commit, commit, branch, beside, desk.now)
    with whole_history():
        found, unread = look(desk.clone, case)
    document = {
        "commit": commit,
        "branch": branch,
        "attestations": beside.commit,
        "found": [_document(one) for one in found],
        "unread": [{"file": path, "why": why} for path, why in unread.items()],
    }
    lines = [line for one in found for line in _lines(one)]
    lines += [f"cannot be read  {ascii(path)[1:-1]}: {why}" for path, why in unread.items()]
    say(desk, document, lines or [f"nothing is signed about {commit[:12]}"])


def _document(one: "Shown") -> dict[str, Any]:
    return {
        "file": one.file,
        "key": _key(one),
        "counts_for": one.who,
        "why_not": one.why,
        "statement": document_of(one.signed.statement),
    }


def _key(one: "Shown") -> str | None:
    from reconciler.evidence.sshsig import fingerprint

    return None if one.signed.public is None else fingerprint(one.signed.public)


def _lines(one: "Shown") -> list[str]:
    kind = type(one.signed.statement).__name__.lower()
    verdict = f"counts, for {one.who}" if one.who else f"does not count: {one.why}"
    said = [one.file, _said(one), *_systems(one)]
    return [f"{kind:9}  {verdict}", *(f"           {line}" for line in said)]


def _systems(one: "Shown") -> list[str]:
    systems = document_of(one.signed.statement).get("systems", {})
    return [f"{host} {system['path']}" for host, system in systems.items()]


def _said(one: "Shown") -> str:
    document = document_of(one.signed.statement)
    names = ("base", "plan", "commit", "to", "counter", "issued", "time", "expires", "reason")
    said = [f"{name} {document[name]}" for name in names if document.get(name) is not None]
    return ", ".join((*said, _key(one) or f"identity {_identity(one)}"))


def _identity(one: "Shown") -> str:
    return "unknown" if one.signed.identity is None else one.signed.identity.name
