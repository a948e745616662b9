"""Violations of every shipped rule, and what a model suggests: judged, never believed."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from reconciler.advise.ask import Remote
from reconciler.advise.endpoint import Endpoint
from reconciler.checks import catalogue as checks
from reconciler.cli import execute
from reconciler.desired.gate.reading import Reading, read_work_tree
from reconciler.engine.inquiry.violations import Suggester, Violated, judged_rules
from reconciler.steps import catalogue as steps
from reconciler.testing.fake_llm import FakeLLM, refuses, says, sends, serve
from reconciler.testing.violations import Violation

ROOT = Path(__file__).resolve().parents[3]
pytestmark = [pytest.mark.integration, pytest.mark.enable_socket]

WRONG: dict[str, Any] = {
    "bool": False,
    "int": -7,
    "str": "drifted",
    "list[str]": [],
    "list[int]": [],
}


@pytest.fixture(scope="module")
def reading() -> Reading:
    found = read_work_tree(ROOT, checks.load(), steps.load())
    assert found.whole, found.remarks
    return found


@pytest.fixture
def llm() -> Iterator[FakeLLM]:
    with serve(says(lambda asked: answer(*suggestions(asked.data)))) as running:
        yield running


def suggestions(data: Any) -> list[dict[str, Any]]:
    return [{"field": one["name"], "value": WRONG[one["type"]]} for one in data["fields"]]


def answer(*violations: Any) -> str:
    return json.dumps({"violations": violations})


def asked(llm: FakeLLM, reading: Reading, rules: int = 2) -> tuple[list[Violated], Suggester]:
    endpoint = Endpoint(kind="compatible", base_url=llm.base_url, model="m")
    suggester = Suggester(Remote(endpoint), 5)
    return list(islice(judged_rules(reading, checks.load(), suggester), rules)), suggester


def test_every_shipped_rule_fails_each_of_its_violations(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert execute(["violations", str(ROOT)]) == 0
    assert "0 rules do not fail as they must" in capsys.readouterr().out


def test_a_rule_that_does_not_fail_its_violation_is_named(
    reading: Reading, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = next(judged_rules(reading, checks.load()))

    def met(rule: Any, check: Any) -> Iterator[Violation]:
        del check
        yield Violation(rule.id, next(iter(rule.expect)), {})

    monkeypatch.setattr("reconciler.engine.inquiry.violations.violations", met)
    assert execute(["violations", str(ROOT)]) == 1
    assert f"{first.rule}: not judged a failure when broken: " in capsys.readouterr().out


def test_a_suggestion_counts_when_the_rule_calls_it_a_failure(
    llm: FakeLLM, reading: Reading
) -> None:
    found, suggester = asked(llm, reading, 6)

    assert suggester.asked == len(llm.requests) == 6
    assert sum(len(one.suggested) for one in found) >= 6
    assert all(not one.trouble for one in found)


def test_what_is_asked_holds_texts_of_check_and_rule_and_nothing_of_a_client(
    llm: FakeLLM, reading: Reading
) -> None:
    asked(llm, reading, 60)
    sent = json.dumps([request.body for request in llm.requests])

    assert len(llm.requests) > 30
    for state in reading.states.values():
        declared = state.host.declares
        assert state.client.id not in sent
        assert state.client.name not in sent
        for name in (*declared.accounts, *declared.ssh_keys):
            assert f'"{name}"' not in sent.replace('\\"', '"') or name == "root"
    assert '{\\"ref\\":\\"host.accounts\\"}' in sent


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("yes", None),
        (True, None),
        (10**20, None),
        (None, None),
        ({"a": 1}, None),
        (1.5, None),
        ("x" * 500, None),
        ("drifted", "no_such_field"),
        ("drifted", "__class__"),
    ],
)
def test_what_is_not_of_the_field_is_dropped_or_no_answer(
    llm: FakeLLM, reading: Reading, value: Any, field: str | None
) -> None:
    """The first rule expects truths and lists; nothing of these breaks it."""

    def text(request: Any) -> str:
        fields = [one["name"] for one in request.data["fields"] if one["type"] == "list[str]"]
        return answer(*({"field": field or name, "value": value} for name in fields or ["x"]))

    llm.behaviour = says(text)
    found, _suggester = asked(llm, reading)
    assert [one.suggested for one in found] == [(), ()]
    assert all(one.dropped or one.trouble == "invalid" for one in found)


def test_one_suggestion_twice_is_one(llm: FakeLLM, reading: Reading) -> None:
    llm.behaviour = says(lambda request: answer(*suggestions(request.data) * 2))
    for one in asked(llm, reading)[0]:
        assert len({repr(kept) for kept in one.suggested}) == len(one.suggested)
        assert one.dropped >= len(one.suggested)


@pytest.mark.parametrize("content", [b"\x00\xff", b"{}", b"[" * 100_000])
def test_garbage_is_no_use_and_stops_nothing(
    llm: FakeLLM, reading: Reading, content: bytes
) -> None:
    llm.behaviour = sends(content)
    found, suggester = asked(llm, reading)
    assert [one.trouble for one in found] == ["invalid", "invalid"]
    assert suggester.asked == 2


def test_who_does_not_answer_is_not_asked_again(llm: FakeLLM, reading: Reading) -> None:
    llm.behaviour = sends(b"no", 503)
    found, _suggester = asked(llm, reading, 5)
    assert len(llm.requests) == 1
    assert [bool(one.trouble) for one in found] == [True] * 5


def test_a_form_that_is_refused_is_asked_less_strictly_from_then_on(
    llm: FakeLLM, reading: Reading
) -> None:
    llm.behaviour = refuses(["json_schema"], llm.behaviour)
    asked(llm, reading)
    assert [one.form for one in llm.requests] == ["json_schema", "json_object", "json_object"]


def test_without_a_model_in_the_settings_suggest_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text(
        "client: c\nhost: h\nfleet: {url: f, signers: s}\n"
        "evidence: {repository: e, key: k, signers: s}\n"
    )
    argv = ["violations", str(ROOT), "--suggest", "2", "--config", str(file)]
    assert execute(argv) == 5
    assert "name no language model" in capsys.readouterr().err


def test_the_command_shows_what_is_kept(
    tmp_path: Path, llm: FakeLLM, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text(
        "client: c\nhost: h\nfleet: {url: f, signers: s}\n"
        "evidence: {repository: e, key: k, signers: s}\n"
        f"advise: {{kind: compatible, base_url: '{llm.base_url}', model: m}}\n"
    )
    argv = ["violations", str(ROOT), "--suggest", "2", "--config", str(file)]
    assert execute(argv) == 0
    said = capsys.readouterr().out
    assert f"{len(llm.requests)} questions: " in said
    assert " suggestions kept, " in said
