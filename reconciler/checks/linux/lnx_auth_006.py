"""Root's password is locked, and no account has an empty one (45 CFR 164.312(a)(2)(i), (d)).

Split from LNX-AUTH-003 because shadow(5) takes root to read. Lock state only: no hash, no age and
no name leaves the parser.
"""

from collections.abc import Mapping

from reconciler.checks.parsing import passwd
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.local_account import Account
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_LOCKED = ("!", "*")
_SHADOWED = "x"


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (passwd.PASSWD, passwd.SHADOW)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    accounts = passwd.accounts(answers.text(passwd.PASSWD))
    shadow = passwd.passwords(answers.text(passwd.SHADOW))
    fields = {account.name: _password(account, shadow) for account in accounts}
    if "root" not in fields:
        raise Unobservable("/etc/passwd has no account named root")
    return {
        "root_locked": fields["root"].startswith(_LOCKED),
        "empty_passwords": sum(1 for field in fields.values() if field == ""),
    }


def _password(account: Account, shadow: Mapping[str, str]) -> str:
    """The field that decides: ``x`` in passwd(5) points to shadow(5), where no entry locks."""
    return shadow.get(account.name, "!") if account.password == _SHADOWED else account.password


CHECK = Check(
    id="LNX-AUTH-006",
    title="Root password is locked",
    platforms=frozenset({"linux", "nixos"}),
    source="shadow(5); NIXOS V-268174",
    fields={
        "root_locked": Field("bool", "Whether no password can log in as root."),
        "empty_passwords": Field("int", "Number of accounts that need no password."),
    },
    probes=_probes,
    parse=_parse,
)
