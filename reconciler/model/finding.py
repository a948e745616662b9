"""The judgement of one rule against one observation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.model.values import Value

Status = Literal["pass", "fail", "unknown", "not_applicable", "excepted"]
Severity = Literal["low", "medium", "high", "critical"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule, judged. A ``pass`` has observed values; that is checked where findings are made.

    Attributes:
        rule: Id of the bound rule: ``ssh-root-login`` or, from a list, ``certificate[portal]``.
        check: Id of the check.
        target: ``<client>/<host>``.
        status: The judgement.
        severity: The rule's.
        controls: ``<framework>:<control>`` ids.
        observed: Observed value of each field that the rule expects something of.
        expected: The same fields, each with its expectation in words.
        failed: Names of the fields that do not meet their expectation.
        reason: For ``unknown``, ``not_applicable`` and ``excepted``: why.
        exception: Id of the exception that covers it, if any.
        risk_accepted: Of a ``fail``: id of the record that says the gap is known and the risk of
            it accepted (``risk_accepted_noncompliant``). It covers nothing.
        raw_digest: The observation's.
    """

    rule: str
    check: str
    target: str
    status: Status
    severity: Severity
    controls: tuple[str, ...]
    observed: Mapping[str, Value] = field(default_factory=dict)
    expected: Mapping[str, str] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    reason: str = ""
    exception: str | None = None
    risk_accepted: str | None = None
    raw_digest: str = ""
