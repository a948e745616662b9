"""What each rule of trust said about each commit: held, or why not.

One code path serves the appliance, which stops at the first rule that fails, and the engineer who
asks why (`reconciler verify-intent`), for whom all of them are collected: so an explanation cannot
disagree with a verification.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from reconciler.desired.refusal import Reason, refuse
from reconciler.desired.trees import shown
from reconciler.errors import InputError, IntentRefused

T = TypeVar("T")

READING = "R0 reading"
"""What is so malformed, or so large, that no other rule can be asked."""


class Effect(StrEnum):
    """What it means that a rule does not hold."""

    REFUSES = "refuses"
    HOLDS_BACK = "holds-back"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule, asked of one commit.

    Attributes:
        rule: ``R2 authors``; the rules are those of ``docs/trust.md``.
        commit: Hex id, None if it is about the repository.
        held: Whether it held.
        reason: Code of `reconciler.desired.refusal.Reason`, None if it held.
        words: The sentence without its subject.
        hint: What to do; empty if it held.
        path: The path that it is about, as it may be shown; None if it is about no single one.
        owner: Id of the rule of ``policy.yaml`` that owns the path, None if none does.
        effect: What it means if it did not hold.
        detail: What is wrong with a file, with its place; for people, not for evidence, because an
            author may have chosen words of it.
        people: Ids of the people who agreed, where the rule asks for them.
    """

    rule: str
    commit: str | None
    held: bool
    reason: str | None
    words: str
    hint: str = ""
    path: str | None = None
    owner: str | None = None
    effect: Effect = Effect.REFUSES
    detail: str = ""
    people: tuple[str, ...] = ()

    @property
    def refuses(self) -> bool:
        """Whether the commit is refused for it."""
        return not self.held and self.effect is Effect.REFUSES


class Docket:
    """Rulings in the order of the checks.

    Attributes:
        rulings: All of them so far.
    """

    def __init__(self, *, whole: bool) -> None:
        """Args: whole: Whether to go on after a failure; a verification does not."""
        self.rulings: list[Ruling] = []
        self._whole = whole

    def held(
        self,
        rule: str,
        commit: str | None,
        words: str,
        path: str | None = None,
        owner: str = "",
        *,
        people: tuple[str, ...] = (),
    ) -> None:
        """Note that a rule held."""
        where = None if path is None else shown(path)
        self.rulings.append(
            Ruling(rule, commit, True, None, words, path=where, owner=owner or None, people=people)
        )

    def fail(
        self,
        rule: str,
        commit: str,
        reason: Reason,
        what: str,
        path: str | None = None,
        owner: str | None = None,
    ) -> None:
        """Note that a rule failed; a verification ends here.

        Raises:
            IntentRefused: Unless everything is to be collected.
        """
        self._failed(rule, refuse(reason, commit, what), what, path, owner)

    def aside(self, rule: str, commit: str, reason: Reason, what: str, effect: Effect) -> None:
        """Note that a rule failed and nothing is refused for it."""
        hint = refuse(reason, commit, what).hint
        self.rulings.append(Ruling(rule, commit, False, reason, what, hint, effect=effect))

    def ask(self, rule: str, commit: str, words: str, check: Callable[[], T]) -> T | None:
        """Ask a rule by a function that refuses if it does not hold.

        Args:
            rule: Which.
            commit: Of which commit.
            words: What is so if it holds; empty: nothing worth saying.
            check: Asks.

        Returns:
            What it returned; None if it refused and everything is to be collected.

        Raises:
            IntentRefused: It refused, unless everything is to be collected.
        """
        try:
            found = check()
        except IntentRefused as error:
            self._failed(rule, error, _predicate(error), None, None)
            return None
        if words:
            self.held(rule, commit, words)
        return found

    def ended(self, error: IntentRefused) -> None:
        """Note that nothing further could be asked, unless that is what was noted last."""
        last = self.rulings[-1] if self.rulings else None
        if last is None or last.held or (last.reason, last.commit) != (error.reason, error.commit):
            self._record(READING, error, _predicate(error), None, None)

    def _failed(
        self, rule: str, error: IntentRefused, what: str, path: str | None, owner: str | None
    ) -> None:
        self._record(rule, error, what, path, owner)
        if not self._whole:
            raise error

    def _record(
        self, rule: str, error: IntentRefused, what: str, path: str | None, owner: str | None
    ) -> None:
        self.rulings.append(
            Ruling(
                rule,
                error.commit,
                held=False,
                reason=error.reason,
                words=what,
                hint=error.hint,
                path=None if path is None else shown(path),
                owner=owner,
                detail=str(error.__cause__) if isinstance(error.__cause__, InputError) else "",
            )
        )


def _predicate(error: IntentRefused) -> str:
    """A refusal's sentence without the commit that it starts with."""
    subject = f"fleet commit {error.commit[:12]} " if error.commit else "fleet repository "
    return error.message.removeprefix(subject)
