"""What a stretch of a ledger comes to: acts, refusals, questions, and where every incident ended.

The ledger of a simulation and a real one are counted alike, entry by entry.

Rule 1: Everything is counted from entries; nothing is judged here.
Rule 2: What has not ended is said to be where it is, and why: no incident drops out of the sum.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Body = Mapping[str, Any]

GROUPS = ("acts", "results", "refusals", "escalations", "questions", "ends")


@dataclass(frozen=True, slots=True)
class Act:
    """One action that was begun.

    Attributes:
        at: RFC 3339, in UTC.
        id: Of the action: the same work has the same one.
    """

    at: str
    id: str
    runbook: str
    tier: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """Where an incident is, as far as its transitions say."""

    rule: str
    state: str
    reason: str


@dataclass(slots=True)
class Tally:
    """The sum over entries.

    Attributes:
        runs: How many runs said what they found.
        acts: Every action that was begun, in order.
        results: Outcomes by result.
        refusals: Actions that were not begun, by result and guard; once for as long as the same
            guard says so, run after run.
        escalations: Incidents that came before people, by reason.
        questions: Questions to a language model, by what came of them; ``asked`` is all of them.
        prompt_tokens: As the endpoint counted them.
        completion_tokens: The same.
        incidents: Where each incident is, by id.
        recurrences: How often a verified fix did not hold.
    """

    runs: int = 0
    acts: list[Act] = field(default_factory=list)
    results: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    escalations: Counter[str] = field(default_factory=Counter)
    questions: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    incidents: dict[str, Where] = field(default_factory=dict)
    recurrences: int = 0
    _refused: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, body: Body, at: str) -> None:
        """Count one entry that has a file."""
        for move in body.get("incidents", ()):
            self._moved(move)
        match kind:
            case "run":
                self.runs += 1
                self._refuse({left["action"]: left for left in body.get("not_done", ())})
            case "intent":
                action = body["action"]
                rules = tuple(action["rules"])
                act = Act(at, action["id"], action["runbook"], action["tier"], rules)
                self.acts.append(act)
            case "outcome":
                self.results[body["result"]] += 1
            case "advice":
                self._advised(body)
            case _:
                return

    def _refuse(self, left: Mapping[str, Body]) -> None:
        said = {action: f"{one['result']} by {one['guard']}" for action, one in left.items()}
        for action, words in said.items():
            self.refusals[words] += words != self._refused.get(action)
        self._refused = said

    def _moved(self, move: Body) -> None:
        self.incidents[move["id"]] = Where(move["rule"], move["to"], move["reason"])
        self.recurrences += move.get("recurred") is True
        if move["to"] == "escalated":
            self.escalations[move["reason"]] += 1

    def _advised(self, body: Body) -> None:
        if body["phase"] == "asked":
            self.questions["asked"] += 1
            return
        self.questions[body["result"]] += 1
        tokens = body.get("tokens") or {}
        self.prompt_tokens += tokens.get("prompt") or 0
        self.completion_tokens += tokens.get("completion") or 0

    def ends(self) -> Counter[str]:
        """How many incidents are in each state, and for which reason."""
        return Counter(
            where.state if where.state in {"closed", "soak"} else f"{where.state}: {where.reason}"
            for where in self.incidents.values()
        )

    def document(self) -> dict[str, Any]:
        """For machines; the same entries give the same document."""
        return {
            "runs": self.runs,
            "incidents": len(self.incidents),
            "recurrences": self.recurrences,
            "acts": _sorted(Counter(f"{act.tier} {act.runbook}" for act in self.acts)),
            "results": _sorted(self.results),
            "refusals": _sorted(self.refusals),
            "escalations": _sorted(self.escalations),
            "questions": _sorted(self.questions),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "ends": _sorted(self.ends()),
        }


def differences(base: Mapping[str, Any], head: Mapping[str, Any]) -> dict[str, Any]:
    """What is not alike in two documents of tallies: from and to, by name."""
    found: dict[str, Any] = {}
    for name, was in base.items():
        now = head[name]
        if isinstance(was, Mapping):
            changed = {
                key: {"base": was.get(key, 0), "head": now.get(key, 0)}
                for key in sorted({*was, *now})
                if was.get(key, 0) != now.get(key, 0)
            }
            found |= {name: changed} if changed else {}
        elif was != now:
            found[name] = {"base": was, "head": now}
    return found


def render(title: str, document: Mapping[str, Any]) -> str:
    """One tally for people."""
    lines = [title, *_totals(document)]
    for group in GROUPS:
        if document[group]:
            lines += ["", f"{group}:", *_counts(document[group])]
    return "\n".join(lines)


def render_differences(found: Mapping[str, Any]) -> str:
    """What another revision would do otherwise, for people."""
    if not found:
        return "both revisions would do the same"
    lines = [f"{'base':>9} {'head':>9}  what"]
    for name, change in found.items():
        if "base" in change:
            lines.append(_row(change, name))
        else:
            lines += [_row(each, f"{name}: {key}") for key, each in change.items()]
    return "\n".join(lines)


def _row(change: Mapping[str, Any], name: str) -> str:
    return f"{change['base']:>9,} {change['head']:>9,}  {name}"


def _totals(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {document['incidents']:,} incidents in {document['runs']:,} runs with something to do"
    acts = sum(document["acts"].values())
    yield f"  {acts:,} actions begun, {document['recurrences']:,} fixes did not hold"
    asked = document["questions"].get("asked", 0)
    tokens = document["prompt_tokens"] + document["completion_tokens"]
    yield f"  {asked:,} questions to a language model, {tokens:,} tokens"


def _counts(group: Mapping[str, int]) -> Iterator[str]:
    for name, count in sorted(group.items(), key=lambda item: (-item[1], item[0])):
        yield f"  {count:>7,}  {name}"


def _sorted(counter: Mapping[str, int]) -> dict[str, int]:
    return {name: counter[name] for name in sorted(counter)}
