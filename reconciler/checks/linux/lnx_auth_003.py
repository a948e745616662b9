"""Local accounts: every person has one, and it is on the roster (45 CFR 164.312(a)(2)(i)).

A second account with uid 0, or two names for one uid, makes acts untraceable (NIXOS V-268138).
An account that is closed as usermod(8) says (it expired on day 1) lets nobody in: it is kept for
the files it owns and for whoever looks into it, and is not on the roster. Without root nobody is
known to be closed, so every account counts. Nix's own build users are part of the system.
"""

from collections import Counter

from reconciler.checks.parsing import passwd
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.local_account import is_person
from reconciler.model.probe import Probe
from reconciler.model.values import Params


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (passwd.PASSWD, passwd.SHADOW)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    accounts = passwd.accounts(answers.text(passwd.PASSWD))
    closed = passwd.closed(answers)
    uids = Counter(account.uid for account in accounts)
    return {
        "accounts": tuple(
            sorted(a.name for a in accounts if is_person(a) and a.name not in closed)
        ),
        "uid_zero": uids[0],
        "duplicate_uids": tuple(sorted(uid for uid, times in uids.items() if times > 1)),
    }


CHECK = Check(
    id="LNX-AUTH-003",
    title="Local accounts equal the declared roster",
    platforms=frozenset({"linux", "nixos"}),
    source="passwd(5); shadow(5) and usermod(8) on day 1 of expiry; NIXOS V-268138",
    fields={
        "accounts": Field(
            "list[str]", "Names of accounts with uid 1000 and above that are not closed, sorted."
        ),
        "uid_zero": Field("int", "Number of accounts with uid 0."),
        "duplicate_uids": Field("list[int]", "Uids that more than one account has, sorted."),
    },
    probes=_probes,
    parse=_parse,
)
