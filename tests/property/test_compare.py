from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from reconciler.diff.compare import meets
from reconciler.diff.judge import judge
from reconciler.model.desired import BoundRule
from reconciler.model.expectation import Expectation
from reconciler.model.observation import Observation
from reconciler.model.values import Value

scalars = st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "no", "yes", "1"])
lists = st.lists(scalars, max_size=3).map(tuple)
values: st.SearchStrategy[Value] = st.none() | scalars | lists
plain_ops = st.sampled_from(
    ["equals", "one_of", "at_least", "at_most", "matches", "contains_all", "contains_none",
     "subset_of", "same_set", "absent"]
)  # fmt: skip
leaves = st.builds(Expectation, op=plain_ops, value=values)


def combined(inner: st.SearchStrategy[Expectation]) -> st.SearchStrategy[Expectation]:
    one = st.builds(Expectation, op=st.sampled_from(["not", "each"]), inner=st.tuples(inner))
    many = st.builds(
        Expectation,
        op=st.sampled_from(["all", "any"]),
        inner=st.lists(inner, max_size=3).map(tuple),
    )
    return one | many


expectations = st.recursive(leaves, combined, max_leaves=6)


def negated(expectation: Expectation) -> Expectation:
    return Expectation("not", inner=(expectation,))


@given(expectations, values)
def test_never_both_met_and_its_opposite_met(expectation: Expectation, value: Value) -> None:
    assert not (meets(expectation, value) and meets(negated(expectation), value))


@given(expectations, values)
def test_the_answer_is_always_a_plain_bool_and_repeatable(
    expectation: Expectation, value: Value
) -> None:
    answer = meets(expectation, value)
    assert type(answer) is bool
    assert meets(expectation, value) is answer
    assert meets(negated(negated(expectation)), value) is answer


@given(leaves.filter(lambda leaf: leaf.op != "absent"))
def test_an_absent_value_meets_no_plain_comparison_nor_its_negation(leaf: Expectation) -> None:
    assert not meets(leaf, None)
    assert not meets(negated(leaf), None)


@given(
    st.dictionaries(st.sampled_from("abc"), expectations, max_size=3),
    st.dictionaries(st.sampled_from("abc"), values, max_size=3),
    st.sampled_from(["seen", "unobserved", "not_applicable"]),
    st.sampled_from(["", "why"]),
)
def test_pass_without_an_observed_value_for_every_field_is_impossible(
    expect: dict[str, Expectation], seen: dict[str, Value], sight: str, reason: str
) -> None:
    rule = BoundRule(
        id="r", rule="r", title="t", check="LNX-SSH-001", params={}, expect=expect,
        severity="low", controls=("hipaa:x",), enforce=True, remedy=None,
    )  # fmt: skip
    observation = Observation("LNX-SSH-001", sight, seen, reason)  # type: ignore[arg-type]
    finding = judge(
        rule, observation, target="c/h", exceptions=(), controls={}, today=date(2026, 1, 1)
    )
    if finding.status == "pass":
        assert expect
        assert sight == "seen"
        assert set(finding.observed) == set(expect)
        assert all(meets(expect[name], finding.observed[name]) for name in expect)
    if finding.status == "fail":
        assert finding.failed
    if finding.status in {"unknown", "not_applicable"}:
        assert finding.reason
