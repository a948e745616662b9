"""All guards together: a clinic's hosts, its runbooks, a clock, crashes, and whoever undoes fixes.

Guards shadow one another, so this alone would let mutants of single guards live (healing.md): each
is proven in isolation beside it. What is proven here is that the ledger makes of them what they
promise, and that a verdict changes nothing.
"""

from collections import Counter
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from reconciler.guard import cooldown, trips
from reconciler.guard.gate import admit, admitted, judge_all
from reconciler.guard.memory import Memory, fold
from reconciler.model.guard_settings import GuardSettings
from reconciler.model.plan import Action
from tests.support.desired_states import make_action, make_desired, make_host, make_runbook, pin
from tests.support.guarding import NOW, intent_body, make_context

NUMBERS = GuardSettings()
DC = "domain-controller"
RUNBOOKS = [pin(make_runbook()), pin(make_runbook("RB-NOISE-001", disruptive=True))]
STATES = [
    make_desired(
        host=make_host(id=f"h{number}", site="north", roles=(DC,) if number else ()),
        runbooks=RUNBOOKS,
    )
    for number in range(3)
]
ACTIONS = [
    make_action(
        id=f"{number}{work}".rjust(64, "0"),
        target=state.target,
        runbook=RUNBOOKS[work].runbook.id,
    )
    for number, state in enumerate(STATES)
    for work in range(2)
]
WHICH = st.sampled_from(range(len(ACTIONS)))
RESULTS = st.sampled_from(["healed", "failed", "rolled_back", "interrupted"])


class Clinic(RuleBasedStateMachine):
    """What is admitted begins; anything may end, at any time, in any way."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory.empty()
        self.now = NOW
        self.running: dict[str, Action] = {}
        self.began: list[tuple[datetime, Action]] = []

    @rule(which=WHICH)
    def ask(self, which: int) -> None:
        action, state = ACTIONS[which], STATES[which // 2]
        context = make_context(desired=state, memory=self.memory, now=self.now)
        before = self.memory.to_body()
        verdicts = admit(action, context)
        assert judge_all(action, context)[: len(verdicts)] == verdicts
        assert self.memory.to_body() == before, "a verdict changes nothing"
        if not admitted(verdicts):
            assert verdicts[-1].reason
            return
        self._holds_its_cooldown(action)
        self.memory = fold(self.memory, "intent", intent_body(action, context), self.now)
        self.running[action.id] = action
        self.began.append((self.now, action))

    def _holds_its_cooldown(self, action: Action) -> None:
        attempt = self.memory.attempts.get(action.id)
        if attempt is not None:
            bound = cooldown.bound_s(attempt.failures, NUMBERS.cooldown)
            assert self.now - attempt.last_at >= timedelta(seconds=bound)

    @rule(data=st.data(), result=RESULTS)
    def end(self, data: st.DataObject, result: str) -> None:
        if not self.running:
            return
        action = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        body = {"action": action.id, "result": result, "rules": list(action.rules)}
        self.memory = fold(self.memory, "outcome", body, self.now)

    @rule(seconds=st.integers(1, 8 * 3600))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def restart(self) -> None:
        """Memory is what the newest run entry carries."""
        self.memory = Memory.from_body(self.memory.to_body())

    @invariant()
    def never_too_much_at_once(self) -> None:
        targets = Counter(action.target for action in self.running.values())
        assert all(count == 1 for count in targets.values())
        assert len(self.running) <= NUMBERS.per_site
        assert sum(target != "clinic/h0" for target in targets) <= 1, "two domain controllers"
        assert set(self.memory.active) == set(self.running)

    @invariant()
    def never_too_much_in_any_stretch(self) -> None:
        tokens = NUMBERS.tokens
        self._bound([at for at, _action in self.began], tokens.client, tokens.client_refill_s)
        for state in STATES:
            mine = [at for at, action in self.began if action.target == state.target]
            self._bound(mine, tokens.host, tokens.host_refill_s)
        noisy = [at for at, action in self.began if action.runbook == "RB-NOISE-001"]
        self._bound(noisy, 1, tokens.disruptive_refill_s)

    def _bound(self, began: list[datetime], size: int, refill_s: int) -> None:
        for first, at in enumerate(began):
            allowed = size + (began[-1] - at) // timedelta(seconds=refill_s)
            assert len(began) - first <= allowed

    @invariant()
    def never_two_probes(self) -> None:
        probes = Counter(each.breaker for each in self.memory.active.values() if each.trips)
        assert all(count == 1 for count in probes.values())

    @invariant()
    def an_open_breaker_lets_nothing_begin(self) -> None:
        for name, runs in self.memory.breakers.items():
            switch = trips.switch(runs, NUMBERS.breaker)
            if switch.opened_at is None:
                continue
            until = switch.opened_at + timedelta(
                seconds=trips.open_s(switch.trips, NUMBERS.breaker)
            )
            late = [
                at
                for at, action in self.began
                if f"clinic|{action.runbook}" == name and switch.opened_at < at < until
            ]
            assert late == []


TestClinic = Clinic.TestCase
TestClinic.settings = settings(max_examples=30, stateful_step_count=60, deadline=None)
