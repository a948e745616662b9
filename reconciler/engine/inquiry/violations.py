"""Synthetic violations of every rule of a fleet, judged by the one judge of findings.

From the generator always (`reconciler.testing.violations`), and from a language model where the
settings name one. A rule that nothing can violate, or that judges its violation otherwise, is
found before a machine shows it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from reconciler.advise.answer import text_of
from reconciler.advise.ask import Remote
from reconciler.advise.reply import NoReply
from reconciler.advise.violations import sifted, wanted
from reconciler.desired.gate.reading import Reading
from reconciler.diff.judge import judge
from reconciler.guard.advice_budget import LEVELS, Level, below
from reconciler.model.check import Check
from reconciler.model.desired import BoundRule
from reconciler.model.observation import Observation
from reconciler.model.rule import Rule
from reconciler.model.values import Value
from reconciler.testing.violations import violations

TIMEOUT_S = 60.0

Kept = tuple[tuple[tuple[str, Value], ...], int, str]
"""What is kept of an answer, how many were dropped, and why there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violated:
    """What violations of one rule showed.

    Attributes:
        rule: Its id, without an item.
        check: Its check.
        made: Violations that the generator made.
        wrong: Fields of those that are not judged to fail because of that field.
        suggested: Field and value of what a model suggested and that fails as it must.
        dropped: Suggestions that do not.
        trouble: Why the model was of no use for this rule; empty if it was or was not asked.
    """

    rule: str
    check: str
    made: int
    wrong: tuple[str, ...]
    suggested: tuple[tuple[str, Value], ...] = ()
    dropped: int = 0
    trouble: str = ""


@dataclass(slots=True)
class Suggester:
    """Asks a model rule by rule, until it does not answer.

    Attributes:
        remote: Whom.
        most: Suggestions for each rule.
        level: How strictly the form of an answer is asked for; falls when it is refused.
        silent: It did not answer, and is not asked again.
        asked: Requests so far.
    """

    remote: Remote
    most: int
    level: Level = LEVELS[0]
    silent: bool = field(default=False)
    asked: int = 0

    def suggest(self, rule: Rule, bound: BoundRule, check: Check) -> Kept:
        """Ask about one rule; at most one request for each form of an answer."""
        question = wanted(rule, check, self.most)
        while not self.silent:
            self.asked += 1
            reply = self.remote.ask(question, self.level, TIMEOUT_S)
            if isinstance(reply, NoReply):
                self.silent = True
                return (), 0, reply.result
            if reply.refuses_form and self.level != LEVELS[-1]:
                self.level = below(self.level)
                continue
            if reply.status != 200:
                self.silent = True
                return (), 0, f"status {reply.status}"
            found = sifted(text_of(reply.content), bound, check)
            return found.kept, found.dropped, "" if found.readable else "invalid"
        return (), 0, "not asked: it did not answer before"


def judged_rules(
    reading: Reading, checks: Mapping[str, Check], suggester: Suggester | None = None
) -> Iterator[Violated]:
    """Every rule that is bound on some host, once, in the order of ids."""
    rules = {} if reading.fleet is None else reading.fleet.rules
    bound: dict[str, BoundRule] = {}
    for state in reading.states.values():
        for one in state.rules:
            bound.setdefault(one.rule, one)
    for name in sorted(bound):
        yield _violated(rules[name], bound[name], checks[bound[name].check], suggester)


def _violated(rule: Rule, bound: BoundRule, check: Check, suggester: Suggester | None) -> Violated:
    made = list(violations(bound, check))
    wrong = {one.field for one in made if not _fails(bound, one.field, one.values)}
    # A rule that nothing can violate judges nothing.
    wrong |= set() if made else set(bound.expect)
    nobody = ((), 0, "")
    kept, dropped, trouble = suggester.suggest(rule, bound, check) if suggester else nobody
    return Violated(
        rule=rule.id,
        check=check.id,
        made=len(made),
        wrong=tuple(sorted(wrong)),
        suggested=kept,
        dropped=dropped,
        trouble=trouble,
    )


def _fails(rule: BoundRule, name: str, values: Mapping[str, Value]) -> bool:
    seen = Observation(rule.check, "seen", values)
    found = judge(
        rule, seen, target="none/none", exceptions=(), controls={}, today=date(2000, 1, 1)
    )
    return found.status == "fail" and name in found.failed
