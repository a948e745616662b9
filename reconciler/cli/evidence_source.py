"""Which evidence a command reads: the appliance's own, or a repository that somebody was given."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reconciler.cli.common import config_option, home_of
from reconciler.errors import InputError, LedgerMissing

if TYPE_CHECKING:
    from reconciler.evidence.record import Branch
    from reconciler.evidence.signers import AllowedSigners
    from reconciler.ledger.index import Index

F = TypeVar("F", bound=Callable[..., Any])

_BRANCH = re.compile(r"refs/heads/([a-z0-9-]{1,63})/([a-z0-9-]{1,63})")

repository_option = click.option(
    "--repository",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="An evidence repository. Default: the one of the appliance's settings.",
)
signers_option = click.option(
    "--signers",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Who may sign; goes with --repository. Default: as the settings say.",
)
fleet_option = click.option(
    "--fleet",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="Work tree of the fleet repository. Default: here.",
)
evidence_option = click.option(
    "--evidence",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="For an INCIDENT: the evidence it is in; needs --signers. Default: as the settings say.",
)
evidence_signers_option = click.option(
    "--signers", type=click.Path(path_type=Path, dir_okay=False), help="Who may sign that evidence."
)
branch_option = click.option(
    "--branch", help="CLIENT/HOST. Default: the appliance's own, or the only one there is."
)
index_option = click.option(
    "--index",
    "index_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of the derived index; it can be deleted. Default: in the cache directory.",
)


@dataclass(frozen=True, slots=True)
class Source:
    """An evidence repository, and who may sign in it.

    Attributes:
        repository: Its directory.
        signers_file: The allowed signers file.
        allowed: What is in it.
        own: Client and host of the appliance whose settings were used, if so.
    """

    repository: Path
    signers_file: Path
    allowed: "AllowedSigners"
    own: tuple[str, str] | None

    def branches(self) -> "list[Branch]":
        """Every branch that has the form of an appliance's."""
        from reconciler.evidence.record import Branch
        from reconciler.ledger.objects import ObjectStore, repository_directory

        names = sorted(ObjectStore(repository_directory(self.repository)).refs())
        found = filter(None, map(_BRANCH.fullmatch, names))
        return [Branch(match[1], match[2], self.allowed) for match in found]

    def branch(self, wanted: str | None) -> "Branch":
        """The branch that is asked for, the appliance's own, or the only one.

        Raises:
            InputError: There are several, and none was named.
            LedgerMissing: There is none.
        """
        from reconciler.evidence.record import Branch

        if wanted is not None:
            return Branch(*_place(wanted), self.allowed)
        if self.own is not None:
            return Branch(*self.own, self.allowed)
        found = self.branches()
        if not found:
            hint = "Give the directory of an evidence repository."
            raise LedgerMissing(f"no appliance's branch in {self.repository}", hint=hint)
        if len(found) > 1:
            names = ", ".join(f"{b.client}/{b.host}" for b in found[:10])
            message = f"{self.repository} holds {len(found)} branches: {names}"
            raise InputError(message, hint="Say which one: --branch CLIENT/HOST.")
        return found[0]


def source_options(command: F) -> F:
    """The options that say which evidence is read."""
    for option in (branch_option, signers_option, repository_option, config_option):
        command = option(command)
    return command


def source_of(config: Path | None, repository: Path | None, signers: Path | None) -> Source:
    """The evidence that the options name.

    Raises:
        InputError: A repository without signers, or settings that cannot be read.
    """
    from reconciler.ledger.verify import load_signers

    if repository is not None:
        if signers is None:
            message = "an evidence repository needs --signers: nobody is trusted by default"
            raise click.UsageError(message)
        return Source(repository, signers, load_signers(signers), None)
    home = home_of(config)
    evidence = home.settings.evidence
    file = signers or home.path(evidence.signers)
    own = (home.settings.client, home.settings.host)
    return Source(home.path(evidence.repository), file, load_signers(file), own)


@contextmanager
def index_of(source: Source, file: Path | None, wanted: "list[Branch]") -> "Iterator[Index]":
    """The index of a repository, brought up to date; what is odd about it goes to stderr.

    Raises:
        LedgerDamaged: An entry does not verify.
        MachineError: The index cannot be read or written.
    """
    from reconciler.ledger.index import opened

    with opened(file or _cache(source.repository)) as index:
        for branch in wanted:
            dropped = index.refresh(source.repository, branch).dropped
            if dropped is not None:
                click.echo(
                    f"note: the index held {branch.ref} up to entry {dropped.seq} (sha256"
                    f" {dropped.digest}), and this history does not continue from there; the index"
                    " was made anew. If nobody restored the repository, history was rewritten.",
                    err=True,
                )
        yield index


def _cache(repository: Path) -> Path:
    cache, home = os.environ.get("XDG_CACHE_HOME"), os.environ.get("HOME")
    if not cache and not home:
        message = "there is no home directory to keep the index in"
        raise InputError(message, hint="Name a file: --index FILE.")
    directory = Path(cache) if cache else Path(home or "") / ".cache"
    name = hashlib.sha256(os.fsencode(repository.resolve())).hexdigest()[:32]
    return directory / "reconciler" / f"{name}.sqlite"


def _place(text: str) -> tuple[str, str]:
    match = _BRANCH.fullmatch(f"refs/heads/{text}")
    if match is None:
        raise click.BadParameter("must be CLIENT/HOST", param_hint="--branch")
    return match[1], match[2]
