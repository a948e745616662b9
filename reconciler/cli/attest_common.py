"""What the commands of ``reconciler attest`` share: where to, with what, and how it ends."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.common import emit, json_option

if TYPE_CHECKING:
    from reconciler.cli.attest_keys import Key
    from reconciler.desired.attest.branch import AttestationsBranch
    from reconciler.desired.attest.clone import AttestClone
    from reconciler.trust.statements import Statement

F = TypeVar("F", bound=Callable[..., Any])

file_type = click.Path(path_type=Path, dir_okay=False)
branch_option = click.option("--branch", default="main", show_default=True, help="Fleet branch.")
key_option = click.option(
    "--key", type=file_type, help="OpenSSH key file; or its .pub, together with --unsigned."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask; what is signed is still shown.")


def clone_options(command: F) -> F:
    """``--repository``, ``--attestations``, ``--remote`` and ``--json``."""
    directory = click.Path(path_type=Path, file_okay=False, exists=True)
    options = (
        click.option(
            "--repository", type=directory, default=".", show_default=True, help="The clone."
        ),
        click.option(
            "--attestations",
            default="attestations",
            show_default=True,
            help="Branch that holds what is signed.",
        ),
        click.option(
            "--remote", default="origin", show_default=True, help="The server's name in the clone."
        ),
        json_option,
    )
    return _apply(command, options)


def output_options(command: F) -> F:
    """``--unsigned`` and ``--output``."""
    options = (
        click.option(
            "--unsigned",
            type=file_type,
            metavar="FILE",
            help="Sign nothing: write the bytes to sign, for ssh-keygen -Y sign.",
        ),
        click.option(
            "--output",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            help="Write the file below this directory, and leave the branch alone.",
        ),
    )
    return _apply(command, options)


def _apply(command: F, options: tuple[Callable[[F], F], ...]) -> F:
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a statement is written.

    Attributes:
        clone: The clone.
        branch: Its attestations branch.
        name: Name of that branch.
        remote: The server's name.
        now: Wall time to the second.
        as_json: How to answer.
    """

    clone: "AttestClone"
    branch: "AttestationsBranch"
    name: str
    remote: str
    now: datetime
    as_json: bool

    @classmethod
    def open(cls, repository: Path, attestations: str, remote: str, as_json: bool) -> "Desk":
        """Open the clone.

        Raises:
            InputError: There is none, or a name is not a plain one.
        """
        from reconciler.desired.attest.branch import AttestationsBranch
        from reconciler.desired.attest.clone import AttestClone
        from reconciler.engine.clock import SystemClock
        from reconciler.transport.location import check_branch

        clone = AttestClone(repository)
        branch = AttestationsBranch(
            clone.repository, check_branch(attestations), check_branch(remote)
        )
        now = SystemClock().now().replace(microsecond=0)
        return cls(clone, branch, attestations, remote, now, as_json)

    @property
    def push(self) -> str:
        """The command that makes it count."""
        return f"git push {self.remote} {self.name}"


@dataclass(frozen=True, slots=True)
class Ending:
    """Where what was signed goes.

    Attributes:
        unsigned: File for the bytes to sign, None to sign here.
        output: Directory for the signed file, None for the branch.
    """

    unsigned: Path | None
    output: Path | None


def finish_with_key(
    desk: Desk,
    ending: Ending,
    payload: bytes,
    key: "Key | None",
    more: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Sign with a key, or write what somebody else signs.

    Args:
        desk: Where.
        ending: Where what was signed goes.
        payload: What to sign.
        key: With what; None if nobody named one.
        more: What else machines are told.

    Raises:
        click.UsageError: There is neither a key nor ``--unsigned``.
        KeyMissing: The key signs nothing.
        MachineError: It cannot be written.
    """
    from reconciler.desired.attest.branch import sealed
    from reconciler.evidence import sshsig
    from reconciler.trust.envelope import NAMESPACE, to_be_signed

    if ending.unsigned is not None:
        _leave_unsigned(desk, ending.unsigned, payload, more)
        return
    if key is None:
        raise click.UsageError("give --key FILE, or --unsigned FILE to sign elsewhere")
    armor = sshsig.sign(key.to_sign_with(), to_be_signed(payload), NAMESPACE)
    finish(desk, ending.output, payload, sealed(payload, armor), more)


def finish(
    desk: Desk,
    output: Path | None,
    payload: bytes,
    files: Mapping[str, bytes],
    more: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Write a signed file, and say what to do next.

    Args:
        desk: Where.
        output: Directory for the file, None for the branch.
        payload: What was signed.
        files: Content by path.
        more: What else machines are told.

    Raises:
        MachineError: It cannot be written.
    """
    from reconciler.ledger.key_swap import rewrite
    from reconciler.trust.statements import read

    document = {"statement": document_of(read(payload)), **more, "files": list(files)}
    if output is not None:
        for path, content in files.items():
            _make_folder((output / path).parent)
            rewrite(output / path, content)
        say(desk, {**document, "output": str(output)}, [f"written  {output / p}" for p in files])
        return
    added = desk.branch.add(files, desk.now, "Attest")
    lines = [f"written  {path} on branch {desk.name}" for path in files]
    lines += [f"commit   {added.commit}", f"now:     {desk.push}"]
    say(desk, {**document, "commit": added.commit, "push": desk.push}, lines)


def _make_folder(folder: Path) -> None:
    from reconciler.errors import MachineError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(
            f"cannot make {folder}: {error.strerror}",
            hint="Name a directory that this user may write to.",
        ) from error


def _leave_unsigned(desk: Desk, file: Path, payload: bytes, more: Mapping[str, Any]) -> None:
    from reconciler.ledger.key_swap import rewrite
    from reconciler.trust.envelope import NAMESPACE, to_be_signed
    from reconciler.trust.statements import read

    rewrite(file, to_be_signed(payload))
    sign = f"ssh-keygen -Y sign -n {NAMESPACE} -f KEY {file}"
    add = f"reconciler attest add --payload {file} --signature {file}.sig"
    lines = [f"to sign  {file}", f"sign:    {sign}", f"then:    {add}"]
    document = {"statement": document_of(read(payload)), **more, "to_sign": str(file)}
    say(desk, {**document, "sign": sign, "add": add}, lines)


def document_of(statement: "Statement") -> dict[str, Any]:
    """A statement for machines: its fields as they are signed."""
    import json

    from reconciler.trust.statements import write

    value = json.loads(write(statement))
    return {"type": value["predicateType"], "subject": value["subject"], **value["predicate"]}


def say(desk: Desk, document: dict[str, Any], lines: list[str]) -> None:
    """The answer, in the form that was asked for."""
    if desk.as_json:
        emit(document)
    else:
        click.echo("\n".join(lines))


def ask(question: str, *, yes: bool) -> None:
    """Let a person at a terminal think about it.

    Raises:
        click.Abort: They do not want it.
    """
    if not yes and sys.stdin.isatty():
        click.confirm(question, abort=True, err=True)
