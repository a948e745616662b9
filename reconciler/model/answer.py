"""What a target says to a probe, raw and typed, before any judgement."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from reconciler.errors import Unobservable
from reconciler.model.probe import Probe

AnswerStatus = Literal["ok", "absent", "denied", "timeout", "unsupported", "error"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One raw answer.

    Attributes:
        status: ``ok`` carries data; ``absent`` means looked and not there; the others mean
            "could not know" and carry a reason.
        data: JSON-like data as the probe documents, or bytes for a binary file.
        reason: Why there is no data, in words a person can act on: "permission denied; needs root".
        ms: Time it took, whole milliseconds.
    """

    status: AnswerStatus
    data: Any = None
    reason: str = ""
    ms: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to one check's probes.

    A parser takes what it needs through the methods below; each raises `Unobservable` when the
    answer does not carry data, so that no parser can mistake silence for success.
    """

    by_probe: Mapping[Probe, Answer] = field(default_factory=dict)

    def raw(self, probe: Probe) -> Answer:
        """The answer as it is; a probe that nobody answered is an error."""
        answer = self.by_probe.get(probe)
        if answer is None:
            return Answer("error", reason=f"no answer to {type(probe).__name__}")
        return answer

    def absent(self, probe: Probe) -> bool:
        """Whether the thing was looked for and is not there."""
        return self.raw(probe).status == "absent"

    def data(self, probe: Probe) -> Any:
        """The data of an ``ok`` answer.

        Raises:
            Unobservable: The thing is absent, or could not be looked at.
        """
        answer = self.raw(probe)
        if answer.status == "ok":
            return answer.data
        raise Unobservable(f"{describe(probe)}: {answer.reason or answer.status}")

    def text(self, probe: Probe) -> str:
        """The data of an ``ok`` answer that must be text.

        Raises:
            Unobservable: There is none, or it is not text.
        """
        data = self.data(probe)
        if not isinstance(data, str):
            raise Unobservable(f"{describe(probe)}: answer is not text")
        return data


def describe(probe: Probe) -> str:
    """A short name of a probe for people: the path, the command, the units."""
    for attribute in ("path", "pattern", "name", "topic"):
        value = getattr(probe, attribute, None)
        if isinstance(value, str):
            return value
    argv = getattr(probe, "argv", None) or getattr(probe, "units", None)
    if argv is None:
        argv = getattr(probe, "patterns", None)
    return " ".join(argv) if argv else type(probe).__name__
