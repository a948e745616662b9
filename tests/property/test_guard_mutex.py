"""The mutex, in isolation: whatever hosts do, too much never happens at once."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.guard import mutex
from reconciler.guard.memory import Memory, fold
from reconciler.model.desired import DesiredState
from tests.support.desired_states import make_action, make_desired, make_host
from tests.support.guarding import NOW, intent_body, make_context, numbers

SITES = (None, "north", "south")
DC = "domain-controller"
HOSTS = [
    make_host(id=f"h{number}", site=SITES[number % 3], roles=(DC,) if number % 2 else ())
    for number in range(9)
]
EVENTS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2), st.booleans()), max_size=80)


def state(number: int, per_site: int) -> DesiredState:
    return make_desired(host=HOSTS[number], guards=numbers(per_site=per_site).guards)


@given(EVENTS, st.integers(1, 3))
def test_one_a_host_so_many_a_site_and_one_domain_controller(
    events: list[tuple[int, int, bool]], per_site: int
) -> None:
    memory, running = Memory.empty(), dict[str, int]()
    for number, work, ends in events:
        desired = state(number, per_site)
        action = make_action(id=f"{number}{work}".rjust(64, "0"), target=desired.target)
        if ends and action.id in running:
            body = {"action": action.id, "result": "failed", "rules": ["time"]}
            memory = fold(memory, "outcome", body, NOW)
            del running[action.id]
            continue
        context = make_context(desired=desired, memory=memory)
        if mutex.judge(action, context).ruling == "allow":
            memory = fold(memory, "intent", intent_body(action, context), NOW)
            running[action.id] = number
        hosts = list(running.values())
        assert len(hosts) == len(set(hosts))
        assert sum(DC in HOSTS[one].roles for one in hosts) <= 1
        sites = [HOSTS[one].site for one in hosts]
        assert all(sites.count(site) <= per_site for site in SITES)
    assert set(memory.active) == set(running)


@given(EVENTS)
def test_where_nothing_runs_everything_may_begin(events: list[tuple[int, int, bool]]) -> None:
    memory = Memory.empty()
    for number, work, _ends in events:
        desired = state(number, 2)
        action = make_action(id=f"{number}{work}".rjust(64, "0"), target=desired.target)
        context = make_context(desired=desired, memory=memory)
        assert mutex.judge(action, context).ruling == "allow"
        memory = fold(memory, "intent", intent_body(action, context), NOW)
        body = {"action": action.id, "result": "healed", "rules": ["time"]}
        memory = fold(memory, "outcome", body, NOW)
