"""Accounts and groups are those that the configuration declares, in every respect.

Names: ``mallory`` is an account, ``alice:shell`` something about one, ``group:wheel`` a group and
``group:wheel:mallory`` who is in it. Every account counts, of the system too: LNX-AUTH-003 looks at
those of people. An account that is closed (usermod(8), day 1) lets nobody in and is left out.

Source: 45 CFR 164.312(a)(2)(i), 164.308(a)(4)(ii)(C); passwd(5), shadow(5), group(5).
"""

from collections.abc import Iterator, Mapping

from reconciler.checks.parsing import declared, passwd
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.group import GROUP, GroupLine, groups
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.declared import Group, User
from reconciler.model.expected import GROUPS, MUTABLE_USERS, USERS
from reconciler.model.local_account import Account
from reconciler.model.probe import Probe
from reconciler.model.values import Params


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, passwd.PASSWD, passwd.SHADOW, GROUP)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    accounts = {a.name: a for a in passwd.accounts(answers.text(passwd.PASSWD))}
    secrets = passwd.passwords(answers.text(passwd.SHADOW))
    lines = groups(answers.text(GROUP))
    drift = Drift()
    users = {user.name: user for user in document.read(USERS)}
    _accounts(drift, users, accounts, _Seen(secrets, {line.gid: n for n, line in lines.items()}))
    drift.undeclared -= passwd.closed(answers)
    _groups(drift, {group.name: group for group in document.read(GROUPS)}, lines)
    drift.owned = _owned(drift, mutable=document.read(MUTABLE_USERS))
    return declared.values(document, drift)


class _Seen:
    """What is live beside passwd(5): password fields, and names of groups by number."""

    def __init__(self, secrets: Mapping[str, str], names: Mapping[int, str]) -> None:
        self.secrets = secrets
        self.names = names


def _accounts(
    drift: Drift, users: Mapping[str, User], accounts: Mapping[str, Account], seen: _Seen
) -> None:
    drift.undeclared |= accounts.keys() - users.keys()
    drift.missing |= users.keys() - accounts.keys()
    for name in users.keys() & accounts.keys():
        drift.different |= set(_about(users[name], accounts[name], seen))


def _about(user: User, account: Account, seen: _Seen) -> Iterator[str]:
    same = {
        "uid": user.uid is None or user.uid == account.uid,
        "group": seen.names.get(account.gid) == user.group,
        "home": account.home == user.home,
        "shell": account.shell == user.shell,
        "password": _password_fits(user, account, seen.secrets.get(user.name, "!")),
    }
    return (f"{user.name}:{what}" for what, is_same in same.items() if not is_same)


def _password_fits(user: User, account: Account, secret: str) -> bool:
    """An empty field opens the account to everybody; one that is no hash closes it."""
    if account.password != "x":  # noqa: S105 - what passwd(5) holds when shadow(5) has the rest
        return False
    return bool(secret) and (secret[0] not in "!*") == (user.login == "password")


def _groups(drift: Drift, wanted: Mapping[str, Group], lines: Mapping[str, GroupLine]) -> None:
    drift.undeclared |= {f"group:{name}" for name in lines.keys() - wanted.keys()}
    drift.missing |= {f"group:{name}" for name in wanted.keys() - lines.keys()}
    for name in wanted.keys() & lines.keys():
        group, line = wanted[name], lines[name]
        if group.gid not in {None, line.gid}:
            drift.different.add(f"group:{name}:gid")
        drift.undeclared |= {f"group:{name}:{m}" for m in line.members - set(group.members)}
        drift.missing |= {f"group:{name}:{m}" for m in set(group.members) - line.members}


def _owned(drift: Drift, *, mutable: bool) -> bool:
    """Activation never renumbers, and where users are mutable it takes nothing away."""
    renumbered = any(name.endswith((":uid", ":gid")) for name in drift.different)
    passwords = any(name.endswith(":password") for name in drift.different)
    return not renumbered and not (mutable and (drift.undeclared or passwords))


CHECK = Check(
    id="LNX-EXP-004",
    title="Accounts and groups are those that the configuration declares",
    platforms=frozenset({"nixos"}),
    source="passwd(5); shadow(5); group(5); 45 CFR 164.312(a)(2)(i); NIST SP 800-53 AC-2",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)
