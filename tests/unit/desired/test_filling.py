import pytest
from pydantic import TypeAdapter

from reconciler.desired.filling import filled_expectation_flaws, filled_flaws
from reconciler.desired.references import Typed
from reconciler.model.parameter import Parameter
from reconciler.model.rule import ExpectationField, Ref

STEP = {
    "unit": Parameter(type="str", doc="Unit.", pattern=r"[a-z]+\.service"),
    "wait_s": Parameter(type="int", doc="Seconds.", required=False, default=5),
    "names": Parameter(type="list[str]", doc="Names.", required=False),
}
OWN = {
    "unit": Parameter(type="str", doc="Unit."),
    "wait": Parameter(type="int", doc="Seconds."),
    "names": Parameter(type="list[str]", doc="Names."),
    "flag": Parameter(type="bool", doc="Whether."),
    "perhaps": Parameter(type="str", doc="Text.", required=False),
    "usual": Parameter(type="str", doc="Text.", required=False, default="x"),
}
READ = TypeAdapter(ExpectationField)


def flaws(*, leaves_out=True, **given):
    found = filled_flaws(given, STEP, OWN, leaves_out=leaves_out)
    return [(name, flaw.message) for name, flaw in found]


def test_a_whole_placeholder_has_the_type_of_the_parameter():
    assert flaws(unit="{unit}", wait_s="{wait}", names="{names}") == []
    assert flaws(unit="{wait}", wait_s="{unit}") == [
        ("unit", "{wait} is a whole number; text is wanted"),
        ("wait_s", "{unit} is text; a whole number is wanted"),
    ]


def test_a_placeholder_inside_text_makes_text():
    assert flaws(unit="{unit}-{wait}-{names}-{usual}.service") == []
    assert flaws(unit="a.service", wait_s="1{wait}") == [("wait_s", "gives str; int is wanted")]


@pytest.mark.parametrize("name", ["flag", "perhaps"])
def test_what_has_no_form_as_text_is_not_put_into_text(name):
    expected = [("unit", f"{name} has no form as part of a text")]
    assert flaws(unit=f"a{{{name}}}.service") == expected


def test_an_item_of_a_list_takes_a_parameter_or_all_its_items():
    assert flaws(unit="a.service", names=("a", "{unit}", "{names}", "x{wait}")) == []
    assert flaws(unit="a.service", names=("a", "{wait}")) == [
        ("names", "gives a mixed list; list[str] is wanted")
    ]
    assert flaws(unit="a.service", names=("{wait}",)) == [
        ("names", "gives list[int]; list[str] is wanted")
    ]


def test_an_unknown_name_is_told_with_the_nearest():
    found = list(filled_flaws({"unit": "{uint}"}, STEP, OWN, leaves_out=True))
    assert [(flaw.message, flaw.hint) for _, flaw in found] == [
        ("the runbook has no parameter uint", "Did you mean unit?")
    ]
    assert flaws(unit="a.service", names=("{nobody}",)) == [
        ("names", "the runbook has no parameter nobody")
    ]


def test_a_step_without_its_optional_parameter_is_left_out_and_a_condition_is_not():
    assert flaws(unit="{perhaps}") == []
    assert flaws(unit="{perhaps}", leaves_out=False) == [
        ("unit", "{perhaps} need not be declared, but a value is required")
    ]
    assert flaws(unit="{usual}", leaves_out=False) == []


def test_what_is_no_placeholder_is_judged_as_it_stands():
    assert flaws(unit="{Unit}") == [("unit", r"'{Unit}' does not match [a-z]+\.service")]
    assert flaws(wait_s=1) == [("unit", "is missing")]
    assert flaws(unit="{unit}", uint="{unit}") == [("uint", "there is no parameter uint")]


def test_a_runbook_refers_to_no_host():
    assert flaws(unit=Ref(ref="host.id")) == [("unit", "there is no reference host.id here")]


@pytest.mark.parametrize(
    ("expectation", "kind", "message"),
    [
        ("{unit}", "str", None),
        ({"at_most": 3}, "int", None),
        ({"same_set": ("a",)}, "list[str]", None),
        ("{wait}", "int", None),
        ("{wait}", "str", "{wait} is a whole number"),
        ({"any": [1, "{unit}"]}, "int", "{unit} is text"),
        ("{perhaps}", "str", "{perhaps} is text"),
        ("{uint}", "str", "the runbook has no parameter uint"),
        ({"equals": {"ref": "host.id"}}, "str", "there is no reference host.id here"),
    ],
)
def test_expectations_of_conditions_take_parameters_too(expectation, kind, message):
    raw = READ.validate_python(expectation)
    found = [flaw.message for flaw in filled_expectation_flaws(raw, Typed(kind), OWN)]
    assert found == ([] if message is None else [message])
