"""Look at a target through many checks at once.

Rule 1: A value is seen only if the check's parser returned it, with exactly the declared fields and
        kinds. Whatever else happens is ``unobserved`` with a reason, never a pass.
Rule 2: One check's trouble is its own: no parser can take away another check's observation.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from reconciler.errors import Unobservable
from reconciler.model.answer import Answer, Answers
from reconciler.model.check import Check, Field, NotApplicable
from reconciler.model.observation import Observation
from reconciler.model.probe import Probe
from reconciler.model.values import Params, Value, exact, fits, plain
from reconciler.observe.digest import RawDigests
from reconciler.ports import Target

_T = TypeVar("_T")
_DIGITS = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Request:
    """One check with its parameters bound."""

    check: Check
    params: Params


@dataclass(frozen=True, slots=True)
class _Unseen:
    reason: str


def observe(
    requests: Sequence[Request], target: Target, *, deadline_s: float, salt: bytes
) -> list[Observation]:
    """Ask everything in one round, each question once, and read the answers.

    Args:
        requests: Checks to look through.
        target: The machine.
        deadline_s: Seconds for each probe.
        salt: Random bytes of this run, for `Observation.raw_digest`.

    Returns:
        One observation for each request, in the same order.
    """
    wanted = [
        _attempt("probes", partial(request.check.probes, request.params)) for request in requests
    ]
    questions = dict.fromkeys(p for probes in wanted if isinstance(probes, tuple) for p in probes)
    answers = target.ask(list(questions), deadline_s) if questions else {}
    digests = RawDigests(answers, salt)
    return [
        _unseen(request.check, probes, "", 0)
        if isinstance(probes, _Unseen)
        else _observe(request, probes, answers, digests)
        for request, probes in zip(requests, wanted, strict=True)
    ]


def _observe(
    request: Request,
    probes: tuple[Probe, ...],
    answers: Mapping[Probe, Answer],
    digests: RawDigests,
) -> Observation:
    check = request.check
    own = {probe: answers[probe] for probe in probes if probe in answers}
    digest, ms = digests.of(probes), sum(answer.ms for answer in own.values())
    seen = _attempt("parser", lambda: check.parse(request.params, Answers(own)))
    if isinstance(seen, NotApplicable):
        return Observation(
            check.id, "not_applicable", reason=plain(seen.reason), raw_digest=digest, ms=ms
        )
    values = seen if isinstance(seen, _Unseen) else _checked(check.fields, seen)
    if isinstance(values, _Unseen):
        return _unseen(check, values, digest, ms)
    return Observation(check.id, "seen", values=values, raw_digest=digest, ms=ms)


def _unseen(check: Check, why: _Unseen, digest: str, ms: int) -> Observation:
    return Observation(check.id, "unobserved", reason=plain(why.reason), raw_digest=digest, ms=ms)


def _attempt(what: str, function: Callable[[], _T]) -> _T | _Unseen:
    """Run a part of a check; whatever it raises becomes a reason (Rules 1 and 2)."""
    try:
        return function()
    except Unobservable as unknown:
        return _Unseen(unknown.message)
    # A check is a plug-in that reads hostile input: any error of it means "not seen".
    except Exception as error:  # noqa: BLE001
        return _Unseen(f"{what} error: {type(error).__name__}: {error!s:.200}")


def _checked(fields: Mapping[str, Field], seen: object) -> dict[str, Value] | _Unseen:
    if not isinstance(seen, Mapping):
        return _Unseen(f"parser error: returned {type(seen).__name__}, not values")
    if set(seen) != set(fields):
        odd = ", ".join(sorted(str(name) for name in set(seen) ^ set(fields)))
        return _Unseen(f"parser error: fields missing or not declared: {odd}")
    values = {name: _ordered(seen[name]) for name in fields}
    for name, field in fields.items():
        if not _fits(values[name], field):
            kind = type(values[name]).__name__
            return _Unseen(f"parser error: {name} is {kind}, not {field.kind}")
        if not exact(values[name]):
            return _Unseen(f"{name} holds bytes that are no text, or a number beyond 2^53")
    return values


def _fits(value: Value, field: Field) -> bool:
    return field.optional if value is None else fits(value, field.kind)


def _ordered(value: Value | list[str] | list[int]) -> Value:
    """Lists in one order, so that equal states give equal evidence: tcp/22 before tcp/443."""
    if not isinstance(value, tuple | list):
        return value
    return tuple(sorted(value, key=_natural))


def _natural(item: object) -> tuple[list[str | int], str]:
    if isinstance(item, int):
        return (["", item], "")
    # Text and numbers alternate, starting with text, so that like is compared with like.
    text = str(item)
    return ([int(p) if at % 2 else p for at, p in enumerate(_DIGITS.split(text))], text)
