"""A restore that was really done: the record that a restore test leaves when every byte was right.

A backup that was never restored is a hope. The record is written only after the comparison, so
its absence says "not proven", and a broken restore leaves the old record to grow stale.

Source: 45 CFR 164.308(a)(7)(ii)(B) and (D); NIST SP 800-53 CP-4, CP-9(1).
"""

import re

from reconciler.checks.parsing import given
from reconciler.checks.parsing.records import from_json, record
from reconciler.checks.parsing.shapes import NOW, age, refuse
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.values import Params

DIRECTORY = "/var/lib/reconciler/restore-tests"

_SNAPSHOT_ID = re.compile(r"[0-9a-f]{8,64}")


def _record_of(params: Params) -> ReadFile:
    return ReadFile(f"{DIRECTORY}/{given.text(params, 'job')}.json", limit=16 * 1024)


def _parse(params: Params, answers: Answers) -> Values:
    """Read the record; one that belongs to another job, or restored nothing, is refused."""
    probe = _record_of(params)
    if answers.absent(probe):
        return {"age_h": None, "snapshot": None, "files": None, "bytes": None, "seconds": None}
    proof = record(from_json(answers.text(probe), "restore record"), "restore record")
    if proof.text("job") != given.text(params, "job"):
        refuse(probe, "the record belongs to another job")
    if _SNAPSHOT_ID.fullmatch(proof.text("snapshot")) is None:
        refuse(probe, "the id of the snapshot is not a digest")
    return {
        "age_h": age(answers, proof.whole("finished_at"), "restore record") // 3600,
        "snapshot": proof.text("snapshot")[:16],
        "files": proof.whole("files", lowest=1),
        "bytes": proof.whole("bytes"),
        "seconds": proof.whole("seconds"),
    }


def _probes(params: Params) -> tuple[Probe, ...]:
    """The record, and the run's clock."""
    return (_record_of(params), NOW)


CHECK = Check(
    id="LNX-BKP-002",
    title="A restore was proven recently",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.308(a)(7)(ii)(B), (D); SP 800-53 CP-4",
    params={
        "job": Parameter(type="str", doc="Name of the job.", pattern=r"[a-z0-9][a-z0-9-]{0,62}"),
    },
    fields={
        "age_h": Field(
            "int", "Hours since the proof; absent when there is none.", optional=True, gauge=True
        ),
        "snapshot": Field("str", "Start of the id of the snapshot restored.", optional=True),
        "files": Field("int", "Files restored and compared.", optional=True),
        "bytes": Field("int", "Bytes restored and compared.", optional=True),
        "seconds": Field("int", "How long the restore took, seconds.", optional=True),
    },
    probes=_probes,
    parse=_parse,
)
