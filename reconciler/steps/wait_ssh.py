"""Wait until the SSH server answers a new connection on the loopback interface with a host key.

A server that reloads closes its sockets and opens them again, so the first try may be refused; and
a reload that systemd calls done says nothing about a server that then refused its settings.
"""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, WaitUntil
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Command
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Ask until a host key comes; ssh-keyscan(1) exits with 1 when none does."""
    port = str(take.number(params, "port"))
    asking = Command(("ssh-keyscan", "-T", "3", "-p", port, "127.0.0.1"), timeout_s=10)
    return (WaitUntil(asking, "exit", (0,), take.number(params, "timeout_s")),)


STEP = StepKind(
    id="wait.ssh",
    doc="Wait until the SSH server answers a new connection with a host key.",
    params={
        "port": Parameter(type="int", doc="Its port.", minimum=1, maximum=65535),
        "timeout_s": Parameter(
            type="int",
            doc="Longest wait, seconds.",
            required=False,
            default=20,
            minimum=1,
            maximum=120,
        ),
    },
    do=do,
    reversible=True,
)
