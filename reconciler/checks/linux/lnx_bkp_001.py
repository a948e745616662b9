"""The newest backup of this host: how old, from which job, and whether it went well.

The repository is asked, not the unit: a job can succeed for months into the wrong place. Only
snapshots of this host count, so that a repository of many hosts does not hide a silent one. File
names in snapshots may hold PHI and never leave this parser. restic has no unencrypted format, so
a snapshot that was listed with the key of the password file is an encrypted one.

Source: 45 CFR 164.308(a)(7)(ii)(A), 164.310(d)(2)(iv); NIST SP 800-53 CP-9; restic "Scripting".
"""

import re
from collections.abc import Mapping

from reconciler.checks.parsing import given
from reconciler.checks.parsing.moments import unix_s
from reconciler.checks.parsing.records import Record, from_json, records, texts
from reconciler.checks.parsing.shapes import NOW, age, command, refuse, units
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Command, Probe, ReadFile, UnitStatus
from reconciler.model.values import Params, Value

HOST_NAME = ReadFile("/proc/sys/kernel/hostname", limit=1024)

_REMOTE = ("rest:", "s3:", "sftp:", "b2:", "azure:", "gs:", "swift:", "rclone:")
_SNAPSHOT_ID = re.compile(r"[0-9a-f]{64}")


def _snapshots(params: Params) -> Command:
    """Reads only: without ``--no-lock`` the look itself would write a lock into the repository."""
    return Command(
        (
            "restic",
            "-r",
            given.text(params, "repository"),
            "--no-lock",
            "--no-cache",
            "--json",
            "snapshots",
            "--latest",
            "1",
        ),
        timeout_s=60,
        environment=(("RESTIC_PASSWORD_FILE", given.text(params, "password_file")),),
    )


def _job_units(params: Params) -> UnitStatus:
    service = given.text(params, "unit")
    return UnitStatus((service, f"{service.removesuffix('.service')}.timer"))


def _ours(params: Params, answers: Answers) -> list[Record]:
    """Snapshots of this host, and of the job's tag when it has one."""
    probe = _snapshots(params)
    ran = command(answers, probe)
    if ran.exit != 0:
        refuse(probe, f"the repository could not be opened (exit {ran.exit})")
    found = from_json(ran.stdout, "list of snapshots")
    host = given.optional_text(params, "snapshot_host") or answers.text(HOST_NAME).strip()
    tag = given.optional_text(params, "tag")
    everyone = records([] if found is None else found, "snapshot")
    mine = [snapshot for snapshot in everyone if snapshot.text("hostname") == host]
    return [snapshot for snapshot in mine if tag is None or tag in _tags(snapshot)]


def _tags(snapshot: Record) -> tuple[str, ...]:
    tags = snapshot.fields.get("tags")
    return () if tags is None else texts(tags, "tags of a snapshot")


def _newest(params: Params, answers: Answers) -> Mapping[str, Value]:
    times = {
        unix_s(s.text("time"), "time of a snapshot"): s.text("id") for s in _ours(params, answers)
    }
    if not times:
        return {"snapshot": None, "snapshot_age_h": None}
    newest = max(times)
    if _SNAPSHOT_ID.fullmatch(times[newest]) is None:
        refuse(_snapshots(params), "the id of a snapshot is not a digest")
    return {
        "snapshot": times[newest][:16],
        "snapshot_age_h": age(answers, newest, "newest snapshot") // 3600,
    }


def _job(params: Params, answers: Answers) -> Mapping[str, Value]:
    probe = _job_units(params)
    service, timer = (units(answers, probe)[name] for name in probe.units)
    return {
        "unit_state": service.load_state,
        "unit_result": service.result,
        "timer_active": None if timer.load_state == "not-found" else timer.active_state == "active",
    }


def _parse(params: Params, answers: Answers) -> Values:
    """Read the list of snapshots and the job; needs the password file, so mostly root."""
    repository = given.text(params, "repository")
    return {
        **_newest(params, answers),
        **_job(params, answers),
        "repository_elsewhere": repository.startswith(_REMOTE),
    }


def _probes(params: Params) -> tuple[Probe, ...]:
    """The newest snapshots, the units of the job, the name of this host, and the run's clock."""
    return (_snapshots(params), _job_units(params), HOST_NAME, NOW)


CHECK = Check(
    id="LNX-BKP-001",
    title="Backup is recent, complete and encrypted",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.308(a)(7)(ii)(A); SP 800-53 CP-9; restic manual, Scripting",
    params={
        "job": Parameter(type="str", doc="Name of the job.", pattern=r"[a-z0-9][a-z0-9-]{0,62}"),
        "repository": Parameter(
            type="str",
            doc="restic repository; a location that holds a password is refused.",
            # Arguments of a process are visible to everyone on the machine.
            pattern=r"(?!-)(?!.*//[^/@]*:[^/@]*@)[^\x00-\x1f]{1,1024}",
        ),
        "password_file": Parameter(
            type="str", doc="File with the repository's password.", pattern=r"/[^\x00]*"
        ),
        "unit": Parameter(
            type="str",
            doc="Service that makes the backup; its timer has the same name.",
            pattern=r"[A-Za-z0-9:_.\\@-]{1,240}\.service",
        ),
        "tag": Parameter(type="str", doc="Tag of the job's snapshots.", required=False),
        "snapshot_host": Parameter(
            type="str", doc="Host name in snapshots, when it is not this host's.", required=False
        ),
    },
    fields={
        "snapshot": Field("str", "Start of the newest snapshot's id.", optional=True),
        "snapshot_age_h": Field(
            "int",
            "Age of the newest snapshot, hours; absent when there is none.",
            optional=True,
            gauge=True,
        ),
        "unit_state": Field("str", "Load state of the service: loaded, masked, not-found."),
        "unit_result": Field(
            "str", "Result of its last run; also success when it has not run since boot."
        ),
        "timer_active": Field(
            "bool", "Whether its timer waits; absent when there is none.", optional=True
        ),
        "repository_elsewhere": Field("bool", "Whether the repository is on another machine."),
    },
    probes=_probes,
    parse=_parse,
)
