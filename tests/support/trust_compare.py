"""The second opinion and the program on one random fleet after another.

.venv/bin/python -m tests.support.trust_compare 0 3000     # seeds; prints what differs
"""

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pygit2

from reconciler.desired.attestations import Attestations
from reconciler.desired.trust.verify import standing, verify_new
from reconciler.errors import IntentRefused
from reconciler.evidence import signers
from tests.support.random_trust import random_questions
from tests.support.reference_documents import Member, Policy, Rule
from tests.support.reference_taint import tainted
from tests.support.reference_trust import Accepted, Decision, Question, Refused, decide


@dataclass(frozen=True)
class Opinions:
    """What both say: ``accepted``, or a code and the commit that fails."""

    seed: int
    reference: str
    program: str
    may_name: frozenset[tuple[str, str | None]]
    program_commit: str | None
    kinds: frozenset[str]
    tainted: frozenset[str]
    program_tainted: frozenset[str]

    @property
    def agree(self) -> bool:
        """Whether both accept or both refuse."""
        return (self.reference == "accepted") == (self.program == "accepted")

    @property
    def same_code(self) -> bool:
        """Whether they also name the same reason and commit, or one that may come first as well."""
        if self.program in ("trust-policy-broken", "signers-missing"):
            # Which commit is named for a file that does not read is nobody's business.
            return self.program in {code for code, _ in self.may_name}
        return self.agree and (self.program, self.program_commit) in self.may_name


def compare(seed: int, folder: Path) -> list[Opinions]:
    """Both opinions on the fleet of a seed, which is made in a folder."""
    return [opinions(seed, question) for question in random_questions(seed, folder)]


def opinions(seed: int, question: Question) -> Opinions:
    """Both opinions on one question."""
    answer = decide(question)
    program = ask_program(question)
    return Opinions(
        seed,
        reference=answer.code if isinstance(answer, Refused) else "accepted",
        program=program[0],
        may_name=frozenset(answer.all if isinstance(answer, Refused) else {("accepted", None)}),
        program_commit=program[1],
        kinds=frozenset(kinds(question, answer)),
        tainted=frozenset(tainted(question)),
        program_tainted=ask_program_for_taint(question),
    )


def ask_program(question: Question) -> tuple[str, str | None]:
    """What `verify_new` says."""
    repository = pygit2.Repository(str(question.history.path))
    try:
        verify_new(
            repository,
            question.accepted,
            question.head,
            signers.parse(question.pinned, "pinned"),
            question.now,
            branch=question.branch,
            attestations=Attestations(repository, question.attestations),
            pin=question.pin,
            recovered_at=question.last_recovery,
        )
    except IntentRefused as refused:
        return refused.reason, refused.commit
    return "accepted", None


def ask_program_for_taint(question: Question) -> frozenset[str]:
    """Paths of the head that `standing` holds back, whatever became of the head itself."""
    repository = pygit2.Repository(str(question.history.path))
    try:
        found = standing(
            repository,
            question.head,
            branch=question.branch,
            now=question.now,
            attestations=Attestations(repository, question.attestations),
        )
    except IntentRefused:
        # Its own signer or signers do not hold, so nothing of it is in force.
        return frozenset(tainted(question))
    return frozenset(one.path for one in found.tainted)


def kinds(question: Question, answer: Accepted | Refused) -> Iterator[str]:
    """What an answer shows: its code, or why it was yes."""
    if isinstance(answer, Refused):
        yield answer.code
        return
    yield "recovered" if answer.recovered else "forward" if answer.new else "nothing new"
    if question.pin:
        yield "pin"
    if answer.base is None:
        yield "first"
    without = decide(replace(question, attestations=None))
    if isinstance(without, Refused):
        yield f"by attestation: {without.code}"
    if isinstance(_NoMergers(question).answer(), Refused):
        yield "by whoever merged"


class _NoMergers(Decision):
    """As if who merges did not agree to what is merged."""

    def merging(self, line: list[str], i: int, policy: Policy, rule: Rule) -> list[Member]:
        return []

    def answer(self) -> Accepted | Refused:
        try:
            return self.decide()
        except Refused as refused:
            return refused


def main(first: int, last: int) -> int:
    """Compare a range of seeds and print what differs; returns how many disagree."""
    codes: Counter[str] = Counter()
    apart = 0
    for seed in range(first, last):
        folder = Path(tempfile.mkdtemp())
        try:
            found = compare(seed, folder)
        finally:
            shutil.rmtree(folder)
        for both in found:
            codes.update([*both.kinds, *(["tainted"] if both.tainted else [])])
            apart += not both.agree or both.tainted != both.program_tainted
            if not both.same_code:
                word = "code only" if both.agree else "DISAGREE"
                print(f"{word} seed {seed}: reference {both.reference}, program {both.program}")
            if both.tainted != both.program_tainted:
                print(f"TAINT seed {seed}: {sorted(both.tainted)}, {sorted(both.program_tainted)}")
    for kind, count in codes.most_common():
        print(f"{count:6} {kind}")
    return apart


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])) > 0)
