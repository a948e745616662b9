import pytest

from reconciler.errors import InputError
from reconciler.model.expectation import Expectation
from reconciler.model.parameter import Parameter
from reconciler.model.render import names_in, render, render_expectation, render_step
from reconciler.model.rule import RawExpectation, Ref, bound
from reconciler.model.runbook import RunbookStep
from reconciler.model.step import StepKind

PARAMS = {"unit": "a.service", "n": 7, "on": True, "list": ("x", "y"), "none": None, "bad": "a\nb"}


def one(value: object) -> object:
    return render({"field": value}, PARAMS)["field"]  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("written", "rendered"),
    [
        ("{unit}", "a.service"),
        ("{n}", 7),
        ("{on}", True),
        ("{list}", ("x", "y")),
        ("{none}", None),
        ("{bad}", "a\nb"),
        ("size={n}M", "size=7M"),
        ("Ciphers {list}", "Ciphers x,y"),
        (("a", "{list}", "{n}", "{none}", "z{n}"), ("a", "x", "y", 7, "z7")),
        ("tcp dport { 22, 80 } accept", "tcp dport { 22, 80 } accept"),
        ("{}", "{}"),
        ("${HOME} {unit}", "${HOME} a.service"),
        ("{Unit}", "{Unit}"),
        (5, 5),
        (False, False),
    ],
)
def test_values_keep_their_type_and_nothing_else_is_interpreted(
    written: object, rendered: object
) -> None:
    assert one(written) == rendered
    assert type(one(written)) is type(rendered)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("{nit}", "no parameter nit"),
        ("a {nit}", "no parameter nit"),
        (("{nit}",), "no parameter nit"),
        ("PermitRootLogin {bad}", "line break"),
        ("a {on}", "no form as part of a text"),
        ("a {none}", "no form as part of a text"),
        (Ref(ref="host.accounts"), "cannot refer to host.accounts"),
    ],
)
def test_what_cannot_be_rendered_is_refused(written: object, why: str) -> None:
    with pytest.raises(InputError, match=why):
        one(written)


@pytest.mark.parametrize("control", ["\r", "\x00", "\x1b", "\x85", "\u2028"])
def test_no_parameter_adds_a_line_to_a_file(control: str) -> None:
    with pytest.raises(InputError):
        render({"content": "X {v}"}, {"v": f"yes{control}PermitRootLogin yes"})
    with pytest.raises(InputError):
        render({"content": "X {v}"}, {"v": ("a", control)})


def test_names_in_a_value() -> None:
    assert names_in(("{a}", "b {c}", 3)) == {"a", "c"}
    assert names_in("{ d }") == frozenset()


KIND = StepKind(
    id="x.y",
    doc="x",
    params={
        "unit": Parameter(type="str", doc="x", pattern="[a-z.]+"),
        "n": Parameter(type="int", doc="x", required=False, default=3),
    },
    do=lambda _params, _before: (),
    reversible=True,
)


def step(**params: object) -> RunbookStep:
    return RunbookStep.model_validate({"id": "s", "use": "x.y", "with": params})


def test_a_step_is_bound_with_its_defaults() -> None:
    assert render_step(step(unit="{unit}"), KIND, PARAMS) == {"unit": "a.service", "n": 3}


@pytest.mark.parametrize(
    "params", [{}, {"unit": "{n}"}, {"unit": "BAD"}, {"unit": "{unit}", "m": 1}]
)
def test_a_step_that_does_not_fit_its_kind_is_refused(params: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"step s \(x\.y\)"):
        render_step(step(**params), KIND, PARAMS)


def test_a_step_that_takes_an_optional_parameter_that_was_not_given_is_left_out() -> None:
    assert render_step(step(unit="{none}"), KIND, PARAMS) is None


def test_an_expectation_takes_parameters_too() -> None:
    raw = RawExpectation(
        op="all",
        inner=(
            RawExpectation(op="at_least", operand=1),
            RawExpectation(op="equals", operand="{n}"),
            RawExpectation(op="contains_all", operand=("{list}",)),
            RawExpectation(op="absent", operand=False),
        ),
    )
    assert bound(render_expectation(raw, PARAMS), {}) == Expectation(
        "all",
        inner=(
            Expectation("at_least", 1),
            Expectation("equals", 7),
            Expectation("contains_all", ("x", "y")),
            Expectation("absent", False),
        ),
    )
