"""A declared secret file is there and private (45 CFR 164.312(a)(1), 164.308(a)(5)(ii)(D)).

Keys and passwords of services lie in files; one ``chmod`` too many and every process reads them.
Facts about the file only, never its content. Links are not followed: a secret that turned into a
link is reported as one.
"""

from reconciler.checks.parsing.shapes import refuse, stats
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, StatPaths
from reconciler.model.values import Params

_TYPES = frozenset({"file", "dir", "link", "other"})


def _probe(params: Params) -> StatPaths:
    return StatPaths((str(params["path"]),))


def _probes(params: Params) -> tuple[Probe, ...]:
    return (_probe(params),)


def _parse(params: Params, answers: Answers) -> Values | NotApplicable:
    probe = _probe(params)
    found = stats(answers, probe)
    if not found:
        return {"exists": False, "type": None, "mode": None, "uid": None, "gid": None}
    fact = found[0]
    if len(found) != 1 or fact.path != params["path"] or fact.type not in _TYPES:
        refuse(probe, "the answer is about another path")
    if not 0 <= fact.mode <= 0o7777 or fact.uid < 0 or fact.gid < 0:
        refuse(probe, "the answer is out of range")
    return {
        "exists": True,
        "type": fact.type,
        "mode": f"{fact.mode:04o}",
        "uid": fact.uid,
        "gid": fact.gid,
    }


CHECK = Check(
    id="LNX-FILE-001",
    title="A secret file is there and private",
    platforms=frozenset({"linux", "nixos"}),
    source="inode(7); systemd.exec(5) Credentials",
    params={
        "path": Parameter(
            type="str",
            doc="Absolute path of the file, without wildcards.",
            pattern=r"/[A-Za-z0-9_.@:+/-]{1,1023}",
        )
    },
    fields={
        "exists": Field("bool", "Whether there is something at the path."),
        "type": Field("str", "file, dir, link or other.", optional=True),
        "mode": Field("str", "Permission bits, four octal digits: 0600.", optional=True),
        "uid": Field("int", "Numeric owner.", optional=True),
        "gid": Field("int", "Numeric group.", optional=True),
    },
    probes=_probes,
    parse=_parse,
)
