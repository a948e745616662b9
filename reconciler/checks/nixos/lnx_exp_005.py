"""Public keys that open a log-in are those that the configuration declares for that account.

A key that somebody added is a way in that no change of a password closes. Keys are told by account
and fingerprint: ``alice:SHA256:…``. A line that is no key here is one that sshd might still read.
Where keys may lie in places that are not looked at, nothing found is not known to be nothing.

Source: 45 CFR 164.312(d); sshd(8) AUTHORIZED_KEYS FILE FORMAT.
"""

import base64
import binascii
from collections.abc import Mapping

from reconciler.checks.parsing import authorized_keys, declared, passwd
from reconciler.checks.parsing.declared import Drift
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.authorized_key import fingerprint
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.declared import Key, Sshd
from reconciler.model.expected import KEYS, SSHD
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_OWN = "/etc/ssh/authorized_keys.d/"
"""Where activation puts the keys of each account, anew each time."""


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, *authorized_keys.PROBES)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted = {_named(key) for key in document.read(KEYS)}
    accounts = passwd.accounts(answers.text(passwd.PASSWD))
    found, unread = _live(answers, {a.home: a.name for a in reversed(accounts)})
    seen = {name for names in found.values() for name in names}
    drift = Drift(missing=wanted - seen, different=unread, undeclared=seen - wanted)
    rewritten = {f"{_OWN}{key.user}" for key in document.read(KEYS)}
    foreign = (path for path, names in found.items() if names - wanted)
    drift.owned = not unread and rewritten.issuperset(foreign)
    if not drift:
        _see_all(document.read(SSHD), answers)
    return declared.values(document, drift)


def _named(key: Key) -> str:
    try:
        return f"{key.user}:{fingerprint(base64.b64decode(key.key, validate=True))}"
    except binascii.Error as problem:
        raise Unobservable("expectations: keys has one that is not base64") from problem


def _see_all(sshd: Sshd, answers: Answers) -> None:
    """Refuse to say that there are no others where sshd reads keys in other places."""
    places = set(sshd.settings.get("authorizedkeysfile", ".ssh/authorized_keys").split())
    if places - authorized_keys.KNOWN_PLACES - {"none"}:
        raise Unobservable("AuthorizedKeysFile is declared with a place that is not looked at")
    in_homes = places - {"none", "/etc/ssh/authorized_keys.d/%u"}
    if in_homes and authorized_keys.homes_elsewhere(answers.text(authorized_keys.PASSWD)):
        raise Unobservable("an account with a shell has its home in a place that is not looked at")


def _live(answers: Answers, homes: Mapping[str, str]) -> tuple[Mapping[str, set[str]], set[str]]:
    """Keys by file, and accounts with a line that is no key."""
    found: dict[str, set[str]] = {}
    unread = set()
    for path, keys in authorized_keys.lines_by_file(answers).items():
        user = _user(path, homes)
        found[path] = {f"{user}:{key.fingerprint}" for key in keys if key is not None}
        if None in keys:
            unread.add(f"{user}:line")
    return found, unread


def _user(path: str, homes: Mapping[str, str]) -> str:
    if path.startswith(_OWN):
        return path.removeprefix(_OWN)
    return homes.get(path.partition("/.ssh/")[0], "?")


CHECK = Check(
    id="LNX-EXP-005",
    title="Authorized keys are those that the configuration declares",
    platforms=frozenset({"nixos"}),
    source="sshd(8) AUTHORIZED_KEYS FILE FORMAT; 45 CFR 164.312(d); NIST SP 800-53 IA-5",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)
