"""Declared audit rules are loaded in the kernel.

A rule file that was not loaded records nothing, so the kernel's list is compared. The same rule
has many spellings (``-w`` is short for a path and its accesses, ``unset`` is -1, ``-S all`` is the
default), so declared and loaded rules are both brought into one normal form first.

Source: 45 CFR 164.312(b); CIS-Deb12:6.2.3; NIXOS:V-268091, V-268094 to V-268100; auditctl(8).
"""

from reconciler.checks.parsing import given
from reconciler.checks.parsing.audit_rules import normal
from reconciler.checks.parsing.container import CONTAINER, audit_belongs_to_host
from reconciler.checks.parsing.records import texts
from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, NotApplicable, Values
from reconciler.model.parameter import Parameter
from reconciler.model.probe import AuditRules, Probe
from reconciler.model.values import Params

LOADED = AuditRules()


def _loaded(answers: Answers) -> frozenset[str]:
    rules = [normal(rule) for rule in texts(answers.data(LOADED), "audit rules", limit=8192)]
    if None in rules:
        raise Unobservable("audit rules: the kernel's list has a line that is no rule")
    return frozenset(rule for rule in rules if rule is not None)


def _parse(params: Params, answers: Answers) -> Values | NotApplicable:
    """Read the kernel's rules; needs root (CAP_AUDIT_CONTROL)."""
    elsewhere = audit_belongs_to_host(answers, LOADED)
    if elsewhere is not None:
        return elsewhere
    loaded = _loaded(answers)
    declared = {normal(rule) or rule for rule in given.texts(params, "declared")}
    return {
        "missing": tuple(sorted(declared - loaded)),
        "undeclared": tuple(sorted(loaded - declared)),
        "loaded_count": len(loaded),
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """The kernel's rules, and whether this is a container."""
    return (LOADED, CONTAINER)


CHECK = Check(
    id="LNX-AUD-002",
    title="Declared audit rules are loaded",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.312(b); CIS-Deb12:6.2.3; NIXOS:V-268091; auditctl(8)",
    params={
        "declared": Parameter(
            type="list[str]", doc="Rules that must be loaded, as auditctl(8) takes them."
        )
    },
    fields={
        "missing": Field(
            "list[str]", "Declared rules that are not loaded, or are no rule, in normal form."
        ),
        "undeclared": Field("list[str]", "Loaded rules that are not declared, in normal form."),
        "loaded_count": Field("int", "How many different rules are loaded."),
    },
    probes=_probes,
    parse=_parse,
)
