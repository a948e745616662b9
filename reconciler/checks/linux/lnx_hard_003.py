"""No core dumps on disk (45 CFR 164.312(a)(1), 164.310(d)(1)).

The memory of a program that touched ePHI holds ePHI, and a dump writes it to a file that nobody
declared. What happens on a crash follows from core(5): the kernel's pattern names a program or a
file; a file is written only within the soft limit that services start with. Dumps that lie there
already are counted, never named: their names hold the program and the user.
"""

from reconciler.checks.parsing import sysctl, systemd_conf
from reconciler.checks.parsing.shapes import refuse, stats
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import BusProperty, Probe, StatPaths
from reconciler.model.values import Params

_PATTERN = sysctl.probe("kernel.core_pattern")
_DIRECTORY = StatPaths(("/var/lib/systemd/coredump/*",))
_SOFT_LIMIT = BusProperty(
    "org.freedesktop.systemd1",
    "/org/freedesktop/systemd1",
    "org.freedesktop.systemd1.Manager",
    "DefaultLimitCORESoft",
)
_CONF = "coredump.conf"
_STORAGES = frozenset({"none", "external", "journal"})
_SWALLOWS = frozenset({"/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true", "/dev/null"})


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (_PATTERN, _SOFT_LIMIT, _DIRECTORY, *systemd_conf.conf_probes(_CONF))


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    handler = _handler(answers.text(_PATTERN).strip())
    storage = _storage(answers)
    limited = _soft_limit(answers) == 0
    return {
        "handler": handler,
        "storage": storage,
        "services_limited": limited,
        "kept_on_disk": _kept(handler, storage, limited),
        "dumps": len(stats(answers, _DIRECTORY)),
    }


def _handler(pattern: str) -> str:
    if not pattern.startswith("|"):
        return "file" if pattern else "none"
    program = pattern[1:].split(" ")[0]
    if program in _SWALLOWS:
        return "none"
    return "systemd-coredump" if program.endswith("/systemd-coredump") else "program"


def _storage(answers: Answers) -> str:
    """Storage= of coredump.conf(5); external when nothing is set."""
    assigned = systemd_conf.settings(answers, _CONF, "Coredump").get("Storage", ())
    found = systemd_conf.effective(assigned, lambda text: text if text in _STORAGES else None)
    return found or "external"


def _soft_limit(answers: Answers) -> int:
    value = answers.data(_SOFT_LIMIT)
    if type(value) is not int or value < 0:
        refuse(_SOFT_LIMIT, "the limit is not a number")
    return value


def _kept(handler: str, storage: str, limited: bool) -> bool:
    match handler:
        case "none":
            return False
        case "systemd-coredump":
            return storage != "none"
        case "file":
            return not limited
        case _:
            # A program that is not known here may keep what it is given.
            return True


CHECK = Check(
    id="LNX-HARD-003",
    title="No core dumps on disk",
    platforms=frozenset({"linux", "nixos"}),
    source="core(5), coredump.conf(5), systemd-system.conf(5) DefaultLimitCORE=",
    fields={
        "handler": Field(
            "str", "Where the kernel sends dumps: systemd-coredump, program, file, none."
        ),
        "storage": Field("str", "Storage= of systemd-coredump: external, journal or none."),
        "services_limited": Field("bool", "Whether services start with a soft core limit of 0."),
        "kept_on_disk": Field("bool", "Whether a crash of a service would leave a dump on disk."),
        "dumps": Field("int", "Files in /var/lib/systemd/coredump."),
    },
    probes=_probes,
    parse=_parse,
)
