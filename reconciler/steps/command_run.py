"""Run a program that changes something in a way that nobody can take back."""

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, Run
from reconciler.model.parameter import Parameter
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take

COMMANDS: dict[str, tuple[tuple[str, ...], ...]] = {
    # systemd-tmpfiles(8): removes what the system's own rules say has expired, below one path.
    "tmpfiles-clean": (("systemd-tmpfiles", "--clean", "--prefix={path}"),),
    # journalctl(1): moves the journal of this boot from memory to disk. A journal that was on disk
    # before in this boot must be told to leave it first, or what lies in memory stays there.
    "journal-flush": (("journalctl", "--relinquish-var"), ("journalctl", "--flush")),
    # augenrules(8): merges /etc/audit/rules.d and loads the result.
    "audit-rules-load": (("augenrules", "--load"),),
}
"""Every command that may be run, whole; ``{path}`` is the only thing that varies."""


def do(params: Params, _before: Answers) -> tuple[Operation, ...]:
    """Run them in order; an exit status other than 0 is a failed step."""
    path, timeout_s = take.text(params, "path"), take.number(params, "timeout_s")
    return tuple(
        Run(tuple(word.replace("{path}", path) for word in argv), timeout_s)
        for argv in COMMANDS[take.text(params, "command")]
    )


STEP = StepKind(
    id="command.run",
    doc="Run one of a few programs that change something for good.",
    params={
        "command": Parameter(type="str", doc="Which one.", enum=tuple(COMMANDS)),
        "path": Parameter(
            type="str",
            doc="Where to clean, for tmpfiles-clean.",
            required=False,
            default="/",
            pattern=r"/[A-Za-z0-9_.@/-]{0,255}",
        ),
        "timeout_s": Parameter(
            type="int",
            doc="Longest time it may take, seconds.",
            required=False,
            default=120,
            minimum=1,
            maximum=1800,
        ),
    },
    do=do,
    reversible=False,
)
