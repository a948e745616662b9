"""A runbook may not cut the way it came in by.

The host declares how people and the reconciler reach it (``access_path``): ``unit:ssh.service``,
``port:tcp/22``, ``file:/etc/ssh``. A step that takes any of it away is denied. One that changes it
needs a runbook that is ``access_guarded``: its steps prove that the way still works, and undo
themselves when it does not.

The words steps use: ``unit:<name>``; ``file:<path>``; ``port:tcp/22``; ``port:*`` for every port;
``port:!tcp/22,tcp/443`` for every port but these.
"""

from collections.abc import Collection, Iterable, Iterator

from reconciler.errors import InputError
from reconciler.guard.context import Guard, GuardContext
from reconciler.model.plan import Action
from reconciler.model.render import render_step
from reconciler.model.runbook import Runbook
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.model.verdict import Verdict

NAME = "access_path_safe"

_ALIASES = {"unit:sshd.service": "unit:ssh.service"}
"""Names of one unit on different distributions; on Debian, ``sshd.service`` is an alias."""


def judge(action: Action, context: GuardContext) -> Verdict:
    """Deny an action whose steps cut the access path, or change it unguarded."""
    pinned = context.desired.runbooks.get(action.runbook)
    if pinned is None:
        return Verdict("deny", NAME, f"there is no runbook {action.runbook}")
    access = context.desired.host.access_path
    try:
        steps = list(_steps(pinned.runbook, action, context))
        cuts = {word for kind, params in steps for word in kind.cuts(params)}
        touches = {word for kind, params in steps for word in kind.touches(params)}
    except InputError as error:
        return Verdict("deny", NAME, error.message)
    if not access and any(word.startswith("port:") for word in cuts):
        # Closing ports on a host that does not say how it is reached would be a guess.
        return Verdict("deny", NAME, "closes ports, and the host declares no access_path")
    cut = _hit(access, cuts)
    if cut:
        return Verdict("deny", NAME, f"would cut the access path: {', '.join(cut)}")
    touched = _hit(access, touches)
    if touched and not pinned.runbook.access_guarded:
        return Verdict("deny", NAME, f"changes the access path unguarded: {', '.join(touched)}")
    return Verdict("allow", NAME)


def _steps(
    runbook: Runbook, action: Action, context: GuardContext
) -> Iterator[tuple[StepKind, Params]]:
    for step in runbook.steps:
        kind = context.steps.get(step.use)
        if kind is None:
            raise InputError(
                f"step {step.id} is of the unknown kind {step.use}",
                hint="Upgrade the appliance, or correct the runbook.",
            )
        params = render_step(step, kind, action.params)
        if params is not None:
            yield kind, params


def _hit(access: Iterable[str], words: Collection[str]) -> list[str]:
    return [way for way in access if any(overlaps(word, way) for word in words)]


def overlaps(word: str, way: str) -> bool:
    """Whether what a step says it cuts or touches is part of an access path."""
    word, way = _ALIASES.get(word, word), _ALIASES.get(way, way)
    if word == way:
        return True
    if word.startswith("port:") and way.startswith("port:"):
        return _port_overlaps(word.removeprefix("port:"), way.removeprefix("port:"))
    if word.startswith("file:") and way.startswith("file:"):
        return _within(word, way) or _within(way, word)
    return False


def _port_overlaps(word: str, way: str) -> bool:
    if word.startswith("!"):
        return way not in word.removeprefix("!").split(",")
    return word == "*"


def _within(inner: str, outer: str) -> bool:
    return inner.startswith(outer.rstrip("/") + "/")


GUARD = Guard(NAME, judge)
