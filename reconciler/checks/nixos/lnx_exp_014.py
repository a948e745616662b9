"""/etc is what activation made of it: links into the store, copies with the declared content.

A plain file where a link should be is an edit that the next rebuild may keep, and that nobody
reviewed (lesson 9: "fixed" with sed). Undeclared is looked for where a file acts by being there:
sudo, profiles, SSH, udev, certificates of authorities and so on; docs/expectations.md has the list.

Source: 45 CFR 164.312(c)(1); NIST SP 800-53 CM-3, CM-5, SI-7.
"""

import re
from collections.abc import Mapping

from reconciler.checks.parsing import declared
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.listing import LINK, entries
from reconciler.checks.parsing.records import Record, record
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.expected import CERTIFICATES, ETC
from reconciler.model.nixos_probe import DeclaredFiles, Entries, RealPath
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_LIVE = Entries(("/etc",), depth=12)
_COPIES = DeclaredFiles()
_STATIC = RealPath("/etc/static")
_OF_SYSTEM = RealPath("/run/current-system/etc")

# Directories whose files act by being there, and single files that do.
_ACTS = re.compile(
    r"(?:audit|binfmt\.d|containers/systemd|dbus-1|environment\.d|fish/conf\.d|ld\.so\.conf\.d"
    r"|modprobe\.d|modules-load\.d|NetworkManager|nix|pki|polkit-1|profile\.d|security"
    r"|ssh/sshd?_config\.d|ssl|sudoers\.d|sysctl\.d|systemd|sysusers\.d|tmpfiles\.d|udev|userdb"
    r"|xdg/autostart|xinetd\.d)/.+"
    # The C library of NixOS reads a name of its own.
    r"|ld(?:-nix)?\.so\.preload|ld\.so\.conf|sudo\.conf|sudoers|doas\.conf|rc\.local|environment"
    r"|profile(?:\.local)?|bashrc(?:\.local)?|bash\.bashrc|bash_logout|fish/config\.fish"
    r"|z(?:shenv|profile|shrc|login|logout)(?:\.local)?|inetd\.conf|nftables\.conf"
    r"|crypttab|dhcpcd\.(?:enter|exit)-hook|hosts\.(?:allow|deny|equiv)|exports(?:\.d/.+)?"
    r"|ssh/(?:sshd?_config|sshrc)"
)
# Units, drop-ins of units and PAM services are checks of their own; keys and
# what else is secret are no configuration's.
_ELSEWHERE = re.compile(
    r"systemd/system(?:\.control|\.attached)?/.+|NetworkManager/system-connections/.+"
    r"|nix/(?:netrc|.*\.(?:key|pem|private|sec))|security/opasswd|ssl/private/.+"
)
# Where sops-nix and agenix link declared secrets to, out of the places for such.
_SECRET = re.compile(r"-> /run/(?:secrets|agenix)(?:\.d)?(?:/[A-Za-z0-9_@-][^/]*)+")
_HOLDS_SECRETS = ("NetworkManager/", "nix/", "pki/", "ssl/")
# Activation links these into the store, too, where the system brings the program from there.
_SHELLS = {
    RealPath("/bin/sh"): RealPath("/run/current-system/sw/bin/sh"),
    RealPath("/usr/bin/env"): RealPath("/run/current-system/sw/bin/env"),
}
_STORE = "/nix/store/"


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, _LIVE, _COPIES, _STATIC, _OF_SYSTEM, *_SHELLS, *_SHELLS.values())


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted = document.read(ETC)
    live = {p.removeprefix("/etc/"): kind for p, kind in entries(answers, _LIVE).items()}
    copies = record(answers.data(_COPIES), "copies in /etc")
    drift = Drift()
    for path, kind in wanted.items():
        if not _is_there(path, live):
            drift.missing.add(path)
        elif not _is_as_declared(path, kind, live, copies):
            drift.different.add(path)
    # Where /etc is an overlay nothing leads through it.
    if "link" in wanted.values() and _static(answers) != answers.text(_OF_SYSTEM):
        drift.different.add("static")
    for link, program in _SHELLS.items():
        if _leads(program, answers) and _leads(link, answers) is False:
            drift.different.add(link.path.removeprefix("/"))
    certificates = {one.path.removeprefix("/etc/") for one in document.read(CERTIFICATES)}
    drift.undeclared = {
        path
        for path in live
        if path not in certificates and _is_undeclared(path, live[path], wanted)
    }
    drift.owned = not drift.undeclared
    return declared.values(document, drift)


def _static(answers: Answers) -> str | None:
    return None if answers.absent(_STATIC) else answers.text(_STATIC)


def _leads(path: RealPath, answers: Answers) -> bool | None:
    """Whether a path leads into the store; None where there is nothing."""
    return None if answers.absent(path) else answers.text(path).startswith(_STORE)


def _is_as_declared(path: str, kind: str, live: Mapping[str, str], copies: Record) -> bool:
    if kind.startswith(LINK):
        return live.get(path) == kind
    return _is_link(path, live) if kind == "link" else _is_copy(path, copies)


def _is_there(path: str, live: Mapping[str, str]) -> bool:
    """Whether it is there itself, or below a directory that is one link."""
    return path in live or _linked_above(path, live)


def _linked_above(path: str, live: Mapping[str, str]) -> bool:
    parts = path.split("/")
    above = ("/".join(parts[:end]) for end in range(1, len(parts)))
    return any(live.get(one) == _link_to_static(one) for one in above)


def _is_link(path: str, live: Mapping[str, str]) -> bool:
    return live.get(path) == _link_to_static(path) or _linked_above(path, live)


def _link_to_static(path: str) -> str:
    return f"{LINK}/etc/static/{path}"


def _is_copy(path: str, copies: Record) -> bool:
    if path not in copies.fields:
        return False
    facts = record(copies.fields[path], "copies in /etc")
    mode = facts.optional_text("declared_mode")
    right = mode in {None, facts.text("mode")} and facts.flag("owned")
    return facts.flag("same") and right


def _is_undeclared(path: str, kind: str, wanted: Mapping[str, str]) -> bool:
    if kind in {"dir", _link_to_static(path)} or path in wanted:
        return False
    if path.startswith(_HOLDS_SECRETS) and _SECRET.fullmatch(kind):
        return False
    return _ACTS.fullmatch(path) is not None and _ELSEWHERE.fullmatch(path) is None


CHECK = Check(
    id="LNX-EXP-014",
    title="/etc holds what the declared system put there",
    platforms=frozenset({"nixos"}),
    source="45 CFR 164.312(c)(1); NIST SP 800-53 CM-3, CM-5, SI-7; tmpfiles.d(5)",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)
