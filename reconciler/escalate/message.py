"""What a channel is given, and what comes back: a closed set of codes, and never a server's words.

A receiver may get the same message twice, when this machine was killed between sending it and
writing that down. `Message.id` is the same in both, so that it can tell.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

Phase = Literal["opened", "step", "closed"]

Code = Literal[
    "unreachable",
    "timeout",
    "bad-certificate",
    "moved",
    "auth-failed",
    "not-found",
    "too-large",
    "refused",
    "failing",
    "broken",
    "local",
    "misconfigured",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message.

    Attributes:
        id: The same in every try; 64 hex digits.
        key: What the receiver knows the ticket by.
        phase: Whether it is the first of a round, a later step, or the last.
        target: ``<client>/<host>``.
        title: One line.
        markdown: For people, where Markdown is shown.
        text: For people, where it is not.
        document: For machines.
        at: When it is sent, whole seconds since 1970.
        again: Whether an earlier try may have arrived.
        reference: The receiver's number of the ticket, if it is known.
    """

    id: str
    key: str
    phase: Phase
    target: str
    title: str
    markdown: str
    text: str
    document: Mapping[str, Any]
    at: int
    again: bool = False
    reference: int | None = None

    def to_json(self) -> dict[str, Any]:
        """JSON values; ``Message(**value)`` is the inverse."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Arrived:
    """The receiver has it.

    Attributes:
        reference: Its number of the ticket, if it has one.
    """

    reference: int | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """The receiver does not have it, or nobody knows.

    Attributes:
        code: Why.
    """

    code: Code


Result = Arrived | Lost


def result_to_json(result: Result) -> dict[str, Any]:
    """JSON values; `result_from_json` is the inverse."""
    match result:
        case Arrived(reference):
            return {"reference": reference}
        case Lost(code):
            return {"code": code}


def result_from_json(value: Mapping[str, Any]) -> Result:
    """A result; anything that is none is a channel that is broken."""
    code, reference = value.get("code"), value.get("reference")
    if code in get_args(Code):
        return Lost(cast("Code", code))
    if code is None and "reference" in value and (reference is None or type(reference) is int):
        return Arrived(reference)
    return Lost("broken")
