"""Run a program that only looks and says yes or no: is this configuration valid?"""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, Run
from reconciler.model.parameter import Parameter
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take

COMMANDS: dict[str, tuple[str, ...]] = {
    # sshd(8): -t tests the whole configuration and the host keys.
    "sshd-settings": ("sshd", "-t"),
    # nft(8): -c checks a rule set without loading it.
    "nftables-file": ("nft", "-c", "-f", "/etc/nftables.conf"),
}
"""Every command that may be run, whole."""


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Run it; an exit status other than 0 is a failed step."""
    return (Run(COMMANDS[take.text(params, "command")], timeout_s=20),)


STEP = StepKind(
    id="command.check",
    doc="Run a program that only looks; saying no is a failed step.",
    params={"command": Parameter(type="str", doc="Which one.", enum=tuple(COMMANDS))},
    do=do,
    reversible=True,
)
