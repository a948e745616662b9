"""Close the accounts of people that the host does not declare: nobody comes in by them any more.

Closed, not removed: the account expires on day 1, as usermod(8) says to do where more than the
password is to be locked. Its files, its keys and its place in the logs stay for whoever looks into
it, and undoing sets the day that was there before. Accounts of the system, of root and of the
reconciler are never closed.
"""

from collections.abc import Iterator

from reconciler.errors import InputError
from reconciler.model.answer import Answers
from reconciler.model.local_account import (
    CLOSED,
    expiry,
    is_person,
    read_accounts,
    read_shadow,
)
from reconciler.model.operation import Operation, Run
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take

_PASSWD, _SHADOW = ReadFile("/etc/passwd"), ReadFile("/etc/shadow")
_NEVER = frozenset({"root", "nobody", "reconciler"})


def before(_params: Params) -> tuple[Probe, ...]:
    """Who is there, and on which day each account expires."""
    return (_PASSWD, _SHADOW)


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Let each undeclared account expire."""
    return tuple(_expire(name, CLOSED) for name, _day in _open(params, before))


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Set the days that were there before."""
    return tuple(_expire(name, day) for name, day in _open(params, before))


def _expire(name: str, day: str) -> Run:
    return Run(("usermod", "--expiredate", day, name))


def _open(params: Params, before: Answers) -> Iterator[tuple[str, str]]:
    """Undeclared accounts of people that are open, each with its day of expiry."""
    declared = frozenset(take.texts(params, "declared"))
    if not declared:
        raise InputError(
            "no account is declared, so every account would be closed",
            hint="Declare the accounts of the host's people under accounts.",
        )
    shadow = read_shadow(before.text(_SHADOW))
    return iter(
        [
            (account.name, expiry(shadow, account.name))
            for account in read_accounts(before.text(_PASSWD))
            if is_person(account)
            and account.name not in declared | _NEVER
            and expiry(shadow, account.name) != CLOSED
        ]
    )


STEP = StepKind(
    id="accounts.close",
    doc="Close the accounts of people that the host does not declare.",
    params={
        "declared": Parameter(
            type="list[str]",
            doc="Names of the accounts that stay open.",
            pattern=r"[a-z_][a-z0-9_-]{0,31}",
        )
    },
    before=before,
    do=do,
    undo=undo,
    reversible=True,
)
