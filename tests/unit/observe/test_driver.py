from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, Answers
from reconciler.model.check import Check, Field, NotApplicable
from reconciler.model.operation import Operation, OperationResult
from reconciler.model.probe import Probe, ReadFile
from reconciler.model.values import Params
from reconciler.observe.driver import Request, observe

SALT = b"salt of this run"
FILE, OTHER = ReadFile("/file"), ReadFile("/other")


class Machine:
    """Answers from a table and remembers what it was asked."""

    def __init__(self, answers: Mapping[Probe, Answer]) -> None:
        self.answers = answers
        self.rounds: list[list[Probe]] = []

    def ask(self, probes: Sequence[Probe], deadline_s: float) -> Mapping[Probe, Answer]:
        self.rounds.append(list(probes))
        return {probe: self.answers[probe] for probe in probes if probe in self.answers}

    def carry_out(self, operation: Operation) -> OperationResult:
        raise AssertionError("a look changes nothing")


def check(
    parse: Callable[[Params, Answers], Any],
    *,
    id: str = "LNX-X-001",
    probes: Callable[[Params], tuple[Probe, ...]] = lambda _: (FILE,),
    **fields: Field,
) -> Check:
    return Check(
        id=id,
        title="t",
        platforms=frozenset({"linux"}),
        source="s",
        fields=fields or {"text": Field("str", "The text.")},
        probes=probes,
        parse=parse,
    )


def text(_params: Params, answers: Answers) -> dict[str, Any]:
    return {"text": answers.text(FILE)}


def see(*checks: Check, **answers: Answer) -> list[Any]:
    table: dict[Probe, Answer] = {FILE: Answer("ok", "content", ms=3), OTHER: Answer("ok", 5, ms=4)}
    machine = Machine(table | {FILE: answers.get("file", table[FILE])})
    return observe([Request(c, {}) for c in checks], machine, deadline_s=5, salt=SALT)


class TestSeen:
    def test_values_time_and_order(self) -> None:
        both = check(
            lambda _p, a: {"n": a.data(OTHER), "text": a.data(FILE)},
            id="LNX-X-002",
            probes=lambda _: (OTHER, FILE),
            n=Field("int", "N."),
            text=Field("str", "T."),
        )
        first, second = see(check(text), both)
        assert (first.check, first.sight, first.values) == (
            "LNX-X-001",
            "seen",
            {"text": "content"},
        )
        assert (second.check, second.values) == ("LNX-X-002", {"n": 5, "text": "content"})
        assert (first.ms, second.ms) == (3, 7)

    def test_a_question_that_two_checks_ask_is_asked_once(self) -> None:
        machine = Machine({FILE: Answer("ok", "content")})
        requests = [Request(check(text), {}), Request(check(text), {})]
        observe(requests, machine, deadline_s=5, salt=SALT)
        assert machine.rounds == [[FILE]]

    def test_nothing_to_ask_is_not_asked(self) -> None:
        machine = Machine({})
        nothing = check(lambda _p, _a: {"text": "x"}, probes=lambda _: ())
        (seen,) = observe([Request(nothing, {})], machine, deadline_s=5, salt=SALT)
        assert (seen.sight, machine.rounds) == ("seen", [])

    def test_parameters_reach_both_sides(self) -> None:
        asked = check(
            lambda p, a: {"text": f"{p['path']} {a.text(ReadFile(str(p['path'])))}"},
            probes=lambda p: (ReadFile(str(p["path"])),),
        )
        machine = Machine({ReadFile("/p"): Answer("ok", "x")})
        (seen,) = observe([Request(asked, {"path": "/p"})], machine, deadline_s=5, salt=SALT)
        assert seen.values == {"text": "/p x"}

    def test_lists_have_one_order_numbers_as_numbers(self) -> None:
        ports = check(
            lambda _p, _a: {"text": ["tcp/443", "udp/5", "tcp/80", "tcp/22"], "n": (10, 9)},
            text=Field("list[str]", "T."),
            n=Field("list[int]", "N."),
        )
        (seen,) = see(ports)
        assert seen.values == {"text": ("tcp/22", "tcp/80", "tcp/443", "udp/5"), "n": (9, 10)}

    def test_what_is_optional_may_be_none(self) -> None:
        (seen,) = see(check(lambda _p, _a: {"text": None}, text=Field("str", "T.", optional=True)))
        assert (seen.sight, seen.values) == ("seen", {"text": None})

    def test_not_applicable_has_a_reason_and_no_values(self) -> None:
        (seen,) = see(check(lambda _p, _a: NotApplicable("no radio here")))
        assert (seen.sight, seen.reason, seen.values) == ("not_applicable", "no radio here", {})


class TestNeverAPass:
    def reason(self, parse: Callable[[Params, Answers], Any], **fields: Field) -> str:
        (seen,) = see(check(parse, **fields))
        assert (seen.sight, seen.values) == ("unobserved", {})
        reason: str = seen.reason
        return reason

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Answer("absent", reason="no such file"), "/file: no such file"),
            (Answer("denied", reason="permission denied; needs root"), "/file: permission denied"),
            (Answer("timeout", reason="did not answer in time"), "/file: did not answer in time"),
            (Answer("ok", 5), "/file: answer is not text"),
        ],
    )
    def test_without_an_answer(self, answer: Answer, reason: str) -> None:
        (seen,) = see(check(text), file=answer)
        assert (seen.sight, seen.values) == ("unobserved", {})
        assert seen.reason.startswith(reason)

    def test_a_target_that_forgets_a_probe(self) -> None:
        (seen,) = observe([Request(check(text), {})], Machine({}), deadline_s=5, salt=SALT)
        assert (seen.sight, seen.reason) == ("unobserved", "/file: no answer to ReadFile")

    def test_a_parser_that_gives_up(self) -> None:
        def parse(_params: Params, _answers: Answers) -> Any:
            raise Unobservable("the file has two truths")

        assert self.reason(parse) == "the file has two truths"

    def test_a_parser_that_breaks(self) -> None:
        def parse(_params: Params, _answers: Answers) -> Any:
            return {}["text"]

        assert self.reason(parse) == "parser error: KeyError: 'text'"

    def test_a_check_whose_probes_break_costs_only_itself(self) -> None:
        def probes(params: Params) -> tuple[Probe, ...]:
            raise ValueError("no path")

        broken, fine = see(check(text, probes=probes), check(text))
        assert (broken.sight, broken.reason) == ("unobserved", "probes error: ValueError: no path")
        assert fine.sight == "seen"

    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({}, "fields missing or not declared: text"),
            ({"text": "x", "more": 1}, "fields missing or not declared: more"),
            ({"text": 5}, "text is int, not str"),
            ({"text": True}, "text is bool, not str"),
            ({"text": None}, "text is NoneType, not str"),
            ({"text": 1.5}, "text is float, not str"),
            ({"text": ["x"]}, "text is tuple, not str"),
            (None, "returned NoneType, not values"),
            (True, "returned bool, not values"),
            ([("text", "x")], "returned list, not values"),
        ],
    )
    def test_values_that_were_not_declared(self, values: Any, reason: str) -> None:
        assert self.reason(lambda _p, _a: values) == f"parser error: {reason}"

    @pytest.mark.parametrize("value", [[1], ["x", 1], "x", None, (True,), [["x"]], {"x"}])
    def test_lists_of_something_else(self, value: Any) -> None:
        reason = self.reason(lambda _p, _a: {"text": value}, text=Field("list[str]", "T."))
        assert reason.startswith("parser error: ")

    def test_text_that_cannot_be_written_as_evidence(self) -> None:
        (seen,) = see(check(text), file=Answer("ok", "\udcff\udcfefailed"))
        assert seen.sight == "unobserved"
        assert "no text" in seen.reason

    def test_a_reason_that_cannot_be_written_as_evidence_is_spelt_out(self) -> None:
        (seen,) = see(check(text), file=Answer("denied", reason="not \udcff"))
        assert seen.sight == "unobserved"
        assert seen.reason.encode("utf-8") == b"/file: not \\udcff"

    def test_a_boolean_is_no_number(self) -> None:
        reason = self.reason(lambda _p, _a: {"text": True}, text=Field("int", "T."))
        assert reason == "parser error: text is bool, not int"


class TestDigest:
    def digest(self, answer: Answer, salt: bytes = SALT) -> str:
        (seen,) = observe(
            [Request(check(text), {})], Machine({FILE: answer}), deadline_s=5, salt=salt
        )
        digest: str = seen.raw_digest
        assert len(digest) == 64
        return digest

    def test_it_depends_on_what_was_said_and_on_the_salt_only(self) -> None:
        base = self.digest(Answer("ok", "content", ms=1))
        assert base == self.digest(Answer("ok", "content", ms=2))
        assert base != self.digest(Answer("ok", "content", ms=1), b"another salt")
        others = [Answer("ok", "other"), Answer("absent"), Answer("absent", reason="x")]
        assert len({base, *map(self.digest, others)}) == 4

    @pytest.mark.parametrize(
        "data", [b"\0\xff", "\udcff", {"b": 1, "a": [None, True]}, {1: 2}, {3, 4}]
    )
    def test_every_kind_of_answer_has_one(self, data: Any) -> None:
        assert self.digest(Answer("ok", data)) != self.digest(Answer("ok", "x"))

    def test_the_order_of_a_mapping_does_not_matter(self) -> None:
        assert self.digest(Answer("ok", {"a": 1, "b": 2})) == self.digest(
            Answer("ok", {"b": 2, "a": 1})
        )
