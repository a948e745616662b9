"""Load the rule set of the file, in one transaction; undo loads the one that was in force.

``nft -f`` replaces the rule set or leaves it alone, so there is no moment without a firewall, as
there would be between stopping and starting ``nftables.service``.
"""

from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, Run, WriteFile
from reconciler.model.probe import Command, Probe
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import nftables

IN_FORCE = Command(("nft", "--stateless", "list", "ruleset"))
_BEFORE = "/run/reconciler/ruleset.before.nft"


def do(_params: Params, before: Answers) -> tuple[Operation, ...]:
    """Load it; it is known what was in force, or nothing is loaded."""
    _in_force(before)
    return (Run(("nft", "-f", nftables.FILE), timeout_s=30),)


def undo(_params: Params, before: Answers) -> tuple[Operation, ...]:
    """Load what was in force."""
    text = f"flush ruleset\n{_in_force(before)}"
    return (
        WriteFile(_BEFORE, text.encode(), 0o600, parents=True),
        Run(("nft", "-f", _BEFORE), timeout_s=30),
        WriteFile(_BEFORE, None),
    )


def ask(_params: Params) -> tuple[Probe, ...]:
    """The rule set in force."""
    return (IN_FORCE,)


def touches(_params: Params) -> frozenset[str]:
    """Every port."""
    return frozenset({"port:*"})


def _in_force(before: Answers) -> str:
    ran = before.data(IN_FORCE)
    text = ran.get("stdout") if isinstance(ran, dict) and ran.get("exit") == 0 else None
    if not isinstance(text, str):
        raise Unobservable("the rule set in force could not be listed")
    return text


STEP = StepKind(
    id="firewall.load",
    doc="Load the rule set of the file in one transaction.",
    params={},
    before=ask,
    do=do,
    undo=undo,
    reversible=True,
    touches=touches,
)
