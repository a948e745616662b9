"""Files that run with the rights of another are the declared wrappers, and no others.

NixOS has no setuid file but those in /run/wrappers, each declared; the store cannot hold one. One
that lies elsewhere is a way to become root that somebody left; those in images of a container
engine that is declared are the images'. A path in a home is cut to ``/home/…`` in evidence;
elsewhere it is told without its first slash.

Source: 45 CFR 164.312(a)(1); NIST SP 800-53 AC-6(8), CM-7; capabilities(7).
"""

import re
from collections.abc import Iterator, Mapping

from reconciler.checks.parsing import declared, given, passwd
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.group import GROUP, groups
from reconciler.checks.parsing.records import Record, record, records, texts
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.declared import Units, Wrapper
from reconciler.model.expected import UNITS, WRAPPERS
from reconciler.model.nixos_probe import SetuidFiles
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe
from reconciler.model.values import Params

_CAPABILITY = re.compile(r"cap_[a-z0-9_]{1,32}")
_OWN_NEED = frozenset({"cap_setpcap"})
"""What the wrapper program of NixOS carries to hand on the others."""

_IMAGES = (
    ("containerd", "/var/lib/containerd/"),
    ("docker", "/var/lib/docker/"),
    ("k3s", "/var/lib/rancher/k3s/"),
    ("podman", "/var/lib/containers/storage/"),
)
"""Where declared engines keep images, behind a directory that only root enters."""

_HOMES = ("/home/", "/root/")


def _live(params: Params) -> SetuidFiles:
    return SetuidFiles(skip=given.texts(params, "skip"))


def _probes(params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, passwd.PASSWD, GROUP, _live(params))


def _parse(params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    wanted = {wrapper.name: wrapper for wrapper in document.read(WRAPPERS)}
    answer = record(answers.data(_live(params)), "setuid files")
    found = records(answer.fields.get("wrappers"), "wrappers")
    live = {one.text("name"): one for one in found}
    # By name: a second account with number 0 is a matter of accounts, not of each wrapper.
    users = {account.name: account.uid for account in passwd.accounts(answers.text(passwd.PASSWD))}
    numbers = {name: line.gid for name, line in groups(answers.text(GROUP)).items()}
    images = _images(document.read(UNITS))
    elsewhere = {
        _place(path)
        for path in texts(answer.fields.get("elsewhere"), "files", limit=4096)
        if not path.startswith(images)
    }
    drift = Drift(missing=set(wanted.keys() - live), owned=not elsewhere)
    drift.undeclared = {f"wrappers/{name}" for name in live.keys() - wanted} | elsewhere
    for name in wanted.keys() & live.keys():
        about = set(_about(wanted[name], live[name], users, numbers))
        # What was put in its place may look the same, and is younger.
        drift.different |= about or ({f"{name}:file"} if live[name].flag("late") else set())
    if not drift and not answer.flag("whole"):
        raise Unobservable("setuid files: not every file system was walked yet")
    return declared.values(document, drift)


def _images(units: Units) -> tuple[str, ...]:
    names = {name.partition(".")[0] for name in (*units.run, *units.sockets, *units.oneshot)}
    return tuple(place for engine, place in _IMAGES if engine in names)


def _about(
    wanted: Wrapper, live: Record, users: Mapping[str, int], numbers: Mapping[str, int]
) -> Iterator[str]:
    capabilities = set(texts(live.fields.get("capabilities"), "wrappers"))
    same = {
        "mode": live.whole("mode") == int(wanted.mode, 8),
        "owner": users.get(wanted.owner) == live.whole("uid"),
        "group": numbers.get(wanted.group) == live.whole("gid"),
        "capabilities": capabilities - _OWN_NEED
        == set(_CAPABILITY.findall(wanted.capabilities.lower())) - _OWN_NEED,
    }
    return (f"{wanted.name}:{what}" for what, is_same in same.items() if not is_same)


def _place(path: str) -> str:
    return path if path.startswith(_HOMES) else path.removeprefix("/")


CHECK = Check(
    id="LNX-EXP-011",
    title="Files with the rights of another are the declared wrappers",
    platforms=frozenset({"nixos"}),
    source="capabilities(7); chmod(1); NIST SP 800-53 AC-6(8), CM-7",
    params={
        "skip": Parameter(
            type="list[str]",
            doc="Directories that are not walked, such as those of container images.",
            required=False,
            default=(),
            pattern=r"(?:/[A-Za-z0-9_.-]{1,64}){1,8}",
            max_items=16,
        )
    },
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)
