"""Drop-ins: no file beside the configuration changes what a declared unit or daemon does.

One line in /run/systemd/system/sshd.service.d makes a declared service start something else, and
the unit itself looks as it should. The same goes for the configuration directories in /run that
systemd's daemons read, and for generators, which PID 1 runs at each reload.
"""

import re
from collections.abc import Mapping

from reconciler.checks.parsing import declared, unit_files
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.listing import entries, files_in, linked
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.expected import BOOT
from reconciler.model.nixos_probe import Entries
from reconciler.model.probe import Probe, StatPaths
from reconciler.model.values import Params

_DAEMONS = ("coredump", "homed", "journal-remote", "journal-upload", "journald", "logind",
            "networkd", "oomd", "pstore", "resolved", "sleep", "system", "timesyncd",
            "user")  # fmt: skip
_IN_RUN = (
    *(f"/run/systemd/{name}.conf.d" for name in _DAEMONS),
    "/run/binfmt.d",
    "/run/dbus-1/system-services",
    "/run/dbus-1/system.d",
    "/run/environment.d",
    "/run/modprobe.d",
    "/run/modules-load.d",
    "/run/polkit-1/rules.d",
    "/run/sysctl.d",
    "/run/systemd/system-generators",
    "/run/systemd/system-environment-generators",
    "/run/systemd/user-generators",
    "/run/systemd/user-environment-generators",
    "/usr/local/lib/systemd/system-generators",
    "/run/systemd/network",
    "/run/systemd/nspawn",
    "/run/sysusers.d",
    "/run/tmpfiles.d",
    "/run/udev/rules.d",
    # Accounts as well: nss-systemd(8) believes what lies here.
    "/run/userdb",
)
_PLACES = Entries(_IN_RUN)
_LINKED = StatPaths(_IN_RUN)
# kmod(8) writes it at each boot, from the kernel's own list of devices.
_OF_THE_BOOT = frozenset({"tmpfiles.d/static-nodes.conf"})
# systemd-network-generator(8) writes these from words of the kernel's command line, before the
# root file system is there: how a machine is reached that is unlocked from afar.
_OF_THE_COMMAND_LINE = re.compile(
    r"network/(?:7[01]|9[01])-[A-Za-z0-9_.-]+\.(?:link|netdev|network)"
)
_NETWORK_WORDS = ("bond=", "bootdev=", "bridge=", "ifname=", "ip=", "nameserver=", "rd.", "vlan=")


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, unit_files.UNIT_FILES, _PLACES, _LINKED)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    found = set(unit_files.drop_ins(unit_files.placed(answers)))
    found |= _configuration(entries(answers, _PLACES)) | linked(answers, _LINKED)
    if any(word.startswith(_NETWORK_WORDS) for word in document.read(BOOT).params):
        found = {name for name in found if _OF_THE_COMMAND_LINE.fullmatch(name) is None}
    drift = Drift(undeclared=found, owned=not found)
    return declared.values(document, drift)


def _configuration(listing: Mapping[str, str]) -> frozenset[str]:
    names = {
        f"{directory.rpartition('/')[2]}/{name}"
        for directory in _IN_RUN
        for name in files_in(listing, directory)
    }
    return frozenset(names - _OF_THE_BOOT)


CHECK = Check(
    id="LNX-EXP-002",
    title="No drop-in changes what is declared",
    platforms=frozenset({"nixos"}),
    source="systemd.unit(5) on drop-ins; systemd.generator(7); NIST SP 800-53 CM-3, CM-5",
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)
