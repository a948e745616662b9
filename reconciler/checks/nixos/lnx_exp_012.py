"""What runs at a set time is declared: timers, and jobs of cron(8) and at(1).

Names: a timer by its unit, ``crontab:mallory`` a table in the spool of cron, ``cron.d/name`` a file
in a directory that cron reads, ``at:name`` a job of at, ``crontab/7`` line 7 of /etc/crontab, and
``job/2`` the second declared job. What a job runs stays on the machine.

Source: 45 CFR 164.312(c)(1); NIST SP 800-53 CM-7; systemd.timer(5), crontab(5), at(1).
"""

import re
from collections.abc import Mapping

from reconciler.checks.parsing import declared, unit_files
from reconciler.checks.parsing.declared import Drift
from reconciler.checks.parsing.listing import entries, files_in, linked
from reconciler.checks.parsing.loaded_units import LOADED, idle, loaded, lost
from reconciler.model.answer import Answers
from reconciler.model.check import Check, NotApplicable, Values
from reconciler.model.expected import CRON, ETC, UNITS
from reconciler.model.nixos_probe import Entries
from reconciler.model.probe import Probe, ReadFile, StatPaths
from reconciler.model.values import Params

_TABLE = ReadFile("/etc/crontab")
_SPOOLS = ("/var/cron/tabs", "/var/spool/cron", "/var/spool/cron/crontabs", "/var/spool/fcron")
_JOBS_OF_AT = ("/var/spool/at", "/var/spool/atjobs", "/var/spool/cron/atjobs")
_DIRECTORIES = ("/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly",
                "/etc/cron.monthly")  # fmt: skip
_PLACES = Entries((*_SPOOLS, *_JOBS_OF_AT, *_DIRECTORIES))
_LINKED = StatPaths(_PLACES.directories)
_NO_JOB = frozenset({".SEQ", ".placeholder", ".keep"})
_SETTING = re.compile(r"[A-Za-z_]\w*\s*=")


def _probes(_params: Params) -> tuple[Probe, ...]:
    return (declared.EXPECTATIONS, LOADED, *unit_files.PROBES, _PLACES, _LINKED, _TABLE)


def _parse(params: Params, answers: Answers) -> Values | NotApplicable:
    document = declared.declared(answers)
    units, states = document.read(UNITS), loaded(answers)
    timers = set(units.timers)
    containers = unit_files.has_containers((*units.run, *units.sockets, *units.oneshot, *timers))
    # Whether a declared file in cron.d is as declared is LNX-EXP-014's.
    declared_files = document.read(ETC).keys()
    found = unit_files.units(unit_files.started(answers), containers=containers)
    loose = {name for name in found if name.endswith(".timer")}
    loose |= lost(states, ".timer") - timers
    drift = Drift(
        missing=idle(states, timers),
        different=loose & timers,
        undeclared={n for n in loose - timers if not unit_files.allowed(n, params)},
    )
    drift.undeclared |= _put_there(entries(answers, _PLACES)) - declared_files
    drift.undeclared |= linked(answers, _LINKED) - {f"etc/{name}" for name in declared_files}
    drift.owned = not drift.different and not drift.undeclared
    _table(drift, document.read(CRON).jobs, answers)
    return declared.values(document, drift)


def _put_there(listing: Mapping[str, str]) -> set[str]:
    found = {f"crontab:{name}" for spool in _SPOOLS for name in _files(listing, spool)}
    found |= {f"at:{name}" for spool in _JOBS_OF_AT for name in _files(listing, spool)}
    for directory in _DIRECTORIES:
        short = directory.removeprefix("/etc/")
        found |= {f"{short}/{name}" for name in _files(listing, directory)}
    return found


def _files(listing: Mapping[str, str], directory: str) -> set[str]:
    return {n for n in files_in(listing, directory) if "/" not in n and n not in _NO_JOB}


def _table(drift: Drift, jobs: tuple[str, ...], answers: Answers) -> None:
    """Lines of /etc/crontab, which activation writes anew each time."""
    text = "" if answers.absent(_TABLE) else answers.text(_TABLE)
    lines = {number: _folded(line) for number, line in enumerate(text.split("\n"), start=1)}
    live = {n: line for n, line in lines.items() if line and not _is_no_job(line)}
    wanted = {number: _folded(job) for number, job in enumerate(jobs, start=1)}
    drift.missing |= {f"job/{n}" for n, job in wanted.items() if job not in live.values()}
    drift.undeclared |= {f"crontab/{n}" for n, line in live.items() if line not in wanted.values()}


def _is_no_job(line: str) -> bool:
    return line.startswith("#") or _SETTING.match(line) is not None


def _folded(line: str) -> str:
    return " ".join(line.split())


CHECK = Check(
    id="LNX-EXP-012",
    title="Timers and scheduled jobs are those that the configuration declares",
    platforms=frozenset({"nixos"}),
    source="systemd.timer(5); crontab(5); at(1); NIST SP 800-53 CM-7",
    params={"allow": unit_files.ALLOW},
    fields=declared.FIELDS,
    probes=_probes,
    parse=_parse,
)
