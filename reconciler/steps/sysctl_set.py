"""Give kernel parameters their values now; a drop-in file makes them last."""

from collections.abc import Iterator

from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, WriteSysctl
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.step import StepKind
from reconciler.model.values import Params
from reconciler.steps.shared import take


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Write every value that differs; all of them are known first, or none is written."""
    changes = [(name, value, _was(name, before)) for name, value in _settings(params)]
    return tuple(WriteSysctl(name, value) for name, value, was in changes if was != value)


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Write the values that were there before, the last first."""
    return tuple(
        WriteSysctl(name, was)
        for name, value in reversed(list(_settings(params)))
        if (was := _was(name, before)) != value
    )


def ask(params: Params) -> tuple[Probe, ...]:
    """The values as they are."""
    return tuple(dict.fromkeys(_probe(name) for name, _value in _settings(params)))


def _settings(params: Params) -> Iterator[tuple[str, str]]:
    for setting in take.texts(params, "settings"):
        name, _equals, value = setting.partition("=")
        yield name, value


def _probe(name: str) -> ReadFile:
    return ReadFile("/proc/sys/" + name.replace(".", "/"))


def _was(name: str, before: Answers) -> str:
    return " ".join(before.text(_probe(name)).split())


STEP = StepKind(
    id="sysctl.set",
    doc="Give kernel parameters their values now.",
    params={
        # Numbers only: kernel.core_pattern and kernel.modprobe name programs that root then runs.
        "settings": Parameter(
            type="list[str]",
            doc="Names with dots, and one or more whole numbers: net.ipv4.tcp_syncookies=1.",
            pattern=r"(kernel|net|fs|vm)(\.[A-Za-z0-9_-]{1,64}){1,8}"
            r"=-?[0-9]{1,20}( -?[0-9]{1,20}){0,7}",
            max_items=32,
        ),
    },
    before=ask,
    do=do,
    undo=undo,
    reversible=True,
)
