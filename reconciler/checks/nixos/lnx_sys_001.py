"""The running system is the one that a signed release names for this host.

Equal path means same recipe: what its bytes are is LNX-SYS-003's. The profile counts as well, for
it is what the next boot takes, and so does the default entry of systemd-boot where there is one.
``update`` tells a machine that waits for a newer release from one that was changed.

Source: 45 CFR 164.308(a)(8), 164.312(c)(1); NIXOS:V-268153; bootctl(1), loader.conf(5).
"""

from reconciler.checks.parsing.boot_loader import CONF, ENTRIES, default_system
from reconciler.checks.parsing.declared import EXPECTATIONS
from reconciler.checks.parsing.pending_boot import PROBES, brings_kernel, pending
from reconciler.checks.parsing.shapes import files
from reconciler.checks.parsing.trusted_system import (
    BOOT,
    REAPPLY_FIELD,
    RUNNING,
    SYSTEM,
    SYSTEM_FIELD,
    link_to_system,
    reapply,
    trusted,
)
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.nixos_probe import RealPath
from reconciler.model.probe import Probe, ReadFile, ReadGlob
from reconciler.model.system_links import PROFILE
from reconciler.model.values import Params

_PROFILE = RealPath(PROFILE)
_LOADER, _ENTRIES = ReadFile(CONF), ReadGlob(ENTRIES)


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (SYSTEM, EXPECTATIONS, RUNNING, BOOT, _PROFILE, _LOADER, _ENTRIES, *PROBES)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    meant = trusted(answers)
    running = link_to_system(answers, RUNNING)
    profile = link_to_system(answers, _PROFILE)
    default = _boot_default(answers)
    boots = _boot_trusted(answers, default, running, meant.path)
    in_force = {running, profile} == {meant.path} and boots is not False
    return {
        "system": meant.path,
        "reapply": reapply(answers),
        "running": running,
        "booted": link_to_system(answers, BOOT),
        "profile": profile,
        "boot_default": default,
        "running_trusted": running == meant.path,
        "profile_trusted": profile == meant.path,
        "boot_trusted": boots,
        "behind": None if in_force else meant.path,
        "update": running != meant.path and running in meant.before,
    }


def _boot_trusted(
    answers: Answers, default: str | None, running: str | None, meant: str
) -> bool | None:
    """Whether the boot loader starts the trusted system; None where nothing can be said.

    A kernel that was never booted is not made the default on purpose: while it waits for its
    restart (LNX-SYS-002) another default is no drift.
    """
    if default is None or default == meant:
        return None if default is None else True
    waits = running == meant and brings_kernel(answers) and pending(answers)
    return None if waits else False


def _boot_default(answers: Answers) -> str | None:
    """The system that the boot loader starts by itself; None where another one is in use."""
    if answers.absent(_LOADER):
        return None
    return default_system(answers.text(_LOADER), files(answers, _ENTRIES))


CHECK = Check(
    id="LNX-SYS-001",
    title="Running system is the declared, signed system",
    platforms=frozenset({"nixos"}),
    source="NIXOS:V-268153; NIST SP 800-53 CM-2, CM-3, SI-7; loader.conf(5)",
    fields={
        "system": SYSTEM_FIELD,
        "reapply": REAPPLY_FIELD,
        "running": Field("str", "Store path of the system that runs.", optional=True),
        "booted": Field(
            "str", "Store path of the system that this boot began with.", optional=True
        ),
        "profile": Field("str", "Store path of the newest generation.", optional=True),
        "boot_default": Field(
            "str",
            "Store path that systemd-boot starts by itself, or what else it starts; none where it "
            "is not in use.",
            optional=True,
        ),
        "running_trusted": Field("bool", "Whether the trusted system runs."),
        "profile_trusted": Field("bool", "Whether it is the newest generation."),
        "boot_trusted": Field(
            "bool",
            "Whether the boot loader starts it; none where that is not known, or where its kernel "
            "waits for a restart.",
            optional=True,
        ),
        "behind": Field(
            "str",
            "The trusted system while it is not in force; none when it is. It tells the wait for "
            "one release from the wait for the next.",
            optional=True,
        ),
        "update": Field("bool", "Whether what runs was trusted before, and a newer one waits."),
    },
    probes=_probes,
    parse=_parse,
)
