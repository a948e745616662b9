"""One incident as a bundle: an intent, its outcome, and the runs before and after.

Rule 1: It says nothing that its entries do not say, and names the entry of everything it says.
Rule 2: The same history gives the same bytes: canonical JSON, no clock, no paths of this machine.
Rule 3: Raw answers are not kept by the ledger; observations are named by the digest of the answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.errors import EvidenceError, InputError
from reconciler.evidence.canonical import encode
from reconciler.evidence.record import Record
from reconciler.report import words
from reconciler.report.citation import Citation, cite, repeats

FORMAT = "reconciler-incident/1"
MOST = 1000
RAW_ANSWERS = (
    "Raw answers are not kept: raw_digest is the salted SHA-256 of the answer that was parsed, as"
    " it was recorded."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident, put together from proven entries.

    Attributes:
        entries: What happened, oldest first: from the run before to the run after.
        intent: The intent.
        outcome: What closed it, None while it is open.
        before: The newest run before the intent, None if there was none.
        after: The first run after the outcome, None if there is none yet.
        shown_before: The run with the findings that ``before`` repeats, or itself.
        shown_after: The run with the findings that ``after`` repeats, or itself.
        annotations: Annotations of any of the entries, oldest first.
        tip: The newest entry of the history that was proven down to here.
    """

    entries: tuple[Record, ...]
    intent: Record
    outcome: Record | None
    before: Record | None
    after: Record | None
    shown_before: Record | None
    shown_after: Record | None
    annotations: tuple[Record, ...]
    tip: Citation

    @property
    def all(self) -> tuple[Record, ...]:
        """Every entry that belongs to it, once, oldest first."""
        extra = [r for r in (self.shown_before, self.shown_after) if r is not None]
        every = {r.entry.seq: r for r in (*self.entries, *extra, *self.annotations)}
        return tuple(every[seq] for seq in sorted(every))


def gather(records: Iterable[Record], seq: int) -> Incident:
    """Put an incident together.

    Args:
        records: Proven entries, newest first, from the newest of the branch.
        seq: Number of the intent, or of the outcome that closed it.

    Raises:
        InputError: That entry is neither an intent nor an outcome, or is not there.
        EvidenceError: Too much lies between the runs around it.
        LedgerDamaged: An entry does not verify.
    """
    walk = _Walk(seq)
    for record in records:
        if walk.step(record):
            break
    return walk.result()


class _Walk:
    """Keeps what may belong to the incident while going back in history."""

    def __init__(self, seq: int) -> None:
        self._seq = seq
        self._tip: Citation | None = None
        self._notes: list[Record] = []
        self._kept: list[Record] = []
        self._torn = False
        self._intent: Record | None = None
        self._outcome: Record | None = None
        self._before: Record | None = None
        self._wanted: set[int] = set()
        self._bases: dict[int, Record] = {}

    def step(self, record: Record) -> bool:
        """Take in one more entry; returns whether nothing older can belong to it."""
        entry = record.entry
        self._tip = self._tip or cite(record)
        if entry.kind.value == "annotation":
            self._notes.append(record)
        if entry.seq in self._wanted:
            self._bases[entry.seq] = record
            self._wanted.discard(entry.seq)
        if self._before is None:
            self._between(record)
        return self._before is not None and not self._wanted

    def _between(self, record: Record) -> None:
        entry = record.entry
        is_run = entry.kind.value == "run"
        if self._outcome is None and self._intent is None and is_run:
            # A newer run after the incident: this one is closer to it.
            self._kept, self._torn = [], False
        self._keep(record)
        if entry.seq == self._seq and entry.kind.value == "outcome" and entry.closes is not None:
            self._outcome, self._seq = record, entry.closes.seq
        elif entry.closes is not None and entry.closes.seq == self._seq:
            self._outcome = record
        elif entry.seq == self._seq:
            self._found(record)
        elif self._intent is not None and is_run:
            self._before = record
            self._want(record)

    def _keep(self, record: Record) -> None:
        self._kept.append(record)
        if len(self._kept) <= MOST:
            return
        if self._intent is not None or self._outcome is not None:
            raise self._too_much()
        # Perhaps nothing of it belongs to the incident; if it does, `_found` says so.
        self._kept, self._torn = [], True

    def _too_much(self) -> EvidenceError:
        message = f"more than {MOST} entries lie between entry {self._seq} and the runs around it"
        return EvidenceError(message, hint="Look at them one by one: reconciler evidence show.")

    def _found(self, record: Record) -> None:
        if record.entry.kind.value != "intent":
            kind = record.entry.kind.value
            hint = "Give an intent: reconciler evidence query --kind intent lists them."
            raise InputError(f"entry {self._seq} is of kind {kind}, not an intent", hint=hint)
        if self._torn:
            raise self._too_much()
        self._intent = record
        after = self._after()
        if after is not None:
            self._want(after)

    def _want(self, run: Record) -> None:
        like = repeats(run)
        if like is not None and like not in self._bases:
            self._wanted.add(like)

    def _after(self) -> Record | None:
        first = self._kept[0]
        return first if first.entry.kind.value == "run" else None

    def result(self) -> Incident:
        if self._intent is None or self._tip is None:
            hint = "reconciler evidence query --kind intent lists intents."
            raise InputError(f"there is no intent {self._seq} on this branch", hint=hint)
        after, before = self._after(), self._before
        kept = tuple(reversed(self._kept))
        shown = [self._shown(run) for run in (before, after)]
        numbers = {r.entry.seq for r in (*kept, *filter(None, shown))}
        notes = [n for n in reversed(self._notes) if n.entry.body["about"]["seq"] in numbers]
        return Incident(
            entries=kept,
            intent=self._intent,
            outcome=self._outcome,
            before=before,
            after=after if self._outcome is not None else None,
            shown_before=shown[0],
            shown_after=shown[1] if self._outcome is not None else None,
            annotations=tuple(notes),
            tip=self._tip,
        )

    def _shown(self, run: Record | None) -> Record | None:
        if run is None:
            return None
        like = repeats(run)
        return run if like is None else self._bases.get(like)


def rule_states(incident: Incident) -> list[dict[str, Any]]:
    """Each rule of the action: as the run before, the intent and the run after show it."""
    body = incident.intent.entry.body
    found = {f["rule"]: f for f in body["found"]}
    before, after = _findings(incident.shown_before), _findings(incident.shown_after)
    return [
        {
            "rule": rule,
            "controls": list(found.get(rule, {}).get("controls", [])),
            "before": _state(before.get(rule)),
            "found": _state(found.get(rule)),
            "after": _state(after.get(rule)),
        }
        for rule in body["action"]["rules"]
    ]


def document(incident: Incident, files: Mapping[int, tuple[str, str]]) -> bytes:
    """The whole incident as canonical JSON.

    Args:
        incident: The incident.
        files: For each entry, its file name in the bundle and the SHA-256 of that file.

    Raises:
        EvidenceError: An entry has no canonical form.
    """
    intent, outcome = incident.intent, incident.outcome
    return encode(
        {
            "format": FORMAT,
            "ref": intent.entry.ref,
            "intent": intent.entry.seq,
            "action": dict(intent.entry.body["action"]),
            "verdicts": list(intent.entry.body["verdicts"]),
            "result": None if outcome is None else outcome.entry.body["result"],
            "rules": rule_states(incident),
            "before": _numbers(incident.before, incident.shown_before),
            "after": _numbers(incident.after, incident.shown_after),
            "entries": [_entry(record, files) for record in incident.all],
            "raw_answers": RAW_ANSWERS,
            "proven_from": incident.tip.to_json(),
        }
    )


def _entry(record: Record, files: Mapping[int, tuple[str, str]]) -> dict[str, Any]:
    name, sha256 = files[record.entry.seq]
    about = {} if record.entry.kind.value != "annotation" else {"note": record.entry.body["text"]}
    return {**cite(record).to_json(), **about, "file": name, "file_sha256": sha256}


def _numbers(run: Record | None, shown: Record | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {"seq": run.entry.seq, "shown_by": None if shown is None else shown.entry.seq}


def _findings(run: Record | None) -> dict[str, Mapping[str, Any]]:
    return {} if run is None else {f["rule"]: f for f in run.entry.body["findings"]}


def _state(finding: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    names: Sequence[str] = ("status", "observed", "expected", "failed", "reason", "raw_digest")
    return {name: finding[name] for name in names} | {"words": words.finding(finding)}
