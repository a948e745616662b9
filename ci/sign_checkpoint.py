#!/usr/bin/env python3
"""Sign the newest checkpoint of each appliance as this CI job, with sigstore and without a key.

Runs in a job that may ask for an identity token (on GitHub ``id-token: write``, see
``ci/evidence-checkpoint.yml``), over a clone of the evidence repository that holds its branches
and nothing else. What does not verify is not signed, and what was signed is verified as an auditor
would, with the pinned trusted root, before it is written. Each bundle is a file of its own,
``<client>--<host>--<size>.sigstore.json``; the hub records it as an anchor. One that is there
already is not made again.

Exit codes are those of ``reconciler``: 0 all done, 5 input, 6 evidence, 7 machine or network.
"""

import argparse
import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from reconciler.errors import EvidenceError, MachineError, ReconcilerError  # noqa: E402
from reconciler.evidence import layout  # noqa: E402
from reconciler.evidence.audit import AuditReport, audit  # noqa: E402
from reconciler.evidence.entry import Kind  # noqa: E402
from reconciler.evidence.note import open_checkpoint  # noqa: E402
from reconciler.evidence.record import Branch, Record  # noqa: E402
from reconciler.evidence.signers import AllowedSigners  # noqa: E402
from reconciler.keyless.ambient import identity_token  # noqa: E402
from reconciler.keyless.identity import Identity  # noqa: E402
from reconciler.ledger.anchors.sigstore import sign_note, verify_note  # noqa: E402
from reconciler.ledger.objects import ObjectStore, repository_directory  # noqa: E402
from reconciler.ledger.verify import load_signers, verify  # noqa: E402

WITNESSES = "witness"
"""Branches of this first name are witnesses' own ledgers, where anchors end up."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The newest checkpoint of an appliance, proven.

    Attributes:
        client: One clinic.
        host: The appliance.
        size: How many entries it covers.
        note: The text of its signed note.
    """

    client: str
    host: str
    size: int
    note: bytes

    @property
    def file(self) -> str:
        """Name of the file that its bundle goes to."""
        return f"{self.client}--{self.host}--{self.size}.sigstore.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Sign, verify, write; the exit code."""
    options = _options(arguments)
    try:
        for checkpoint in checkpoints(options.repository, load_signers(options.signers)):
            print(f"{checkpoint.client}/{checkpoint.host}: {_anchor(checkpoint, options)}")
    except ReconcilerError as error:
        print(f"sign_checkpoint: {error}\n  {error.hint}", file=sys.stderr)
        return int(error.exit_code)
    return 0


def checkpoints(repository: Path, allowed: AllowedSigners) -> Iterator[Checkpoint]:
    """The newest checkpoint of each appliance, after the whole repository was verified.

    Raises:
        EvidenceError: The repository does not verify, or holds no checkpoint at all.
    """
    result = verify(repository, allowed)
    if not result.ok:
        hint = f"Nothing was signed. Look closer: reconciler verify {repository} --signers FILE"
        raise EvidenceError(f"{repository} {result.sentence}", hint=hint)
    found = [
        proven for report in result.branches if (proven := _newest(repository, allowed, report))
    ]
    if not found:
        hint = "An appliance signs its log once an hour: wait for its next push."
        raise EvidenceError(f"{repository} holds no checkpoint of an appliance", hint=hint)
    yield from found


def _newest(repository: Path, allowed: AllowedSigners, report: AuditReport) -> Checkpoint | None:
    client, host = report.ref.removeprefix("refs/heads/").split("/")
    marks = [mark for mark in report.marks if mark.entry.kind is Kind.CHECKPOINT]
    if client == WITNESSES or not marks:
        return None
    return _proven(repository, Branch(client, host, allowed), marks[-1])


def _proven(repository: Path, branch: Branch, record: Record) -> Checkpoint:
    """A checkpoint whose note says of the log what the log is."""
    note, size = str(record.entry.body.get("note")), record.entry.seq
    signed = open_checkpoint(note, layout.origin(branch.client, branch.host), record.public)
    store = ObjectStore(repository_directory(repository))
    root = audit(store, branch, sizes=frozenset({size})).roots[size]
    if (signed.size, signed.root) != (size, root):
        message = f"checkpoint {size} of {branch.client}/{branch.host} is of another log"
        raise EvidenceError(message, hint="Its key signed two histories: keep both, and ask why.")
    return Checkpoint(branch.client, branch.host, size, note.encode())


def _anchor(checkpoint: Checkpoint, options: argparse.Namespace) -> str:
    path: Path = options.output / checkpoint.file
    if path.exists():
        return f"checkpoint {checkpoint.size} was signed before: {path.name}"
    bundle = sign_note(
        checkpoint.note, trust_config=options.trust_config, identity_token=identity_token()
    )
    identity = Identity("ci", options.issuer, options.identity, options.source_repository)
    root = options.trusted_root
    proof = verify_note(checkpoint.note, bundle, trusted_root=root, identities=[identity])
    _write(path, bundle)
    return f"checkpoint {checkpoint.size} {proof.detail}: {path.name}"


def _write(path: Path, text: str) -> None:
    """The file appears whole or not at all."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except OSError as error:
        hint = "Give a directory that can be written: --output DIRECTORY"
        raise MachineError(f"{path} cannot be written: {error.strerror}", hint=hint) from error


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    add = parser.add_argument
    add("repository", type=Path, help="bare clone of the evidence repository")
    add("--output", type=Path, required=True, help="directory that the bundles go to")
    add("--signers", type=Path, required=True, help="allowed_signers file: whose evidence it is")
    add("--trusted-root", type=Path, required=True, help="trusted_root.json that auditors pin")
    add("--issuer", required=True, help="who vouches for this job, as auditors expect it")
    add("--identity", required=True, help="this job, as auditors expect it")
    add("--source-repository", help="where its workflow runs, as auditors expect it")
    add("--trust-config", type=Path, help="client trust configuration of a private Sigstore")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
