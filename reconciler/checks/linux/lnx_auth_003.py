"""Local accounts: every person has one, and it is on the roster (45 CFR 164.312(a)(2)(i)).

A second account with uid 0, or two names for one uid, makes acts untraceable (NIXOS V-268138).
The state of root's password is another subject (LNX-AUTH-006), because it takes root to see and
this does not. Nix's own build users are part of the system, not of the roster.
"""

from collections import Counter

from reconciler.checks.parsing import passwd
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.values import Params

_PASSWD = ReadFile("/etc/passwd")
_BUILDERS_GID = 30000


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (_PASSWD,)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    accounts = passwd.accounts(answers.text(_PASSWD))
    uids = Counter(account.uid for account in accounts)
    return {
        "accounts": tuple(sorted(a.name for a in accounts if _is_person(a))),
        "uid_zero": uids[0],
        "duplicate_uids": tuple(sorted(uid for uid, times in uids.items() if times > 1)),
    }


def _is_person(account: passwd.Account) -> bool:
    if account.uid == passwd.NOBODY and account.name == "nobody":
        return False
    return account.uid >= passwd.FIRST_PERSON and not _is_nix_builder(account)


def _is_nix_builder(account: passwd.Account) -> bool:
    """nixbld1 (uid 30001) and so on; all of it is compared, since a name alone could be taken."""
    suffix = account.name.removeprefix("nixbld")
    return (
        suffix.isdecimal()
        and suffix.isascii()
        and account.uid == _BUILDERS_GID + int(suffix)
        and account.gid == _BUILDERS_GID
        and account.shell.endswith("/nologin")
    )


CHECK = Check(
    id="LNX-AUTH-003",
    title="Local accounts equal the declared roster",
    platforms=frozenset({"linux", "nixos"}),
    source="passwd(5); NIXOS V-268138",
    fields={
        "accounts": Field("list[str]", "Names of accounts with uid 1000 and above, sorted."),
        "uid_zero": Field("int", "Number of accounts with uid 0."),
        "duplicate_uids": Field("list[int]", "Uids that more than one account has, sorted."),
    },
    probes=_probes,
    parse=_parse,
)
