"""The SSH keys that open this machine, by fingerprint (45 CFR 164.308(a)(3)(ii)(C), 164.312(d)).

A key that nobody declared is access that nobody gave. Fingerprints only: comments of keys often
hold e-mail addresses. Files that cannot be read make the whole check unobservable, because the
one undeclared key would be in them.
"""

from reconciler.checks.parsing import authorized_keys, sshd
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe
from reconciler.model.values import Params


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (*sshd.PROBES, *authorized_keys.PROBES)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    settings = sshd.settings(answers)
    if isinstance(settings, NotApplicable):
        return settings
    places = _places(settings)
    found = authorized_keys.read_keys(answers)
    return {
        "fingerprints": tuple(sorted({key.fingerprint for key in found.keys})),
        "files": found.files,
        "lines_not_understood": found.not_understood,
        "homes_not_looked_at": found.homes_elsewhere,
        "keys_in_homes": any("authorized_keys.d" not in place for place in places),
        "keys_from_command": _from_command(settings),
    }


def _places(settings: sshd.Settings) -> frozenset[str]:
    lines = (
        settings.one_text("authorizedkeysfile"),
        *settings.blocks.get("authorizedkeysfile", ()),
    )
    places = frozenset(place for line in lines for place in line.split()) - {"none"}
    if places - authorized_keys.KNOWN_PLACES:
        raise Unobservable("AuthorizedKeysFile names a place that is not looked at")
    return places


def _from_command(settings: sshd.Settings) -> bool:
    commands = (
        settings.one_text("authorizedkeyscommand"),
        *settings.blocks.get("authorizedkeyscommand", ()),
    )
    return set(commands) != {"none"}


CHECK = Check(
    id="LNX-AUTH-004",
    title="SSH keys equal the declared keys",
    platforms=frozenset({"linux", "nixos"}),
    source="sshd(8) AUTHORIZED_KEYS FILE FORMAT; sshd_config(5) AuthorizedKeysFile",
    fields={
        "fingerprints": Field("list[str]", "SHA256 fingerprints of all keys, distinct, sorted."),
        "files": Field("int", "Number of files that hold a key."),
        "lines_not_understood": Field("int", "Lines that could be keys and were not understood."),
        "homes_not_looked_at": Field("int", "Accounts with a shell and a home in another place."),
        "keys_in_homes": Field("bool", "Whether AuthorizedKeysFile names home directories."),
        "keys_from_command": Field("bool", "Whether AuthorizedKeysCommand may add keys."),
    },
    probes=_probes,
    parse=_parse,
)
