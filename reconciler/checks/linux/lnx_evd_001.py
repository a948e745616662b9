"""The evidence chain of this machine: does it verify, and is it current?

The engine audits its own ledger at start and answers like any machine. A chain that does not
verify is never repaired by a machine: it is reported and stays as it is.

Source: 45 CFR 164.316(b)(1), 164.316(b)(2)(i), 164.312(c)(2); NIST SP 800-53 AU-9, AU-10.
"""

from reconciler.checks.parsing.records import record
from reconciler.model.answer import Answers
from reconciler.model.check import Check, Field, Values
from reconciler.model.probe import Internal, Probe
from reconciler.model.values import Params

LEDGER = Internal("ledger")


def _parse(_params: Params, answers: Answers) -> Values:
    """Read what the audit of the ledger found."""
    ledger = record(answers.data(LEDGER), "ledger")
    newest_s = ledger.optional_whole("newest_age_s")
    return {
        "verified": ledger.flag("verified"),
        "entries": ledger.whole("entries"),
        "newest_age_h": None if newest_s is None else newest_s // 3600,
        "open_intents": ledger.whole("open_intents"),
        "faults": ledger.whole("faults"),
    }


def _probes(_params: Params) -> tuple[Probe, ...]:
    """The ledger."""
    return (LEDGER,)


CHECK = Check(
    id="LNX-EVD-001",
    title="Evidence chain verifies and is current",
    platforms=frozenset({"linux", "nixos"}),
    source="45 CFR 164.316(b)(1), 164.312(c)(2); SP 800-53 AU-9, AU-10",
    fields={
        "verified": Field("bool", "Whether every signature, link and number verifies."),
        "entries": Field("int", "How many entries the ledger holds.", gauge=True),
        "newest_age_h": Field(
            "int",
            "Age of the newest entry, hours; absent when it is empty.",
            optional=True,
            gauge=True,
        ),
        "open_intents": Field("int", "Intents that have no outcome yet."),
        "faults": Field("int", "Faults that the audit found."),
    },
    probes=_probes,
    parse=_parse,
)
