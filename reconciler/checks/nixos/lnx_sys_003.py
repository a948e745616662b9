"""What is in the store is what was built: a verification ran lately and found no difference.

A store path names its recipe. That its bytes were not changed since, by a failing disk or by
somebody with root, is known only by hashing them, which takes minutes: ``reconciler store verify``
does it once a week and leaves a record, which is read here.

Source: 45 CFR 164.312(c)(1), 164.312(c)(2); NIST SP 800-53 SI-7(1); nix-store(1) --verify.
"""

from reconciler.checks.parsing.declared import EXPECTATIONS, MOST_NAMES
from reconciler.checks.parsing.moments import unix_s
from reconciler.checks.parsing.records import Record, from_json, record, texts
from reconciler.checks.parsing.shapes import NOW, age
from reconciler.checks.parsing.trusted_system import (
    REAPPLY_FIELD,
    RUNNING,
    SYSTEM,
    SYSTEM_FIELD,
    link_to_system,
    reapply,
    store_path,
    trusted,
)
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.values import Params

FORMAT = "reconciler-store/1"
_RECORD = ReadFile("/var/lib/reconciler/store-verify.json")
_MEMBERS = frozenset(
    {"closure_verified", "corrupt", "corrupt_count", "finished", "format", "missing"}
    | {"missing_count", "paths", "started", "system", "untrusted"}
)


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (SYSTEM, EXPECTATIONS, RUNNING, NOW, _RECORD)


def _parse(_params: Params, answers: Answers) -> Values | NotApplicable:
    system = trusted(answers).path
    kept = _read(answers.text(_RECORD))
    corrupt, missing = _paths(kept, "corrupt"), _paths(kept, "missing")
    return {
        "system": system,
        "reapply": reapply(answers),
        "age_s": age(answers, unix_s(kept.text("finished"), "finished"), "the verification"),
        "paths": kept.whole("paths"),
        "corrupt": corrupt[:MOST_NAMES],
        "corrupt_count": max(kept.whole("corrupt_count"), len(corrupt)),
        "missing": missing[:MOST_NAMES],
        "missing_count": max(kept.whole("missing_count"), len(missing)),
        "untrusted": kept.whole("untrusted"),
        "whole": kept.flag("closure_verified"),
        "current": kept.text("system") == link_to_system(answers, RUNNING),
    }


def _read(text: str) -> Record:
    kept = record(from_json(text, "the record of the store"), "the record of the store")
    if kept.fields.get("format") != FORMAT or kept.fields.keys() != _MEMBERS:
        raise Unobservable("the record of the store is not of a format that is known here")
    return kept


def _paths(kept: Record, name: str) -> tuple[str, ...]:
    paths = texts(kept.fields.get(name), "the record of the store", limit=256)
    return tuple(sorted(map(store_path, paths)))


CHECK = Check(
    id="LNX-SYS-003",
    title="Nix store contents verify",
    platforms=frozenset({"nixos"}),
    source="45 CFR 164.312(c)(1); NIST SP 800-53 SI-7(1); nix-store(1) --verify --check-contents",
    fields={
        "system": SYSTEM_FIELD,
        "reapply": REAPPLY_FIELD,
        "age_s": Field("int", "Seconds since the last verification ended.", gauge=True),
        "paths": Field("int", "Store paths that it looked at.", gauge=True),
        "corrupt": Field("list[str]", "Paths whose bytes are others; at most 64."),
        "corrupt_count": Field("int", "How many there are."),
        "missing": Field("list[str]", "Paths that the database knows and the disk has not."),
        "missing_count": Field("int", "How many there are."),
        "untrusted": Field("int", "Paths without a signature by a trusted key."),
        "whole": Field("bool", "Whether it looked at all of the system that ran then."),
        "current": Field("bool", "Whether that is the system that runs now."),
    },
    probes=_probes,
    parse=_parse,
)
