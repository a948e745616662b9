"""Spans: for how long each rule kept a status, folded from runs.

Most runs repeat what the last one found. A span says it once: the run that first showed it, the
run that last did, and how many did in between. Runs come newest first, as a history is proven.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from reconciler.errors import EvidenceError
from reconciler.evidence.record import Record
from reconciler.report import words
from reconciler.report.citation import Citation, cite, repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of runs without a break that show the same about one rule.

    Attributes:
        about: ``finding``: its status; ``not_done``: an action that a guard did not let begin.
        rule: Id of the bound rule.
        check: Id of its check; empty for ``not_done``.
        status: The status, or the result ``deferred`` or ``denied``.
        severity: The rule's; empty for ``not_done``.
        controls: ``<framework>:<control>`` ids.
        exception: Id of the exception that covers it, if any.
        risk_accepted: Id of the record that accepts the risk of a gap; it covers nothing.
        action: Id of the action, for ``not_done``.
        detail: What the first run of the span saw, in words.
        raw_digest: Digest of the raw answer in the first run of the span; empty if there is none.
        first: The first run of it.
        last: The last run of it.
        runs: How many runs.
    """

    about: Literal["finding", "not_done"]
    rule: str
    check: str = ""
    status: str
    severity: str = ""
    controls: tuple[str, ...] = ()
    exception: str | None = None
    risk_accepted: str | None = None
    action: str | None = None
    detail: str
    raw_digest: str = ""
    first: Citation
    last: Citation
    runs: int

    @property
    def key(self) -> str:
        """What makes two runs show the same."""
        same = [self.about, self.rule, self.check, self.status, self.severity]
        known = [] if self.risk_accepted is None else [self.risk_accepted]
        return json.dumps([*same, list(self.controls), self.exception, self.action, *known])


@dataclass(frozen=True, slots=True)
class Repeats:
    """Slim runs that were met before the run they repeat.

    Attributes:
        like: Number of the run that they repeat.
        first: The oldest of them.
        last: The newest of them.
        runs: How many runs.
    """

    like: int
    first: Citation
    last: Citation
    runs: int


class Folding:
    """Folds runs, newest first, into spans.

    Attributes:
        waiting: Slim runs whose full run has not been met yet.
    """

    def __init__(self) -> None:
        self.waiting: Repeats | None = None
        self._open: dict[str, Span] = {}

    def add(self, record: Record) -> list[Span]:
        """Take in one more entry, older than all before.

        Returns:
            Spans that began right after this run.

        Raises:
            EvidenceError: A slim run does not repeat the newest full run before it.
        """
        if record.entry.kind.value != "run":
            return []
        if repeats(record) is not None:
            self._wait(record)
            return []
        return self._full(record, counted=True)

    def base(self, record: Record) -> None:
        """Take what waiting slim runs saw from the run they repeat, without counting that run.

        Raises:
            EvidenceError: They do not repeat it.
        """
        if self.waiting is not None:
            self._full(record, counted=False)

    def end(self) -> list[Span]:
        """The spans that began with the oldest run."""
        spans, self._open = list(self._open.values()), {}
        return spans

    def _wait(self, record: Record) -> None:
        like, here, runs = repeats(record), cite(record), run_count(record)
        waiting = self.waiting
        if like is None or (waiting is not None and waiting.like != like):
            raise _broken(here.seq, "does not repeat the run before it")
        if waiting is None:
            self.waiting = Repeats(like, here, here, runs)
        else:
            self.waiting = replace(waiting, first=here, runs=waiting.runs + runs)

    def _full(self, record: Record, *, counted: bool) -> list[Span]:
        here, waiting = cite(record), self.waiting
        if waiting is not None and waiting.like != here.seq:
            raise _broken(waiting.first.seq, f"repeats run {waiting.like}, not run {here.seq}")
        first = here if counted or waiting is None else waiting.first
        last = here if waiting is None else waiting.last
        runs = counted + (0 if waiting is None else waiting.runs)
        self.waiting = None
        seen = {span.key: span for span in _read(record, first, last, runs)}
        ended = [span for key, span in self._open.items() if key not in seen]
        self._open = {key: _joined(span, self._open.get(key)) for key, span in seen.items()}
        return ended


def run_count(record: Record) -> int:
    """How many runs an entry stands for: one, or the runs that a seal covers."""
    ticks = record.entry.body.get("ticks")
    return len(ticks) if isinstance(ticks, list) and ticks else 1


def _joined(older: Span, newer: Span | None) -> Span:
    if newer is None:
        return older
    return replace(older, last=newer.last, runs=older.runs + newer.runs)


def _read(record: Record, first: Citation, last: Citation, runs: int) -> list[Span]:
    try:
        return list(_spans(record.entry.body, first, last, runs))
    except (KeyError, TypeError, AttributeError) as error:
        raise _broken(record.entry.seq, f"does not read as a run: {error!r}") from error


def _spans(body: Mapping[str, Any], first: Citation, last: Citation, runs: int) -> Iterator[Span]:
    controls = {f["rule"]: tuple(f["controls"]) for f in body["findings"]}
    for found in body["findings"]:
        yield Span(
            about="finding",
            rule=found["rule"],
            check=found["check"],
            status=found["status"],
            severity=found["severity"],
            controls=controls[found["rule"]],
            exception=found["exception"],
            risk_accepted=found.get(words.GAP),
            detail=words.finding(found),
            raw_digest=found["raw_digest"],
            first=first,
            last=last,
            runs=runs,
        )
    for left in body["not_done"]:
        for rule in left["rules"]:
            yield Span(
                about="not_done",
                rule=rule,
                status=left["result"],
                controls=controls.get(rule, ()),
                action=left["action"],
                detail=words.not_done(left),
                first=first,
                last=last,
                runs=runs,
            )


def _broken(seq: int, what: str) -> EvidenceError:
    hint = "Run reconciler verify on this repository."
    return EvidenceError(f"entry {seq} {what}", hint=hint)
