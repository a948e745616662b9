from reconciler.desired.fleet import read_fleet
from reconciler.desired.graph.context import Graph, doubled
from reconciler.errors import Where
from tests.support.policy import CHECKS, STEPS, base_files

HERE = Where("f.yaml", 1)


def graph_of(files):
    fleet = read_fleet(files)
    return Graph(fleet, CHECKS, STEPS, fleet.controls())


def test_what_is_there_is_no_problem():
    graph = graph_of(base_files())
    assert list(graph.no_document(HERE, "rule", "idle")) == []
    assert list(graph.no_check(HERE, "TST-SSH-001")) == []
    assert list(graph.no_control(HERE, "law", "law:1(d)")) == []


def test_what_is_not_there_is_named_with_the_nearest():
    graph = graph_of(base_files())
    problems = [
        *graph.no_document(HERE, "rule", "idel"),
        *graph.no_check(HERE, "TST-SSH-002"),
        *graph.no_control(HERE, "law", "law:1(e)"),
        *graph.no_control(HERE, "lew", "lew:1(d)"),
    ]
    assert [(problem.message, problem.hint) for problem in problems] == [
        ("there is no rule idel", "Did you mean idle?"),
        ("there is no check TST-SSH-002", "Did you mean TST-SSH-001?"),
        ("there is no control law:1(e)", "Did you mean law:1(d)?"),
        ("there is no framework lew", "Did you mean law?"),
    ]


def test_a_broken_file_is_not_reported_again_by_those_who_name_it():
    graph = graph_of({**base_files(), "policies/rules/idle.yaml": b"\t"})
    assert list(graph.no_document(HERE, "rule", "idle")) == []


def test_a_name_listed_three_times_is_reported_twice():
    assert len(list(doubled(HERE, ["a", "b", "a", "a"]))) == 2
