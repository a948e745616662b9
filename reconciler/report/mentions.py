"""What single entries say about rules and actions: one mention a rule, for looking things up."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.evidence.record import Record
from reconciler.report import words
from reconciler.report.system import system_line

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One thing that an entry says.

    Attributes:
        about: Kind of the entry.
        rule: Id of the bound rule, None if it is not about one.
        controls: ``<framework>:<control>`` ids, where the entry itself names them.
        status: The status, the result of an action, or a refusal's reason.
        action: Id of the action, None if it is not about one.
        closes: Number of the intent that an outcome closes.
        annotates: Number of the entry that an annotation is about.
        detail: In words.
    """

    about: str
    rule: str | None = None
    controls: tuple[str, ...] = ()
    status: str
    action: str | None = None
    closes: int | None = None
    annotates: int | None = None
    detail: str


def mentions(record: Record) -> list[Mention]:
    """What an entry says, runs excepted: they are folded into spans.

    Raises:
        EvidenceError: The body does not say what its kind says.
    """
    read = _READERS.get(record.entry.kind.value)
    if read is None:
        return []
    try:
        return list(read(record))
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        message = f"entry {record.entry.seq} does not read as {record.entry.kind.value}: {error!r}"
        raise EvidenceError(message, hint="It was written by another version.") from error


def _intent(record: Record) -> Iterator[Mention]:
    body: Body = record.entry.body
    action = body["action"]
    for found in body["found"]:
        yield Mention(
            about="intent",
            rule=found["rule"],
            controls=tuple(found["controls"]),
            status=found["status"],
            action=action["id"],
            detail=words.clip(f"{action['runbook']}: {words.finding(found)}"),
        )


def _outcome(record: Record) -> Iterator[Mention]:
    body: Body = record.entry.body
    closes = record.entry.closes
    reason = f": {body['reason']}" if body["reason"] else ""
    for rule in body["rules"]:
        after = body["after"].get(rule, "not looked at")
        yield Mention(
            about="outcome",
            rule=rule,
            status=body["result"],
            action=body["action"],
            closes=None if closes is None else closes.seq,
            detail=words.clip(f"{body['runbook']}: {after} after it{reason}"),
        )


def _refusal(record: Record) -> Iterator[Mention]:
    body: Body = record.entry.body
    detail = words.clip(f"{body['message']} (commit {body['commit'] or 'none seen'})")
    yield Mention(about="refusal", status=body["reason"], detail=detail)


def _annotation(record: Record) -> Iterator[Mention]:
    body: Body = record.entry.body
    yield Mention(
        about="annotation",
        status="annotation",
        annotates=body["about"]["seq"],
        detail=words.clip(f"{body['by']}: {body['text']}", 1000),
    )


def _system(record: Record) -> Iterator[Mention]:
    yield Mention(about="system", status="changed", detail=system_line(record.entry.body))


_READERS: Mapping[str, Callable[[Record], Iterator[Mention]]] = {
    "intent": _intent,
    "outcome": _outcome,
    "refusal": _refusal,
    "annotation": _annotation,
    "system": _system,
}
