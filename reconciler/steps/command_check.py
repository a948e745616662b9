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
    # ssh-keyscan(1): exits with 1 when no server answered with a host key.
    "sshd-answers": ("ssh-keyscan", "-T", "5", "-p", "{port}", "127.0.0.1"),
    # nft(8): -c checks a rule set without loading it.
    "nftables-file": ("nft", "-c", "-f", "/etc/nftables.conf"),
}
"""Every command that may be run, whole; ``{port}`` is the only thing that varies."""


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Run it; an exit status other than 0 is a failed step."""
    port = str(take.number(params, "port"))
    argv = tuple(
        port if word == "{port}" else word for word in COMMANDS[take.text(params, "command")]
    )
    return (Run(argv, timeout_s=20),)


STEP = StepKind(
    id="command.check",
    doc="Run a program that only looks; saying no is a failed step.",
    params={
        "command": Parameter(type="str", doc="Which one.", enum=tuple(COMMANDS)),
        "port": Parameter(
            type="int",
            doc="Port of the SSH server, for sshd-answers.",
            required=False,
            default=22,
            minimum=1,
            maximum=65535,
        ),
    },
    do=do,
    reversible=True,
)
