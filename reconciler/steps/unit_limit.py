"""Limit what a service may use, until the next boot.

Source: systemd.resource-control(5); SetUnitProperties of org.freedesktop.systemd1.Manager.
"""

from reconciler.errors import Unobservable
from reconciler.model.answer import Answers
from reconciler.model.operation import Operation, UnitProperty
from reconciler.model.parameter import Parameter
from reconciler.model.probe import BusProperty, Probe
from reconciler.model.step import StepKind
from reconciler.model.unit_path import object_path
from reconciler.model.values import Params
from reconciler.steps.shared import take, unit

_NO_LIMIT = 2**64 - 1
"""What systemd answers when there is none (CGROUP_LIMIT_MAX, USEC_INFINITY)."""

_US_PER_S_PER_PERCENT = 10_000
_BYTES_PER_MIB = 1024 * 1024


def do(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Set the limit; it is known what it was, or nothing is set."""
    _limit_before(params, before)
    return (_with(params, _amount(params)),)


def undo(params: Params, before: Answers) -> tuple[Operation, ...]:
    """Set the limit that was there before."""
    return (_with(params, _limit_before(params, before)),)


def ask(params: Params) -> tuple[Probe, ...]:
    """The limit as it is."""
    return (_probe(params),)


def _probe(params: Params) -> BusProperty:
    return BusProperty(
        "org.freedesktop.systemd1",
        object_path(unit.name(params)),
        "org.freedesktop.systemd1.Service",
        _with(params, None).name,
    )


def _with(params: Params, value: int | None) -> UnitProperty:
    if take.text(params, "resource") == "cpu_percent":
        return UnitProperty(unit.name(params), "CPUQuotaPerSecUSec", value)
    return UnitProperty(unit.name(params), "MemoryHigh", value)


def _amount(params: Params) -> int:
    amount = take.number(params, "amount")
    cpu = take.text(params, "resource") == "cpu_percent"
    return amount * (_US_PER_S_PER_PERCENT if cpu else _BYTES_PER_MIB)


def _limit_before(params: Params, before: Answers) -> int | None:
    value = before.data(_probe(params))
    if type(value) is not int or value < 0:
        raise Unobservable(f"{unit.name(params)}: its limit is garbled")
    return None if value == _NO_LIMIT else value


STEP = StepKind(
    id="unit.limit",
    doc="Limit what a service may use, until the next boot.",
    params={
        "unit": Parameter(
            type="str", doc="Name of the service.", pattern=r"[A-Za-z0-9:_.\\@-]{1,240}\.service"
        ),
        "resource": Parameter(
            type="str",
            doc="What is limited: percent of one processor, or MiB of memory before it is slowed.",
            enum=("cpu_percent", "memory_high_mib"),
        ),
        "amount": Parameter(type="int", doc="The limit.", minimum=1, maximum=1_048_576),
    },
    before=ask,
    do=do,
    undo=undo,
    reversible=True,
    touches=unit.word,
)
