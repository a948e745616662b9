"""Every declared administrator can still come in (45 CFR 164.312(a)(2)(i), (a)(2)(ii)).

Asked before and after access is taken from somebody else, so that a clean-up never locks out the
people who must look at what it found. Only declared keys count, in the files that sshd reads for
that account; whoever may come in by a rule that cannot be read here is not judged able.
"""

from collections.abc import Sequence

from reconciler.checks.parsing import authorized_keys, given, passwd, sshd
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.local_account import Account
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_BARRED = ("allowusers", "denyusers", "allowgroups", "denygroups")
_NO_SHELL = frozenset({"nologin", "false", "sync", "shutdown", "halt"})


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (*sshd.PROBES, *authorized_keys.PROBES, passwd.SHADOW)


def _parse(params: Params, answers: Answers) -> Values | NotApplicable:
    settings = sshd.settings(answers)
    if isinstance(settings, NotApplicable):
        return settings
    places = _places(settings)
    declared = set(given.texts(params, "keys"))
    opened = {
        path
        for path, keys in authorized_keys.by_file(answers).items()
        if declared & {key.fingerprint for key in keys}
    }
    # Unlike the roster, this must know who is closed: without shadow(5) nobody is judged able.
    answers.text(passwd.SHADOW)
    closed = passwd.closed(answers)
    accounts = {a.name: a for a in passwd.accounts(answers.text(passwd.PASSWD))}
    admins = given.texts(params, "admins")
    able = {
        name
        for name in admins
        if name not in closed and _comes_in(accounts.get(name), places, opened)
    }
    return {"able": len(able), "unable": tuple(sorted(set(admins) - able))}


def _places(settings: sshd.Settings) -> Sequence[str]:
    if any(settings.general.get(word) or settings.blocks.get(word) for word in _BARRED):
        raise Unobservable("sshd lets in by lists of users or groups, which are not read here")
    if {"authorizedkeysfile", "pubkeyauthentication"} & set(settings.blocks):
        raise Unobservable("a Match block says who comes in by a key, which is not read here")
    if settings.one_text("pubkeyauthentication") != "yes":
        return ()
    places = settings.one_text("authorizedkeysfile").split()
    if set(places) - authorized_keys.KNOWN_PLACES:
        raise Unobservable("AuthorizedKeysFile names a place that is not looked at")
    return places


def _comes_in(account: Account | None, places: Sequence[str], opened: set[str]) -> bool:
    if account is None or account.shell.rpartition("/")[2] in _NO_SHELL:
        return False
    return any(_file(place, account) in opened for place in places)


def _file(place: str, account: Account) -> str:
    """A value of AuthorizedKeysFile as the path that it is for one account."""
    if not place.startswith(("/", "%")):
        place = f"%h/{place}"
    return place.replace("%h", account.home).replace("%u", account.name)


CHECK = Check(
    id="LNX-AUTH-007",
    title="Declared administrators can come in",
    platforms=frozenset({"linux", "nixos"}),
    source="sshd_config(5) AuthorizedKeysFile; passwd(5); shadow(5)",
    params={
        "admins": Parameter(
            type="list[str]", doc="Accounts that must be able to.", required=False, default=()
        ),
        "keys": Parameter(
            type="list[str]", doc="Fingerprints that are declared.", required=False, default=()
        ),
    },
    fields={
        "able": Field("int", "Number of these accounts that a declared key lets in."),
        "unable": Field("list[str]", "Names of those that none lets in, sorted."),
    },
    probes=_probes,
    parse=_parse,
)
