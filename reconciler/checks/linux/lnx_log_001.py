"""The journal: kept across reboots, bounded by policy, long enough, and still written.

Where journald writes is seen, not what its configuration wishes: it falls back to memory when
``/var/log/journal`` is missing. Age comes from the headers of the journal files themselves, so no
entry (which may hold anything) is read.

Source: 45 CFR 164.312(b), 164.308(a)(1)(ii)(D); CIS-Deb12:6.1.1.1; NIXOS:V-268107;
journald.conf(5); systemd "Journal File Format" (header).
"""

from collections.abc import Mapping

from reconciler.checks.parsing.journal_header import ON_DISK, Span, spans
from reconciler.checks.parsing.shapes import MAX_INT, NOW, age, refuse, stats
from reconciler.checks.parsing.systemd_conf import (
    conf_probes,
    effective,
    settings,
    size,
    timespan_s,
)
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.probe import Probe, ReadFile, StatPaths
from reconciler.model.values import Params, Value

CONF = "journald.conf"
MACHINE_ID = ReadFile("/etc/machine-id", limit=256)
FILES = StatPaths(
    (
        "/var/log/journal/*/*.journal",
        "/var/log/journal/*/*.journal~",
        "/run/log/journal/*/system.journal",
    )
)

MIB = 1024 * 1024
_STORAGES = frozenset({"volatile", "persistent", "auto", "none"})


def _machine_id(answers: Answers) -> str:
    machine = answers.text(MACHINE_ID).strip()
    if len(machine) != 32 or set(machine) - set("0123456789abcdef"):
        refuse(MACHINE_ID, "not a machine id (machine-id(5))")
    return machine


def _storage(raw: str) -> str | None:
    return raw if raw in _STORAGES else None


def _configured(answers: Answers) -> Mapping[str, Value]:
    assigned = settings(answers, CONF, "Journal")
    use = effective(assigned.get("SystemMaxUse", ()), size)
    retention = effective(assigned.get("MaxRetentionSec", ()), timespan_s) or 0
    return {
        "storage": effective(assigned.get("Storage", ()), _storage) or "auto",
        "max_use_mib": None if use is None else use // MIB,
        "max_retention_h": None if retention in {0, MAX_INT} else retention // 3600,
    }


def _stored(answers: Answers, machine: str) -> Mapping[str, Value]:
    files = stats(answers, FILES)
    kept = [file for file in files if file.path.startswith(f"/var/log/journal/{machine}/")]
    names = {file.path for file in files}
    in_memory = f"/run/log/journal/{machine}/system.journal" in names
    on_disk = f"/var/log/journal/{machine}/system.journal" in names
    return {
        "writes_to": "memory" if in_memory else "disk" if on_disk else "nowhere",
        "use_mib": sum(file.size for file in kept) // MIB,
        "set_aside": sum(file.path.endswith("~") for file in kept),
    }


def _ages(answers: Answers, machine: str) -> Mapping[str, Value]:
    found: list[Span] = spans(answers, ON_DISK, f"/var/log/journal/{machine}/")
    if not found:
        return {"oldest_age_h": None, "newest_age_min": None}
    oldest = age(answers, min(span.first_s for span in found), "oldest entry of the journal")
    newest = age(answers, max(span.last_s for span in found), "newest entry of the journal")
    return {"oldest_age_h": oldest // 3600, "newest_age_min": newest // 60}


def _parse(_params: Params, answers: Answers) -> Values:
    """Read configuration, files and headers; headers need root or the group systemd-journal."""
    machine = _machine_id(answers)
    return {
        **_configured(answers),
        **_stored(answers, machine),
        **_ages(answers, machine),
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """Configuration, files and headers of the journal, and the run's clock."""
    return (MACHINE_ID, FILES, ON_DISK, NOW, *conf_probes(CONF))


CHECK = Check(
    id="LNX-LOG-001",
    title="Journal is persistent and bounded by policy",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.312(b); CIS-Deb12:6.1.1.1; NIXOS:V-268107; journald.conf(5)",
    fields={
        "storage": Field("str", "Storage= in force: persistent, auto (default), volatile, none."),
        "max_use_mib": Field("int", "SystemMaxUse= in MiB; absent when not set.", optional=True),
        "max_retention_h": Field(
            "int", "MaxRetentionSec= in hours; absent when entries do not expire.", optional=True
        ),
        "writes_to": Field("str", "Where journald writes now: disk, memory or nowhere."),
        "use_mib": Field("int", "Size of this machine's journal on disk, MiB.", gauge=True),
        "set_aside": Field("int", "Files that journald found damaged or not closed (*.journal~)."),
        "oldest_age_h": Field(
            "int",
            "Age of the oldest entry on disk, hours; absent when none.",
            optional=True,
            gauge=True,
        ),
        "newest_age_min": Field(
            "int",
            "Age of the newest entry on disk, minutes; absent when none.",
            optional=True,
            gauge=True,
        ),
    },
    probes=_probes,
    parse=_parse,
)
