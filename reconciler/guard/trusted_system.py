"""Which system is trusted on this host, as the ledger remembers it: it never goes back.

A server that shows an older release, or none, must not choose what runs here.

Rule 1: What is remembered is whole: a release that is shown no more still says what it said.
Rule 2: Another system has a higher number. What does not read, or goes back, is damage.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciler.guard import memory_form as form
from reconciler.model.system import MOST_BEFORE, InForce, Source, TrustedSystem

_FIELDS = {
    *("number", "path", "drv", "nar_sha256", "closure_sha256", "release", "revision"),
    *("source", "time", "by", "key", "before"),
}


def after(before: InForce | None, kind: str, body: Mapping[str, Any]) -> InForce | None:
    """What is in force after one more entry of the ledger.

    Args:
        before: In force before it.
        kind: The entry's kind.
        body: The entry's body.

    Raises:
        Malformed: It does not say what it must say, or goes back.
    """
    found = _said(kind, body)
    if found is None:
        return before
    new = read(found)
    if before is not None and new != before and new.number <= before.number:
        raise form.Malformed(f"the trusted system goes back to number {new.number}")
    return new


def read(body: object) -> InForce:
    """As `InForce.to_body` writes it.

    Raises:
        Malformed: It is something else.
    """
    fields = form.fields(body, _FIELDS)
    before = form.sequence(fields["before"])
    if len(before) > MOST_BEFORE:
        raise form.Malformed("too many systems were trusted before")
    return InForce(
        system=_system(fields),
        number=form.count(fields["number"]),
        time=_time(fields["time"]),
        by=form.text(fields["by"]),
        key=form.optional_text(fields["key"]),
        before=tuple(map(_known, before)),
    )


def _said(kind: str, body: Mapping[str, Any]) -> object:
    match kind:
        case "intent":
            return body.get("system")
        case "run":
            status = form.mapping(body.get("intent")).get("system")
            return None if status is None else form.mapping(status).get("in_force")
        case _:
            return None


def _system(fields: Mapping[str, Any]) -> TrustedSystem:
    closure = fields["closure_sha256"]
    return TrustedSystem(
        path=form.text(fields["path"]),
        drv=form.text(fields["drv"]),
        nar_sha256=form.digest(fields["nar_sha256"]),
        closure_sha256=None if closure is None else form.digest(closure),
        release=form.text(fields["release"]),
        revision=form.digest(fields["revision"]),
        source=_source(fields["source"]),
    )


def _source(value: object) -> Source:
    match value:
        case "release":
            return "release"
        case "evaluated":
            return "evaluated"
        case _:
            raise form.Malformed("where a system comes from is missing")


def _known(body: object) -> tuple[str, str]:
    fields = form.fields(body, {"path", "nar_sha256"})
    return form.text(fields["path"]), form.digest(fields["nar_sha256"])


def _time(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(form.text(value))
    except ValueError as error:
        raise form.Malformed("a time is garbled") from error
    if at.tzinfo is None:
        raise form.Malformed("a time has no zone")
    return at
