from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from reconciler import steps
from reconciler.diff.compare import pattern_problem
from reconciler.errors import InputError
from reconciler.model.step import StepKind
from reconciler.steps import catalogue

FOREIGN = StepKind(
    id="pager.call", doc="x", params={}, do=lambda _params, _before: (), reversible=True
)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch):
    def install(*entries: EntryPoint) -> None:
        monkeypatch.setattr(catalogue, "entry_points", lambda group: list(entries))
        catalogue.load.cache_clear()

    yield install
    monkeypatch.undo()
    catalogue.load.cache_clear()


def entry(name: str, value: str = "tests.unit.steps.test_catalogue:FOREIGN") -> EntryPoint:
    return EntryPoint(name, value, catalogue.ENTRY_POINT_GROUP)


def test_every_file_is_a_kind_of_step_and_every_kind_has_a_file() -> None:
    folder = Path(steps.__path__[0])
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "catalogue"}
    assert files == {catalogue.file_name(kind) for kind in catalogue.load()}
    assert list(catalogue.load()) == sorted(catalogue.load())


@pytest.mark.parametrize("kind", catalogue.load().values(), ids=lambda kind: kind.id)
def test_a_kind_says_what_it_is_and_types_every_parameter(kind: StepKind) -> None:
    assert kind.doc.endswith(".")
    for name, parameter in kind.params.items():
        assert parameter.doc.endswith("."), name
        free = parameter.type in {"str", "list[str]"} and parameter.enum is None
        assert not free or parameter.pattern or (kind.id, name) == ("file.ensure", "content")
        if parameter.default is not None:
            assert parameter.problem(parameter.default) is None


def test_a_kind_of_an_installed_package_is_found(installed) -> None:
    installed(entry("pager.call"))
    assert catalogue.load()["pager.call"] is FOREIGN


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("pager.call", "no_such_module:X", "cannot be loaded"),
        ("pager.call", "tests.unit.steps.test_catalogue:entry", "is not the kind of step"),
        ("pager.ring", "tests.unit.steps.test_catalogue:FOREIGN", "is not the kind of step"),
        ("unit.start", "reconciler.steps.unit_start:STEP", "exists already"),
    ],
)
def test_a_broken_package_stops_the_catalogue_and_is_named(
    installed, name: str, value: str, why: str
) -> None:
    installed(entry(name, value))
    with pytest.raises(InputError, match=why) as caught:
        catalogue.load()
    assert name in str(caught.value)


def test_patterns_of_runbook_parameters_are_not_weakened_by_those_of_steps() -> None:
    unit = catalogue.load()["unit.start"].params["unit"]
    assert pattern_problem(str(unit.pattern)) is None
    assert unit.problem("ssh.service") is None
    for bad in ("ssh", "a b.service", "../x.service", "x.service\n", "x;y.service", "x.scope"):
        assert unit.problem(bad) is not None
