"""OSCAL assessment results: one document for a host and a day or a month.

Source: NIST OSCAL 1.2.1, assessment-results model. Machine tools of auditors read it; what proves
it is the ledger, which every resource names with a SHA-256.

Rule 1: The same history gives the same bytes: uuid5 ids, no clock.
Rule 2: An observation is the first state of the period or a change, never every run again.
Rule 3: A finding is the state of a control as `reconciler.report.control_state` has it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from reconciler.errors import EvidenceError
from reconciler.evidence.canonical import encode
from reconciler.report.citation import Citation
from reconciler.report.control_state import ControlFacts, state_of
from reconciler.report.oscal_parts import (
    NAMESPACE,
    Json,
    evidence,
    name_of,
    props,
    resource,
    text,
    tokens,
)
from reconciler.report.spans import Span
from reconciler.report.survey import Event, Survey

VERSION = "1.2.1"
MOST = 20_000

Hash = Callable[[Citation], str]


def oscal(survey: Survey, controls: Sequence[ControlFacts], sha256: Hash) -> bytes:
    """The assessment results of a period, as canonical JSON.

    Args:
        survey: What happened.
        controls: Controls to report on; those that findings name besides are added.
        sha256: Hex SHA-256 of the stored bytes of an entry.

    Raises:
        EvidenceError: More changes than one document should hold, or a control without a token.
    """
    if len(survey.spans) + len(survey.events) > MOST:
        message = f"{len(survey.spans) + len(survey.events)} observations in one document"
        raise EvidenceError(message, hint="Ask for a day instead of a month.")
    return encode({"assessment-results": _Document(survey, controls).results(sha256)})


class _Document:
    """One document in the making."""

    def __init__(self, survey: Survey, controls: Sequence[ControlFacts]) -> None:
        self.survey = survey
        self.ref = f"refs/heads/{survey.client}/{survey.host}"
        known = {control.id: control for control in controls}
        named = sorted({name for span in survey.spans for name in span.controls} - known.keys())
        others = [ControlFacts(name, name, "unknown") for name in named]
        self.controls = [*known.values(), *others]
        self.tokens = tokens([control.id for control in self.controls])
        newest = survey.last.digest if survey.last else "none"
        self.id = ("results", self.ref, survey.period.name, newest)
        self.component = name_of("component", self.ref)

    def results(self, sha256: Hash) -> Json:
        cited = [where for span in self.survey.spans for where in (span.first, span.last)]
        cited += [event.where for event in self.survey.events]
        by_seq = {where.seq: where for where in cited}
        entries = [resource(self.ref, by_seq[s], sha256(by_seq[s])) for s in sorted(by_seq)]
        return {
            "uuid": name_of(*self.id),
            "metadata": self._metadata(),
            "import-ap": {"href": f"#{name_of('plan', self.ref)}"},
            "results": [self._result()],
            "back-matter": {"resources": [self._plan(), *entries]},
        }

    def _metadata(self) -> Json:
        survey = self.survey
        newest = survey.last
        return {
            "title": f"Assessment of {survey.client}/{survey.host}, {survey.period.name}",
            "last-modified": newest.at if newest else survey.period.end,
            "version": f"entry-{newest.seq}" if newest else "no-entries",
            "oscal-version": VERSION,
            "props": props(
                ledger=self.ref,
                newest_entry_sha256=newest.digest if newest else None,
                proven_from_entry=survey.tip.seq if survey.tip else None,
            ),
        }

    def _plan(self) -> Json:
        states = [f"commit {commit}, policy {policy}" for commit, policy in self.survey.desired]
        return {
            "uuid": name_of("plan", self.ref),
            "title": "Desired state: rules, checks and controls of the fleet repository",
            "description": "The plan of this assessment is the desired state in force: "
            + ("; then ".join(states) or "none in this period")
            + ".",
        }

    def _result(self) -> Json:
        survey = self.survey
        findings = [self._finding(control) for control in self.controls]
        observations = [self._observation(span) for span in survey.spans]
        log = [self._logged(event) for event in survey.events]
        chosen = [{"control-id": self.tokens[control.id]} for control in self.controls]
        # Without controls there is nothing to select, and an empty list is not valid.
        selection: Json = {"include-controls": chosen} if chosen else {"include-all": {}}
        return {
            "uuid": name_of("result", *self.id),
            "title": f"{survey.client}/{survey.host}, {survey.period.name}",
            "description": _summary(survey),
            "start": survey.period.start,
            "end": survey.period.end,
            "props": self._counts(),
            "local-definitions": {"components": [self._component()]},
            "reviewed-controls": {"control-selections": [selection]},
            **({"assessment-log": {"entries": log}} if log else {}),
            **({"observations": observations} if observations else {}),
            **({"findings": findings} if findings else {}),
        }

    def _counts(self) -> list[Json]:
        survey = self.survey
        counted = {f"entries_{kind}": n for kind, n in sorted(survey.counts.items())}
        return props(
            runs=survey.runs,
            runs_without_change=survey.slim_runs,
            gaps=survey.counts.get("gap", 0),
            first_entry=survey.first.seq if survey.first else None,
            last_entry=survey.last.seq if survey.last else None,
            **counted,
        )

    def _component(self) -> Json:
        survey = self.survey
        return {
            "uuid": self.component,
            "type": "system",
            "title": f"{survey.client}/{survey.host}",
            "description": f"The host {survey.host} of the clinic {survey.client}.",
            "status": {"state": "operational"},
        }

    def _observation(self, span: Span) -> Json:
        about = "finding" if span.about == "finding" else "action not begun"
        shown = evidence(self.ref, span.first, "the first run that shows it")
        last = evidence(self.ref, span.last, "the last run that shows it")
        return {
            "uuid": self._span_id(span),
            "title": text(f"{span.rule}: {span.status.replace('_', ' ')}"),
            "description": text(f"{about}: {span.detail or span.status}"),
            "props": props(
                outcome=span.status,
                rule=span.rule,
                check=span.check,
                severity=span.severity,
                exception=span.exception,
                risk_accepted_noncompliant=span.risk_accepted,
                action=span.action,
                runs=span.runs,
                last_seen=span.last.at,
                raw_digest=span.raw_digest,
            ),
            "methods": ["TEST-AUTOMATED"],
            "types": ["control-objective" if span.about == "finding" else "mitigation"],
            "subjects": [{"subject-uuid": self.component, "type": "component"}],
            "relevant-evidence": [shown] if span.first == span.last else [shown, last],
            "collected": span.first.at,
        }

    def _span_id(self, span: Span) -> str:
        return name_of("observation", *self.id, span.first.digest, span.key)

    def _finding(self, control: ControlFacts) -> Json:
        survey = self.survey
        state = state_of(control, survey.spans, survey.standing)
        related = [
            {"observation-uuid": self._span_id(span)}
            for span in survey.spans
            if span.about == "finding" and control.id in span.controls
        ]
        status: dict[str, Any] = {
            "state": "satisfied" if state.satisfied else "not-satisfied",
            "reason": state.reason,
            "remarks": text(state.words),
        }
        counts = {f"rules_{name}": count for name, count in sorted(state.counts.items())}
        return {
            "uuid": name_of("finding", *self.id, control.id),
            "title": text(control.id),
            "description": text(control.title),
            "props": props(evidence=control.evidence, **counts),
            "target": {
                "type": "objective-id",
                "target-id": self.tokens[control.id],
                "status": status,
            },
            **({"related-observations": related} if related else {}),
        }

    def _logged(self, event: Event) -> Json:
        shown = evidence(self.ref, event.where, event.title)
        return {
            "uuid": name_of("logged", *self.id, event.where.digest),
            "title": text(event.title),
            "description": text(event.detail),
            "start": event.where.at,
            "props": props(entry=event.where.seq, kind=event.where.kind),
            "links": [{"href": shown["href"], "rel": "evidence"}],
        }


def _summary(survey: Survey) -> str:
    gaps = survey.counts.get("gap", 0)
    said = (
        f"{survey.runs} runs, of which {survey.slim_runs} found what the run before found;"
        f" {gaps} gap{'s' * (gaps != 1)}."
    )
    if not survey.runs:
        said += " Nothing was observed in this period, so nothing is shown to be satisfied."
    return f"{said} Properties in {NAMESPACE}; every count is of entries of the ledger."
