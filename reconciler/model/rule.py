"""``policies/rules/<id>.yaml``: check + expectation + controls + remedy."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from reconciler.model.client import Mode
from reconciler.model.document import CheckId, ControlId, Document, Name, RunbookId, Text
from reconciler.model.expectation import OPS, Expectation
from reconciler.model.finding import Severity
from reconciler.model.values import Scalar

ListName = Literal["units", "certificates", "backups", "secret_files", "mounts"]


class Ref(Document):
    """What the host declares: ``{ref: host.accounts}``, or ``{ref: item.path}`` in a list."""

    ref: str = Field(pattern=r"^(host|item)\.[a-z_]+$")


ParameterValue = Ref | bool | int | str | tuple[bool | int | str, ...]

_LISTS = {"one_of", "contains_all", "contains_none", "subset_of", "same_set"}


class RawExpectation(Document):
    """An expectation whose operand may still be a reference; `Expectation` once it is bound."""

    op: str
    operand: ParameterValue | None = None
    inner: tuple["RawExpectation", ...] = ()

    @model_validator(mode="after")
    def _operand_fits(self) -> "RawExpectation":
        if isinstance(self.operand, Ref):
            return self
        if self.op in _LISTS and not isinstance(self.operand, tuple):
            raise ValueError(f"{self.op} takes a list")
        if self.op in {"at_least", "at_most"} and type(self.operand) is not int:
            raise ValueError(f"{self.op} takes a whole number")
        if self.op == "matches" and not isinstance(self.operand, str):
            raise ValueError("matches takes a regular expression")
        if self.op == "absent" and not isinstance(self.operand, bool):
            raise ValueError("absent takes true or false")
        return self


def _expectation(raw: Any) -> Any:
    """``{at_least: 3}`` to an op and its operand; a bare scalar means ``equals``."""
    if isinstance(raw, RawExpectation):
        return raw
    if isinstance(raw, bool | int | str):
        return {"op": "equals", "operand": raw}
    if not isinstance(raw, Mapping) or len(raw) != 1:
        raise ValueError(
            f"must be one of {', '.join(OPS)} with its operand, for example {{at_least: 3}}"
        )
    op, operand = next(iter(raw.items()))
    if op not in OPS:
        raise ValueError(f"{op!r} is not one of {', '.join(OPS)}")
    if op in {"all", "any"}:
        if not isinstance(operand, list | tuple) or not operand:
            raise ValueError(f"{op} takes a list of expectations")
        return {"op": op, "inner": tuple(_expectation(item) for item in operand)}
    if op in {"not", "each"}:
        return {"op": op, "inner": (_expectation(operand),)}
    return {"op": op, "operand": operand}


ExpectationField = Annotated[RawExpectation, BeforeValidator(_expectation)]


def bound(raw: RawExpectation, operand: Mapping[str, Scalar | tuple[Scalar, ...]]) -> Expectation:
    """Put the values of references in.

    Args:
        raw: As written in the rule.
        operand: Value of every ``host.x`` and ``item.x`` that it refers to.

    Raises:
        KeyError: A reference has no value.
    """
    value = operand[raw.operand.ref] if isinstance(raw.operand, Ref) else raw.operand
    op: Any = raw.op
    return Expectation(op=op, value=value, inner=tuple(bound(i, operand) for i in raw.inner))


class Remedy(Document):
    """The runbook that puts a failing rule right (tier L1)."""

    runbook: RunbookId
    params: Mapping[str, ParameterValue] = {}


class Rule(Document):
    """One expectation of live state.

    With ``for_each`` the rule is bound once for every item that the host declares under that name,
    each with its own finding: ``certificate-valid[portal]``.

    Attributes:
        exception_days: Longest time that an exception to it, or a risk accepted, may count; a year
            where it does not say.
    """

    id: Name
    title: Text
    check: CheckId
    for_each: ListName | None = None
    params: Mapping[str, ParameterValue] = {}
    expect: Mapping[str, ExpectationField] = Field(min_length=1)
    severity: Severity
    controls: tuple[ControlId, ...] = Field(min_length=1)
    mode: Mode
    remedy: Remedy | None = None
    exception_days: int | None = Field(default=None, ge=1, le=365)
    references: Mapping[str, tuple[str, ...]] = {}
    note: Text | None = None
