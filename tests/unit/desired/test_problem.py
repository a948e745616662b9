from reconciler.desired import problem
from reconciler.errors import ExitCode, InputError, Where

HERE = Where("f.yaml", 3, "mode")


def test_a_problem_reads_as_place_and_message():
    assert str(problem.error(HERE, "is wrong", "Correct it.")) == "f.yaml:3: mode: is wrong"


def test_severity_is_never_a_default():
    assert problem.error(HERE, "m", "h").severity == "error"
    assert problem.warning(HERE, "m", "h").severity == "warning"


def test_an_invalid_fleet_carries_every_problem_and_says_how_many():
    first, second = problem.error(HERE, "is wrong", "Correct it."), problem.error(HERE, "b", "c")
    raised = problem.FleetInvalid([first, second])
    assert raised.problems == (first, second)
    assert str(raised) == "f.yaml:3: mode: is wrong (and 1 more)"
    assert raised.exit_code is ExitCode.INPUT


def test_an_input_error_becomes_a_problem_with_its_place():
    made = problem.of(InputError("is wrong", hint="Correct it.", where=HERE))
    assert made == problem.error(HERE, "is wrong", "Correct it.")
