"""A check: what to ask, and how to read the answer. Pure data and pure functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.model.answer import Answers
from reconciler.model.parameter import Parameter
from reconciler.model.probe import Probe
from reconciler.model.values import Kind, Params, Value

Platform = Literal["linux", "nixos", "windows", "network", "saas"]

Values = Mapping[str, Value]
"""Observed values by field name."""


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The check looked, and the thing it is about does not exist here; the reason was observed."""

    reason: str


@dataclass(frozen=True, slots=True)
class Field:
    """One observed field.

    Attributes:
        kind: Its type.
        doc: One sentence, with the unit.
        optional: Whether ``None`` ("looked, and there is none") can be observed.
        gauge: Whether it moves while nothing changes (an age, a fill level): as long as the
            finding stays the same, another reading alone is not news.
    """

    kind: Kind
    doc: str
    optional: bool = False
    gauge: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One subject that can be looked at.

    Attributes:
        id: Id of the crosswalk, for example ``LNX-SSH-001``; the file name is its lower-case form.
        title: What is true when all is well, as a sentence.
        platforms: Kinds of hosts it makes sense on.
        source: Clause, STIG id, man page: where the way of looking comes from.
        params: Typed parameters.
        fields: What it observes; nothing else may be reported (allow-list, 45 CFR 164.514).
        probes: From bound parameters to the probes it needs.
        parse: From bound parameters and answers to values for every field, or `NotApplicable`.
            Raises `Unobservable` when the answers do not say.
    """

    id: str
    title: str
    platforms: frozenset[Platform]
    source: str
    params: Mapping[str, Parameter] = field(default_factory=dict)
    fields: Mapping[str, Field]
    probes: Callable[[Params], tuple[Probe, ...]]
    parse: Callable[[Params, Answers], Values | NotApplicable]
