import pytest
from pydantic import TypeAdapter

from reconciler.desired.fitting import expectation_flaws, parameter_flaws
from reconciler.desired.references import Typed
from reconciler.model.parameter import Parameter
from reconciler.model.rule import ExpectationField, Ref

READ = TypeAdapter(ExpectationField)
REFS = {
    "host.names": Typed("list[str]"),
    "item.size": Typed("int"),
    "item.unit": Typed("str", optional=True),
}
BOOL, INT, STR = Typed("bool"), Typed("int"), Typed("str")
NAMES, SIZES, MAYBE = Typed("list[str]"), Typed("list[int]"), Typed("int", optional=True)


@pytest.mark.parametrize(
    ("expectation", "observed"),
    [
        (True, BOOL),
        (3, INT),
        ("x", STR),
        ({"equals": ("a",)}, NAMES),
        ({"equals": ()}, SIZES),
        ({"one_of": ("a", "b")}, STR),
        ({"one_of": (1, 2)}, INT),
        ({"at_least": {"ref": "item.size"}}, INT),
        ({"matches": "[a-z]+"}, STR),
        ({"subset_of": ()}, NAMES),
        ({"same_set": {"ref": "host.names"}}, NAMES),
        ({"each": {"at_least": 1}}, SIZES),
        ({"any": [{"absent": True}, {"at_most": 3}]}, MAYBE),
        ({"not": {"one_of": ("a",)}}, STR),
    ],
)
def test_what_fits_has_no_flaw(expectation, observed):
    assert list(expectation_flaws(READ.validate_python(expectation), observed, REFS)) == []


@pytest.mark.parametrize(
    ("expectation", "observed", "message"),
    [
        ("true", BOOL, "equals takes true or false, not text"),
        (1, BOOL, "equals takes true or false, not a whole number"),
        ({"equals": None}, MAYBE, "nothing can be compared with null"),
        ({"equals": ("a", 1)}, NAMES, "equals takes a list of text, not a mixed list"),
        ({"equals": "a"}, NAMES, "equals takes a list of text, not text"),
        ({"one_of": (True,)}, BOOL, "one_of cannot be asked of true or false"),
        ({"one_of": ()}, STR, "one_of of nothing never holds"),
        ({"one_of": ("a",)}, NAMES, "one_of cannot be asked of a list of text"),
        ({"at_most": 3}, STR, "at_most cannot be asked of text"),
        ({"at_most": {"ref": "item.unit"}}, INT, "item.unit is text"),
        ({"equals": {"ref": "item.unit"}}, STR, "item.unit is text"),
        ({"matches": "a"}, INT, "matches cannot be asked of a whole number"),
        ({"matches": "("}, STR, None),
        ({"matches": "(a*)*"}, STR, "the pattern repeats something that can itself vary in length"),
        ({"contains_all": ()}, NAMES, "contains_all of nothing always holds"),
        ({"contains_none": ()}, NAMES, "contains_none of nothing always holds"),
        ({"subset_of": (1,)}, NAMES, "subset_of takes a list of text, not a list of whole numbers"),
        ({"subset_of": ("a",)}, STR, "subset_of cannot be asked of text"),
        ({"same_set": {"ref": "host.name"}}, NAMES, "there is no reference host.name here"),
        ({"absent": True}, INT, "the field is never absent"),
        ({"absent": False}, INT, "the field is never absent"),
        ({"each": 3}, INT, "each is for lists; the field is a whole number"),
        ({"each": {"absent": True}}, SIZES, "the field is never absent"),
        (
            {"all": [3, {"any": [{"at_most": 3}, "x"]}]},
            INT,
            "equals takes a whole number, not text",
        ),
    ],
)
def test_what_does_not_fit_is_named(expectation, observed, message):
    flaws = list(expectation_flaws(READ.validate_python(expectation), observed, REFS))
    assert len(flaws) == 1
    assert flaws[0].hint
    assert message is None or flaws[0].message == message


DECLARED = {
    "names": Parameter(type="list[str]", doc="Names."),
    "size": Parameter(type="int", doc="Bytes.", required=False, minimum=1),
    "unit": Parameter(type="str", doc="Unit.", required=False, pattern="[a-z]+"),
}


def flaws(given, **options):
    found = parameter_flaws(given, DECLARED, REFS, **options)
    return [(name, flaw.message) for name, flaw in found]


def test_parameters_that_fit_have_no_flaw():
    given = {"names": Ref(ref="host.names"), "size": Ref(ref="item.size"), "unit": "x"}
    assert flaws(given) == []


def test_an_optional_reference_fits_an_optional_parameter_only():
    assert flaws({"names": ("a",), "unit": Ref(ref="item.unit")}) == []
    required = {"unit": Parameter(type="str", doc="Unit.")}
    found = list(parameter_flaws({"unit": Ref(ref="item.unit")}, required, REFS))
    assert found[0][1].message == "item.unit need not be declared, but a value is required"


def test_every_flaw_of_parameters_is_found():
    assert flaws({"names": Ref(ref="item.size"), "size": 0, "unit": "X", "unti": 1}) == [
        ("names", "item.size is a whole number; a list of text is wanted"),
        ("size", "0 is below 1"),
        ("unit", "'X' does not match [a-z]+"),
        ("unti", "there is no parameter unti"),
    ]


def test_what_is_missing_is_said_unless_only_some_are_given():
    assert flaws({}) == [("names", "is missing")]
    assert flaws({}, complete=False) == []
